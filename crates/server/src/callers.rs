//! Who may call, as an operator makes them: tokens, and users of contracts whose callers show a
//! name and a password.

use registrar_core::aggregate::Secret;
use registrar_core::contract::{Contract, Scheme};
use registrar_core::value::Value;
use registrar_core::violation::Violations;
use registrar_core::{Surroundings, Timestamp};
use registrar_store::{Actor, CreateError, CreateUser, NewToken, Store, WriteError};

use crate::auth;
use crate::passwords::{HashCost, HashError, HashPool};
use crate::token;

/// Letters of a password that is made.
const PASSWORD: usize = 24;
const LETTERS: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A caller to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewCaller<'n> {
    /// What it is called: of a user, the e-mail address.
    pub name: &'n str,
    /// The contract that it calls.
    pub contract: Option<&'n Contract>,
    /// What expressions of contracts see as `caller.attributes`, by name.
    pub attributes: &'n [(String, String)],
    /// What a token of theirs is limited to.
    pub limits: Limits<'n>,
    /// What a password's hash costs.
    pub cost: HashCost,
}

/// What a token is limited to; by default nothing.
#[derive(Debug, Default, Clone, Copy)]
pub struct Limits<'n> {
    /// The names of its scopes ([`crate::permissions::Scope`]).
    pub scopes: Option<&'n [String]>,
    /// The names of its forms.
    pub forms: Option<&'n [String]>,
    /// After how many seconds it ends.
    pub seconds: Option<i64>,
}

/// Why a caller is not made.
#[derive(Debug, thiserror::Error)]
pub enum CallerError {
    /// There is a token of this name.
    #[error("a token of this name exists already: choose another name")]
    NameTaken,
    /// The contract does not read an attribute of this name.
    #[error("`{contract}` reads no attribute `{name}`: expected {expected}")]
    UnknownAttribute {
        /// The contract.
        contract: String,
        /// The attribute.
        name: String,
        /// The attributes that it reads.
        expected: String,
    },
    /// An attribute is missing that the contract reads, or has no text.
    #[error(
        "the attribute `{name}` has no text: without it `{contract}` would not limit the token"
    )]
    LackingAttribute {
        /// The contract.
        contract: String,
        /// The attribute.
        name: String,
    },
    /// The contract's form for callers refuses it.
    #[error("the contract's form for its callers refuses it: {0}")]
    Refused(String),
    /// The contract lets users in, and has no form to make them by.
    #[error("callers of `{0}` are users, and it names no form to make them by: `new_caller:`")]
    NoForm(String),
    /// The operating system gives no randomness.
    #[error("no chance is to be had: {0}")]
    NoChance(#[from] getrandom::Error),
    /// The password cannot be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The system gives no thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
    /// The database.
    #[error(transparent)]
    Store(#[from] CreateError),
}

/// Makes a caller; gives the credential, which is stored nowhere.
///
/// # Errors
/// See [`CallerError`].
pub async fn create(store: &Store, new: NewCaller<'_>) -> Result<Secret, CallerError> {
    let is_user =
        |contract: &&Contract| contract.authentication.schemes.first() == Some(&Scheme::Basic);
    match new.contract.filter(is_user) {
        Some(contract) => create_user(store, contract, new).await,
        None => create_token(store, new).await,
    }
}

/// Checks the attributes of a token against those that its contract reads.
fn check_attributes(contract: &Contract, noted: &Value<'_>) -> Result<(), CallerError> {
    let Value::Object(entries) = noted else { return Ok(()) };
    let known = &contract.authentication.attributes;
    let name = contract.name.to_string();
    if let Some((unknown, _)) =
        entries.iter().find(|(name, _)| !known.iter().any(|k| **k == **name))
    {
        let all: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
        let expected = if all.is_empty() { "none".to_owned() } else { all.join(", ") };
        let unknown = unknown.to_string();
        return Err(CallerError::UnknownAttribute { contract: name, name: unknown, expected });
    }
    match contract.missing_attribute(noted).filter(|_| !entries.is_empty()) {
        Some(lacking) => {
            Err(CallerError::LackingAttribute { contract: name, name: lacking.to_owned() })
        }
        None => Ok(()),
    }
}

async fn create_token(store: &Store, new: NewCaller<'_>) -> Result<Secret, CallerError> {
    let token = token::generate()?;
    let noted = new
        .attributes
        .iter()
        .map(|(name, text)| (name.as_str().into(), Value::String(text.as_str().into())));
    let noted = Value::Object(noted.collect());
    if let Some(contract) = new.contract {
        check_attributes(contract, &noted)?;
    }
    let noted = serde_json::to_string(&noted).unwrap_or_default();
    let row = NewToken {
        name: new.name.to_owned(),
        hash: token::hash(token.reveal()),
        expires_at: new
            .limits
            .seconds
            .map(|seconds| auth::now().saturating_add(seconds * 1_000_000)),
        scopes: new.limits.scopes.map(listed),
        forms: new.limits.forms.map(listed),
        user_id: None,
        contract: new.contract.map(|contract| contract.name.to_string()),
        parent_id: None,
        attributes: (!new.attributes.is_empty()).then_some(noted),
        request_id: None,
    };
    match store.issue_token(row).await {
        Ok(_) => Ok(token),
        Err(WriteError::Conflict | WriteError::NotFound) => Err(CallerError::NameTaken),
        Err(WriteError::Create(error)) => Err(error.into()),
    }
}

/// A JSON list of names.
fn listed(names: &[String]) -> String {
    serde_json::to_string(names).unwrap_or_default()
}

async fn create_user(
    store: &Store,
    contract: &Contract,
    new: NewCaller<'_>,
) -> Result<Secret, CallerError> {
    let no_form = || CallerError::NoForm(contract.name.to_string());
    let form = contract.authentication.new_caller.as_ref().ok_or_else(no_form)?;
    let password = Secret::new(token::letters(LETTERS, PASSWORD)?);
    let submitted = || {
        let text = |text: &str| Value::String(text.to_owned().into());
        let entries = [("email", text(new.name)), ("password", text(password.reveal()))];
        Value::Object(entries.map(|(name, value)| (name.into(), value)).into())
    };
    let surroundings = EvalContext { now: Timestamp::now(), ..EvalContext::default() };
    let told = |violations: &Violations| {
        let all = violations.list.iter();
        let all = all.map(|violation| format!("{} {}", violation.path, violation.text()));
        CallerError::Refused(all.collect::<Vec<_>>().join("; "))
    };
    let mut user = form.apply(submitted(), &surroundings).map_err(|refused| told(&refused))?;
    user.password = None;
    let hashes = HashPool::start(1, 1, new.cost)?;
    let record = CreateUser {
        user,
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
            let refused = crate::refused::by_kind(&refusals);
            Err(told(&form.explain_refusals(submitted(), None, &surroundings, &refused)))
        }
        Err(error) => Err(error.into()),
    }
}
