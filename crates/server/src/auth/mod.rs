//! Authentication and authorization: tokens, passwords, principals and their permissions.

pub(crate) mod authenticator;
mod caches;
pub mod credentials;
mod password_hasher;
pub mod password_pool;
pub mod permissions;
pub(crate) mod principal;
pub(crate) mod sign_in_throttle;
pub mod token;

use std::time::{SystemTime, UNIX_EPOCH};

/// Returns the time in microseconds since 1970, UTC.
pub(crate) fn now() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX)
}
