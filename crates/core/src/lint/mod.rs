//! Checks over a whole configuration, once all forms are compiled.

mod locales;

pub(crate) use locales::{KnownNames, check, check_overrides};
