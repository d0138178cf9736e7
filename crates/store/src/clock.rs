//! The current time.

use std::time::{SystemTime, UNIX_EPOCH};

/// Returns the microseconds since 1970 UTC, or 0 if the system clock is before that.
pub(crate) fn now() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX)
}
