//! Fuzz targets of the decoders, keys, tokens and configuration: functions that take arbitrary
//! bytes and panic if a property does not hold. The fuzzer calls them with generated input
//! (`fuzz/`), the tests with the stored inputs (`corpus/`).

#![expect(clippy::unwrap_used, clippy::panic, reason = "a target reports failure by panicking")]

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

/// A property of arbitrary bytes. Panics if it does not hold.
pub type Target = fn(&[u8]);

/// All targets, by the name of their directory in `corpus/` and `fuzz/`.
pub const TARGETS: [(&str, Target); 7] = [
    ("brackets", brackets),
    ("contracts", contracts),
    ("email_key", email_key),
    ("forms", forms),
    ("json", json),
    ("multipart", multipart),
    ("token", token),
];
