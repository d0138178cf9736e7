//! Forms compiled from YAML and applied to submissions: text in, decisions out.
//!
//! This crate does no IO and knows no clock and no randomness; what it needs of them is passed in.

pub mod aggregate;
pub mod decimal;
pub mod decode;
pub mod keys;
pub mod value;
