//! The runner.

pub mod http;
