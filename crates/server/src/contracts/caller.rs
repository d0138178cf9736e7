//! Who calls an API: whoever shows a token that is good for it, or a user with a password.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use actix_web::http::header;
use actix_web::{HttpMessage, HttpRequest};
use registrar_core::aggregate::Secret;
use registrar_core::contract::{Action, Contract, Credential, Outcome};
use registrar_core::value::Value;
use registrar_store::{Actor, UserFilter};
use sha2::{Digest, Sha256};

use super::answer::{Done, Own, failed};
use super::find;
use crate::app::AppState;
use crate::client_address::client_address;
use crate::limits::{Asking, in_time};
use crate::observe::RequestId;
use crate::passwords::Verified;
use crate::permissions::Permissions;
use crate::refused::not_hashed;
use crate::shown::stored_user;
use crate::{auth, token};

/// How long a password that was found to be somebody's need not be hashed again. Who it is, and the
/// hash it is compared with, are read for each request.
const REMEMBERED: Duration = Duration::from_secs(60);
/// How many are remembered.
const MOST: usize = 10_000;

/// The caller of a route; of an open route nobody in particular.
#[derive(Debug, Clone)]
pub(super) struct Who {
    /// The hash of the token that was shown, where it is only read with it.
    pub(super) hash: Option<[u8; 32]>,
    /// The id of the token.
    pub(super) token: Option<i64>,
    /// The token that rates are counted by.
    root_token: Option<i64>,
    /// The name of the token.
    pub(super) name: Arc<str>,
    /// Whether the token was made by the API itself.
    pub(super) is_minted: bool,
    /// The user who calls.
    pub(super) user_id: Option<i64>,
    /// What the operator noted of the token.
    attributes: Option<Arc<str>>,
    /// What the caller may do.
    pub(super) permissions: Permissions,
    /// The user who calls, as `GET` shows one.
    user: Option<Value<'static>>,
}

impl Who {
    /// Returns the caller of an open route.
    pub(super) fn anonymous() -> Self {
        Self {
            hash: None,
            token: None,
            root_token: None,
            name: Arc::default(),
            is_minted: false,
            user_id: None,
            attributes: None,
            permissions: Permissions::of_anonymous(),
            user: None,
        }
    }

    /// What expressions see of it.
    pub(super) fn shown(&self, contract: &Contract) -> Value<'static> {
        let user = self.user.clone().map(|user| contract.representation(user));
        let name = Value::String(self.name.to_string().into());
        let id = self.user_id.map(|id| Value::Number(id.to_string().into()));
        let attributes = self.attributes.as_deref().and_then(|text| {
            registrar_core::decode::json::parse(text.as_bytes()).ok().map(Value::into_owned)
        });
        Value::Object(vec![
            ("name".into(), name),
            ("user_id".into(), id.unwrap_or_default()),
            ("user".into(), user.unwrap_or_default()),
            ("attributes".into(), attributes.unwrap_or_default()),
        ])
    }
}

/// Passwords that were found to be somebody's a moment ago: digests of name, password and hash.
#[derive(Debug, Default)]
pub(crate) struct KnownPasswords(RwLock<HashMap<[u8; 32], Instant>>);

impl KnownPasswords {
    fn has(&self, digest: &[u8; 32]) -> bool {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.get(digest).is_some_and(|until| *until > Instant::now())
    }

    fn note(&self, digest: [u8; 32]) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(digest, Instant::now() + REMEMBERED);
    }
}

/// Who calls, where the contract lets them in.
pub(super) async fn caller(
    contract: &Contract,
    action: Option<&Action>,
    request: &HttpRequest,
    state: &AppState,
) -> Result<Who, Done> {
    if contract.authentication.schemes.is_empty() {
        return Ok(Who::anonymous());
    }
    let refused = |outcome| Done::Outcome(outcome, Own::new());
    let header = request.headers().get(header::AUTHORIZATION);
    // A header that is not ASCII holds no valid credential.
    let who = match contract.credential(header.map(|header| header.to_str().unwrap_or("?"))) {
        Credential::Missing => Err(refused(Outcome::MissingCredentials)),
        Credential::Unreadable => Err(refused(Outcome::InvalidCredentials)),
        Credential::Pair(name, password) => {
            by_password(contract, &name, password, (request, state)).await
        }
        Credential::Sent(token) => by_token(contract, action, token, state).await,
    };
    let who = match who {
        Ok(who) => who,
        Err(done) => {
            state.rates.count(Asking::Address(client_address(request)), request)?;
            return Err(done);
        }
    };
    let asking = who.root_token.map(Asking::Token).or(who.user_id.map(Asking::User));
    if let Some(asking) = asking {
        state.rates.count(asking, request)?;
    }
    Ok(who)
}

async fn by_token(
    contract: &Contract,
    action: Option<&Action>,
    token: &str,
    state: &AppState,
) -> Result<Who, Done> {
    let refused = || Done::Outcome(Outcome::InvalidCredentials, Own::new());
    if !contract.is_issued_credential(token) {
        auth::well_formed(token)?;
    }
    let caller = state.tokens.remembered(token, state).await?;
    let is_for_operators = action.is_some_and(|action| action.operator_only);
    if !caller.is_good_for((!is_for_operators).then_some(&*contract.name)) {
        return Err(refused());
    }
    if !has_attributes(contract, caller.attributes.as_deref()) {
        return Err(refused());
    }
    if let Some(action) = action {
        caller.permissions.allow(action.operation)?;
    }
    let user = match caller.user_id {
        Some(id) => auth::load(state, move |store| store.user(id)).await?.map(stored_user),
        None => None,
    };
    Ok(Who {
        hash: action.filter(|action| action.operation.only_reads()).map(|_| token::hash(token)),
        token: Some(caller.id),
        root_token: Some(caller.root_id),
        name: caller.name,
        is_minted: caller.is_minted,
        user_id: caller.user_id,
        attributes: caller.attributes,
        permissions: caller.permissions,
        user,
    })
}

/// Returns whether a token has all attributes that the contract declares, or none at all. A token with
/// other attributes only was meant to be limited, and conditions would not limit it.
pub(super) fn has_attributes(contract: &Contract, noted: Option<&str>) -> bool {
    if contract.authentication.attributes.is_empty() {
        return true;
    }
    noted.is_none_or(|noted| {
        let noted = registrar_core::decode::json::parse(noted.as_bytes());
        noted.is_ok_and(|noted| contract.missing_attribute(&noted).is_none())
    })
}

async fn by_password(
    contract: &Contract,
    name: &str,
    password: Secret,
    (request, state): (&HttpRequest, &AppState),
) -> Result<Who, Done> {
    let refused = || Done::Outcome(Outcome::BadCredential, Own::new());
    let sought = contract.caller_named(name).map_err(failed)?;
    let of_contract = UserFilter { form_names: contract.own_forms(), ..UserFilter::default() };
    let found = auth::load(state, move |store| {
        let Some(user) = find::one(store, &sought, of_contract)? else { return Ok(None) };
        let phc = store.credentials(user.columns.id)?;
        Ok(Some((user, phc)))
    });
    let (user, phc) = found.await?.map_or((None, None), |(user, phc)| (Some(user), phc));
    let mut digest = Sha256::new();
    for part in [name, password.reveal(), phc.as_deref().unwrap_or_default()] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    let digest: [u8; 32] = digest.finalize().into();
    let is_known = phc.is_some() && state.passwords.has(&digest);
    // A name that is not known takes as long as a wrong password.
    if !is_known {
        let address = Some(client_address(request));
        let attempt = state.guessing.begin(Some((&contract.name, name)), address)?;
        let hash = phc.clone();
        let verified = in_time(&state.settings, state.hashes.verify(password, hash)).await?;
        match (verified.map_err(not_hashed)?, &user) {
            (Verified::Right { rehashed }, Some(user)) => {
                attempt.end(true);
                if let Some((old, new)) = phc.zip(rehashed) {
                    state.store.rehash(user.columns.id, old, new);
                }
            }
            (_, user) => {
                attempt.end(false);
                if let Some(user) = user {
                    let request = request.extensions().get::<RequestId>().map(RequestId::text);
                    let by = Actor { request_id: request, ..Actor::default() };
                    state.store.record_failed_sign_in(user.columns.id, by);
                }
                return Err(refused());
            }
        }
    }
    let user = user.ok_or_else(refused)?;
    state.passwords.note(digest);
    let (id, name) = (user.columns.id, user.columns.email.clone().unwrap_or_default());
    let user = stored_user(user);
    if !contract.allows_caller(contract.representation(user.clone())).map_err(failed)? {
        return Err(refused());
    }
    let permissions = Permissions::of_user(id, contract.authentication.has_access_to_all);
    let user = Some(user);
    Ok(Who { name: name.into(), user_id: Some(id), user, permissions, ..Who::anonymous() })
}
