//! What holds of any input of the decoders, keys, tokens and configuration, as functions that take
//! bytes and panic where it does not hold. The fuzzer calls them with what it thinks up
//! (`fuzz/`), the tests with what it found worth keeping (`corpus/`).

#![expect(clippy::unwrap_used, clippy::panic, reason = "panicking is how a target tells")]

mod brackets;
mod configuration;
mod email_key;
mod json;
mod multipart;
mod pairs;
mod token;

pub use brackets::brackets;
pub use configuration::{contracts, forms};
pub use email_key::email_key;
pub use json::json;
pub use multipart::multipart;
pub use token::token;

/// A property of any bytes; it panics where they break it.
pub type Target = fn(&[u8]);

/// All of them, with their names in `corpus/` and `fuzz/`.
pub const TARGETS: [(&str, Target); 7] = [
    ("brackets", brackets),
    ("contracts", contracts),
    ("email_key", email_key),
    ("forms", forms),
    ("json", json),
    ("multipart", multipart),
    ("token", token),
];
