//! Who asks. Decided before the body is read.

use std::time::{SystemTime, UNIX_EPOCH};

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, web};
use registrar_store::ReadError;

use crate::answer::Fault;
use crate::app::AppState;
use crate::token;

/// Lets the request through where it bears a token that is known, not revoked and not expired.
pub(crate) async fn authenticate(request: &HttpRequest, state: &AppState) -> Result<(), Fault> {
    let Some(header) = request.headers().get(header::AUTHORIZATION) else {
        return Err(unauthorized(
            "missing_token",
            "a token is needed: send `Authorization: Token token=…`",
        ));
    };
    let invalid =
        || unauthorized("invalid_token", "the token is not valid: unknown, revoked or expired");
    let token = header.to_str().ok().and_then(token_of).ok_or_else(invalid)?;
    // A slip of the finger is told from a stranger without asking the database.
    if !token::is_well_formed(token) {
        return Err(invalid());
    }
    let (hash, store) = (token::hash(token), state.store.clone());
    let found = web::block(move || store.token(&hash)).await;
    let found = found.unwrap_or(Err(ReadError::Failed)).map_err(|error| match error {
        ReadError::Unavailable => Fault::busy("unavailable", error.to_string(), 1),
        ReadError::Failed => {
            Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server failed")
        }
    })?;
    let is_valid = found.is_some_and(|token| {
        token.revoked_at.is_none() && token.expires_at.is_none_or(|expires_at| expires_at > now())
    });
    if is_valid { Ok(()) } else { Err(invalid()) }
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
fn now() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::token_of;

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
