//! Contracts of vendors' APIs on top of the form engine: routes, authentication, field names and
//! response bodies as configuration, the decoding of request bodies, and the OpenAPI document.
//!
//! This crate does no IO. A [`Configuration`] is compiled from files that the caller has read.

mod configuration;
mod contract;
pub mod decode;
mod openapi;

pub use configuration::Configuration;
pub use contract::*;
