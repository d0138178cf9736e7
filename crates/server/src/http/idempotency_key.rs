//! The header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07), and the keys in use.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;

use crate::error::ApiError;

const HEADER: &str = "idempotency-key";
const MAX_KEY_LEN: usize = 255;

/// Digests of the keys of requests in flight.
#[derive(Debug, Default)]
pub(crate) struct InFlightKeys(Mutex<HashSet<[u8; 32]>>);

/// A key in flight; dropping it releases the key.
#[derive(Debug)]
pub(crate) struct InFlightKey<'k> {
    keys: &'k InFlightKeys,
    /// Digest of the key and its owner.
    pub(crate) digest: [u8; 32],
}

impl InFlightKeys {
    /// Acquires a key.
    ///
    /// # Errors
    /// Returns 409 if another request with this key is in flight.
    pub(crate) fn acquire(&self, digest: [u8; 32]) -> Result<InFlightKey<'_>, ApiError> {
        if self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(digest) {
            Ok(InFlightKey { keys: self, digest })
        } else {
            Err(in_flight())
        }
    }
}

impl Drop for InFlightKey<'_> {
    fn drop(&mut self) {
        self.keys.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.digest);
    }
}

/// Returns 409 for a key that another request is using.
pub(crate) fn in_flight() -> ApiError {
    let text = "a request with this Idempotency-Key is in progress: try again in a moment";
    ApiError::new(StatusCode::CONFLICT, "idempotency_in_flight", text)
        .with_header(RETRY_AFTER, 1.into())
}

/// Parses the header of a request: a quoted string (RFC 8941, section 3.3.3) or a bare one. Returns `None`
/// if it is absent.
///
/// # Errors
/// Returns 400 if the key is invalid.
pub(crate) fn parse_header(request: &HttpRequest) -> Result<Option<String>, ApiError> {
    let mut headers = request.headers().get_all(HEADER);
    let Some(header) = headers.next() else { return Ok(None) };
    let key = header.to_str().ok().and_then(|text| unquote(text.trim()));
    let key = key.filter(|key| (1..=MAX_KEY_LEN).contains(&key.len()) && headers.next().is_none());
    key.map(Some).ok_or_else(|| {
        ApiError::new(
            StatusCode::BAD_REQUEST,
            "idempotency_key_invalid",
            "the Idempotency-Key is invalid: expected one string of 1 to 255 visible characters, \
             quoted or bare",
        )
    })
}

fn unquote(text: &str) -> Option<String> {
    let is_visible = |byte: u8| (0x21..=0x7e).contains(&byte);
    let Some(quoted) = text.strip_prefix('"') else {
        return text.bytes().all(|byte| is_visible(byte) && byte != b'"').then(|| text.to_owned());
    };
    let mut key = String::new();
    let mut chars = quoted.strip_suffix('"')?.chars();
    while let Some(char) = chars.next() {
        key.push(match char {
            '\\' => chars.next().filter(|char| matches!(char, '"' | '\\'))?,
            '"' => return None,
            char => char,
        });
    }
    key.bytes().all(|byte| is_visible(byte) || byte == b' ').then_some(key)
}

#[cfg(test)]
mod tests {
    use super::unquote;

    #[test]
    fn parses_quoted_and_bare_keys() {
        let long = "8e03978e-40d5-43e8-bc93-6894a57f9324";
        for (text, key) in [
            (long, Some(long)),
            (&format!("\"{long}\"") as &str, Some(long)),
            ("\"a \\\"b\\\\\"", Some("a \"b\\")),
            ("a\"b", None),
            ("\"a", None),
            ("\"a\"b\"", None),
            ("\"a\\x\"", None),
            ("a b", None),
            ("\"", None),
        ] {
            assert_eq!(unquote(text).as_deref(), key, "{text}");
        }
    }
}
