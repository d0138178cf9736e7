//! Forms compiled from YAML and applied to submissions: text in, decisions out.
//!
//! This crate does no IO and knows no clock and no randomness; what it needs of them is passed in.
//!
//! The way of a submission: [`decode`] reads the body, [`registry::Registry`] finds the form,
//! [`form::Form::apply`] shapes and judges it, and out comes an [`aggregate::NewUser`] or all
//! [`violation::Violations`] at once.

pub mod aggregate;
pub mod changes;
mod compose;
pub mod config;
pub mod contract;
pub mod decimal;
pub mod decode;
pub mod example;
mod expression;
pub mod fields;
pub mod form;
pub mod keys;
pub mod locale;
mod openapi;
pub mod private_fields;
pub mod registry;
mod resources;
pub mod rules;
mod submission;
mod surroundings;
pub mod types;
pub mod value;
pub mod violation;
mod weight;

pub use submission::Refusals;
pub use surroundings::{Surroundings, Timestamp};
