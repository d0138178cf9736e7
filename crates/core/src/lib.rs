//! Forms compiled from YAML and applied to submissions: text in, decisions out.
//!
//! This crate does no IO and knows no clock and no randomness; what it needs of them is passed in.
//!
//! The way of a submission: [`decode`] reads the body, [`registry::Registry`] finds the form,
//! [`form::Form::apply`] shapes and judges it, and out comes an [`aggregate::NewUser`] or all
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
