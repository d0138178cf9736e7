//! Compiles forms from YAML and validates submissions against them.
//!
//! This crate does no IO and reads neither a clock nor a random source: the caller passes in what
//! it needs of them.
//!
//! The form of a submission is found in the [`registry::Registry`], and
//! [`form::Form::apply`] coerces and validates it. The result is an [`aggregate::Aggregate`] or all
//! [`violation::Violations`] at once.

pub mod aggregate;
pub mod built_ins;
pub mod canonical;
pub mod changes;
pub mod compile;
pub mod compose;
pub mod config;
pub mod decimal;
pub mod eval_context;
pub mod evaluate;
pub mod example;
pub mod expression;
pub mod fields;
pub mod form;
pub mod id_format;
mod lint;
pub mod locale;
pub mod messages;
pub mod private_fields;
pub mod record_kind;
pub mod registry;
pub mod rules;
pub mod submission;
pub mod types;
pub mod value;
pub mod violation;
mod weight;

pub use eval_context::{EvalContext, Timestamp};
pub use evaluate::Refusals;
