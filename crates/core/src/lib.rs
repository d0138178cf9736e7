//! Compiles forms from YAML and validates submissions against them.
//!
//! This crate does no IO and reads neither a clock nor a random source: the caller passes in what
//! it needs of them.
//!
//! A submission is decoded by [`decode`], its form is found in the [`registry::Registry`], and
//! [`form::Form::apply`] coerces and validates it. The result is an [`aggregate::NewUser`] or all
//! [`violation::Violations`] at once.

pub mod aggregate;
pub mod canonical;
pub mod changes;
mod compose;
pub mod config;
pub mod contract;
pub mod decimal;
pub mod decode;
mod eval_context;
mod evaluate;
pub mod example;
mod expression;
pub mod fields;
pub mod form;
pub mod locale;
mod openapi;
pub mod private_fields;
mod record_kind;
pub mod registry;
pub mod rules;
pub mod types;
pub mod value;
pub mod violation;
mod weight;

pub use eval_context::{EvalContext, Timestamp};
pub use evaluate::Refusals;
