//! How often tests try what must hold every time: as often as CI has time for, or as often as is
//! promised.

use std::env;

/// When this is `1`, tests run at their full length.
pub const LONG: &str = "REGISTRAR_LONG";

/// How often to try: the one number, or with [`LONG`] the other.
#[must_use]
pub fn times(short: usize, long: usize) -> usize {
    if is_long() { long } else { short }
}

/// Whether tests run at their full length.
#[must_use]
pub fn is_long() -> bool {
    env::var(LONG).is_ok_and(|value| value == "1")
}
