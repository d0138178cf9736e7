//! Number of iterations of randomised tests: short for CI, or full length.

use std::env;

/// Environment variable that enables full length with the value `1`.
pub const FULL_LENGTH_ENV: &str = "REGISTRAR_LONG";

/// Returns `long` if [`FULL_LENGTH_ENV`] is set, or `short`.
#[must_use]
pub fn iterations(short: usize, long: usize) -> usize {
    if is_full_length() { long } else { short }
}

/// Returns true if tests run at full length.
#[must_use]
pub fn is_full_length() -> bool {
    env::var(FULL_LENGTH_ENV).is_ok_and(|value| value == "1")
}
