//! Who asks. Decided before the body is read.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, web};
use registrar_store::{ReadError, Store, TokenWithRoot};

use crate::answer::Fault;
use crate::app::AppState;
use crate::limits::{Asking, in_time};
use crate::permissions::Permissions;
use crate::token;

/// How long a token that was found valid need not be looked up again to validate a submission. To
/// store one it always is: in the transaction that stores it.
const REMEMBERED: Duration = Duration::from_secs(1);
/// How many tokens are remembered.
const MOST: usize = 10_000;

/// Returns what the bearer of the request's token may do on Registrar's own routes. The token is
/// looked up now, not remembered.
///
/// # Errors
/// 401 where the token is missing or not valid, 429 where it makes too many requests.
pub(crate) async fn permissions(
    request: &HttpRequest,
    state: &AppState,
) -> Result<Permissions, Fault> {
    let hash = token::hash(spelled(request)?);
    let found = load(state, move |store| valid_token(store, &hash)).await?;
    let caller = found.filter(|caller| caller.is_good_for(None)).ok_or_else(invalid)?;
    state.rates.count(Asking::Token(caller.root_id), request)?;
    Ok(caller.permissions)
}

/// Reads for whoever was let in already, away from the threads that answer.
pub(crate) async fn load<T: Send + 'static>(
    state: &AppState,
    work: impl FnOnce(&Store) -> Result<T, ReadError> + Send + 'static,
) -> Result<T, Fault> {
    let store = state.store.clone();
    let done = in_time(&state.settings, web::block(move || work(&store))).await?;
    done.unwrap_or(Err(ReadError::Failed)).map_err(|error| not_read(&error))
}

/// Tokens that were valid a moment ago.
#[derive(Debug, Default)]
pub(crate) struct KnownTokens(RwLock<HashMap<[u8; 32], Known>>);

#[derive(Debug)]
struct Known {
    caller: Caller,
    until: Instant,
}

/// A token that is valid, by what the rest needs to know of it.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) id: i64,
    /// The token that the operator made and this one was issued by, directly or not; its own id where
    /// the operator made it. Rates are counted by it.
    pub(crate) root_id: i64,
    /// The name that its operator gave it.
    pub(crate) name: Arc<str>,
    /// The only contract that it is good for.
    pub(crate) contract: Option<Arc<str>>,
    /// Whether it was made by a contract's API.
    pub(crate) is_minted: bool,
    /// The user who signed in for it.
    pub(crate) user_id: Option<i64>,
    /// What its operator noted of it, a JSON object.
    pub(crate) attributes: Option<Arc<str>>,
    /// What it may do.
    pub(crate) permissions: Permissions,
}

impl Caller {
    /// Whether the token is good for a contract, or for the native routes.
    pub(crate) fn is_good_for(&self, contract: Option<&str>) -> bool {
        self.contract.is_none() || self.contract.as_deref() == contract
    }
}

impl KnownTokens {
    /// Gives whose a token is. One that was valid a moment ago is let through: the writing
    /// transaction judges it again.
    pub(crate) async fn remembered(&self, token: &str, state: &AppState) -> Result<Caller, Fault> {
        let hash = token::hash(token);
        let known = {
            let tokens = self.0.read().unwrap_or_else(PoisonError::into_inner);
            tokens.get(&hash).map(|known| (known.caller.clone(), known.until))
        };
        if let Some((caller, until)) = known
            && (until > Instant::now() || !self.claim_renewal(&hash))
        {
            return Ok(caller);
        }
        let found = load(state, move |store| valid_token(store, &hash)).await;
        let found = found.and_then(|found| found.ok_or_else(invalid));
        let mut tokens = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match found {
            Ok(caller) => {
                if tokens.len() >= MOST {
                    tokens.clear();
                }
                let until = Instant::now() + REMEMBERED;
                tokens.insert(hash, Known { caller: caller.clone(), until });
                Ok(caller)
            }
            Err(fault) => {
                tokens.remove(&hash);
                Err(fault)
            }
        }
    }

    /// Forgets all: one of them was refused.
    pub(crate) fn forget(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Whether the caller is the one to look a token up again; the others go on meanwhile.
    fn claim_renewal(&self, hash: &[u8; 32]) -> bool {
        let now = Instant::now();
        let mut tokens = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match tokens.get_mut(hash) {
            Some(known) if known.until > now => false,
            Some(known) => {
                known.until = now + REMEMBERED;
                true
            }
            None => true,
        }
    }
}

/// What a client is told whose token does not count.
pub(crate) fn invalid() -> Fault {
    unauthorized("invalid_token", "the token is not valid: unknown, revoked or expired")
}

/// What a client is told who shows none.
pub(crate) fn missing() -> Fault {
    unauthorized("missing_token", "a token is needed: send `Authorization: Token token=…`")
}

/// The token that the request bears, where it can be one.
fn spelled(request: &HttpRequest) -> Result<&str, Fault> {
    let Some(header) = request.headers().get(header::AUTHORIZATION) else {
        return Err(missing());
    };
    let token = header.to_str().ok().and_then(token_of).ok_or_else(invalid)?;
    well_formed(token)
}

/// The token, where it can be one: a slip of the finger is told from a stranger without asking the
/// database.
pub(crate) fn well_formed(token: &str) -> Result<&str, Fault> {
    if token::is_well_formed(token) { Ok(token) } else { Err(invalid()) }
}

/// The token of this hash, where it is valid now.
pub(crate) fn valid_token(store: &Store, hash: &[u8; 32]) -> Result<Option<Caller>, ReadError> {
    let Some(TokenWithRoot { token, root_id }) = store.token(hash)? else { return Ok(None) };
    let has_ended = token.expires_at.is_some_and(|expires_at| expires_at <= now());
    if token.revoked_at.is_some() || has_ended {
        return Ok(None);
    }
    store.record_token_use(token.id);
    Ok(Some(Caller {
        permissions: Permissions::of_token(&token),
        id: token.id,
        root_id,
        name: token.name.into(),
        contract: token.contract.map(Arc::from),
        is_minted: token.parent_id.is_some() || token.user_id.is_some(),
        user_id: token.user_id,
        attributes: token.attributes.map(Arc::from),
    }))
}

fn not_read(error: &ReadError) -> Fault {
    match error {
        ReadError::Unavailable => Fault::busy("unavailable", error.to_string(), 1),
        ReadError::Failed => {
            Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server failed")
        }
    }
}

fn unauthorized(code: &'static str, message: &str) -> Fault {
    let challenge = HeaderValue::from_static("Token realm=\"Application\"");
    Fault::new(StatusCode::UNAUTHORIZED, code, message)
        .with_header(header::WWW_AUTHENTICATE, challenge)
}

/// The token in `Token token=…`, `Token token="…"`, `Token …` or `Bearer …`, as Rails reads it.
/// Source: Action Controller, `HttpAuthentication::Token`.
fn token_of(header: &str) -> Option<&str> {
    let (scheme, rest) = header.trim().split_once([' ', '\t'])?;
    if !scheme.eq_ignore_ascii_case("token") && !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let first = rest.split([',', ';']).next()?.trim();
    let value = first.strip_prefix("token=").unwrap_or(first).trim();
    Some(value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value))
}

/// Microseconds since 1970, UTC.
pub(crate) fn now() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Caller, Permissions, token_of};

    #[test]
    fn a_token_of_a_contract_is_good_for_nothing_else() {
        let caller = |contract: Option<&str>| Caller {
            id: 1,
            root_id: 1,
            name: "app".into(),
            contract: contract.map(Into::into),
            is_minted: false,
            user_id: None,
            attributes: None,
            permissions: Permissions::of_anonymous(),
        };
        for (of, at, is_good) in [
            (None, None, true),
            (None, Some("shop"), true),
            (Some("shop"), Some("shop"), true),
            (Some("shop"), Some("desk"), false),
            (Some("shop"), None, false),
        ] {
            assert_eq!(caller(of).is_good_for(at), is_good, "{of:?} {at:?}");
        }
    }

    #[test]
    fn every_spelling_of_the_header_is_read() {
        for header in [
            "Token token=abc",
            "Token token=\"abc\"",
            "token abc",
            "Bearer abc",
            "BEARER  abc",
            "Token token=\"abc\", nonce=\"x\"",
        ] {
            assert_eq!(token_of(header), Some("abc"), "{header}");
        }
        for header in ["abc", "Basic abc", "", "Token"] {
            assert_eq!(token_of(header), None, "{header}");
        }
    }
}
