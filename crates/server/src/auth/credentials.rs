//! Creates credentials for callers of the API: tokens, and users of contracts with Basic authentication.

use registrar_contracts::{Contract, Scheme};
use registrar_core::aggregate::{NewEntity, Secret};
use registrar_core::value::Value;
use registrar_core::violation::Violations;
use registrar_core::{EvalContext, Timestamp};
use registrar_store::{Actor, CreateError, CreateRequest, NewToken, Store, WriteError};

use super::password_pool::{HashError, PasswordPool};
use super::{now, token};
use crate::error::group_refusals;
use crate::settings::HashCost;

/// Number of characters of a generated password.
const PASSWORD_LEN: usize = 24;

/// Parameters of a new credential.
#[derive(Debug, Clone, Copy)]
pub struct NewCredential<'n> {
    /// Name of the token, or e-mail address of the user.
    pub name: &'n str,
    /// Contract that the credential is for.
    pub contract: Option<&'n Contract>,
    /// Attributes of a token, read by expressions of contracts as `caller.attributes`.
    pub attributes: &'n [(String, String)],
    /// Limits of a token.
    pub limits: TokenLimits<'n>,
    /// Cost of a password hash.
    pub cost: HashCost,
}

/// Limits of a token; none by default.
#[derive(Debug, Default, Clone, Copy)]
pub struct TokenLimits<'n> {
    /// Names of its scopes ([`crate::auth::permissions::Scope`]).
    pub scopes: Option<&'n [String]>,
    /// Names of its forms.
    pub forms: Option<&'n [String]>,
    /// Lifetime in seconds.
    pub seconds: Option<i64>,
}

/// Error creating a credential.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// A token with this name exists.
    #[error("a token of this name exists already: choose another name")]
    NameTaken,
    /// The contract does not read an attribute with this name.
    #[error("`{contract}` reads no attribute `{name}`: expected {expected}")]
    UnknownAttribute {
        /// The contract.
        contract: String,
        /// The attribute.
        name: String,
        /// The attributes that it reads.
        expected: String,
    },
    /// An attribute that the contract reads is missing or empty.
    #[error(
        "the attribute `{name}` is missing or empty: without it `{contract}` would not limit the token"
    )]
    MissingAttribute {
        /// The contract.
        contract: String,
        /// The attribute.
        name: String,
    },
    /// The contract's form for new callers rejects the user.
    #[error("the contract's form for callers rejects the user: {0}")]
    Refused(String),
    /// The contract authenticates users but names no form that creates them.
    #[error("callers of `{0}` are users, but it names no form that creates them: `new_caller:`")]
    NoForm(String),
    /// The random source failed.
    #[error("the operating system's random source failed: {0}")]
    Random(#[from] getrandom::Error),
    /// The password cannot be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// A thread cannot be started.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
    /// The database rejected the write.
    #[error(transparent)]
    Store(#[from] CreateError),
}

/// Creates a credential. Returns the token or password, which is stored only as a hash.
///
/// # Errors
/// Returns a [`CredentialError`].
pub async fn create(store: &Store, new: NewCredential<'_>) -> Result<Secret, CredentialError> {
    let is_user =
        |contract: &&Contract| contract.authentication.schemes.first() == Some(&Scheme::Basic);
    match new.contract.filter(is_user) {
        Some(contract) => create_user(store, contract, new).await,
        None => create_token(store, new).await,
    }
}

/// Checks the attributes of a token against those that its contract reads.
fn check_attributes(contract: &Contract, attributes: &Value<'_>) -> Result<(), CredentialError> {
    let Value::Object(entries) = attributes else { return Ok(()) };
    let known = &contract.authentication.attributes;
    let name = contract.name.to_string();
    if let Some((unknown, _)) =
        entries.iter().find(|(name, _)| !known.iter().any(|k| **k == **name))
    {
        let all: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
        let expected = if all.is_empty() { "none".to_owned() } else { all.join(", ") };
        let unknown = unknown.to_string();
        return Err(CredentialError::UnknownAttribute { contract: name, name: unknown, expected });
    }
    match contract.missing_attribute(attributes).filter(|_| !entries.is_empty()) {
        Some(lacking) => {
            Err(CredentialError::MissingAttribute { contract: name, name: lacking.to_owned() })
        }
        None => Ok(()),
    }
}

async fn create_token(store: &Store, new: NewCredential<'_>) -> Result<Secret, CredentialError> {
    let token = token::generate()?;
    let attributes = new
        .attributes
        .iter()
        .map(|(name, text)| (name.as_str().into(), Value::String(text.as_str().into())));
    let attributes = Value::Object(attributes.collect());
    if let Some(contract) = new.contract {
        check_attributes(contract, &attributes)?;
    }
    let attributes = serde_json::to_string(&attributes).unwrap_or_default();
    let row = NewToken {
        name: new.name.to_owned(),
        hash: token::hash(token.reveal()),
        expires_at: new.limits.seconds.map(|seconds| now().saturating_add(seconds * 1_000_000)),
        scopes: new.limits.scopes.map(json_array),
        forms: new.limits.forms.map(json_array),
        user_id: None,
        contract: new.contract.map(|contract| contract.name.to_string()),
        parent_id: None,
        attributes: (!new.attributes.is_empty()).then_some(attributes),
        request_id: None,
    };
    match store.issue_token(row).await {
        Ok(_) => Ok(token),
        Err(WriteError::Conflict | WriteError::NotFound) => Err(CredentialError::NameTaken),
        Err(WriteError::Create(error)) => Err(error.into()),
    }
}

/// Returns a JSON array of names.
fn json_array(names: &[String]) -> String {
    serde_json::to_string(names).unwrap_or_default()
}

async fn create_user(
    store: &Store,
    contract: &Contract,
    new: NewCredential<'_>,
) -> Result<Secret, CredentialError> {
    let no_form = || CredentialError::NoForm(contract.name.to_string());
    let form = contract.authentication.new_caller.as_ref().ok_or_else(no_form)?;
    let password = Secret::new(token::random_string(token::BASE62, PASSWORD_LEN)?);
    let submission = || {
        let text = |text: &str| Value::String(text.to_owned().into());
        let entries = [("email", text(new.name)), ("password", text(password.reveal()))];
        Value::Object(entries.map(|(name, value)| (name.into(), value)).into())
    };
    let eval_context = EvalContext { now: Timestamp::now(), ..EvalContext::default() };
    let refused_by = |violations: &Violations| {
        let all = violations.list.iter();
        let all = all.map(|violation| format!("{} {}", violation.path, violation.text()));
        CredentialError::Refused(all.collect::<Vec<_>>().join("; "))
    };
    let mut aggregate =
        form.apply(submission(), &eval_context).map_err(|refused| refused_by(&refused))?;
    if let NewEntity::User(user) = &mut aggregate.entity {
        user.password = None;
    }
    let hashes = PasswordPool::start(1, 1, new.cost)?;
    let record = CreateRequest {
        aggregate,
        default_owner: None,
        password_hash: Some(hashes.hash(password.clone()).await?),
        form_name: form.name.clone(),
        form_version: form.version.clone(),
        actor: Actor::default(),
        idempotency_key: None,
        hides_conflicts: false,
    };
    match store.create(record).await {
        Ok(_) => Ok(password),
        Err(CreateError::Refused(refusals)) => {
            let refused = group_refusals(&refusals);
            Err(refused_by(&form.explain_refusals(submission(), None, &eval_context, &refused)))
        }
        Err(error) => Err(error.into()),
    }
}
