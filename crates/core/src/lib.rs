//! Compiles forms from YAML and validates submissions against them.
//!
//! This crate does no IO and reads neither a clock nor a random source: the caller passes in what
//! it needs of them.
//!
//! The form of a submission is found in the [`registry::Registry`], and
//! [`form::Form::apply`] coerces and validates it. The result is an [`aggregate::Aggregate`] or all
//! [`violation::Violations`] at once.
//!
//! ```
//! use registrar_core::EvalContext;
//! use registrar_core::registry::{Registry, SourceFile};
//! use registrar_core::value::Value;
//!
//! let text = "resource: User\nfields: { email: , first_name: { validation: { presence: true } } }";
//! let file = SourceFile { file: "sign_up.yml".into(), within: "sign_up.yml".into(), text: text.into() };
//! let registry = Registry::compile(&[file]).expect("the form has no problems");
//! let form = registry.form("sign_up").expect("the form exists");
//!
//! let submission = Value::Object(vec![("email".into(), Value::String("ann".into()))]);
//! let violations = form.apply(submission, &EvalContext::default()).unwrap_err();
//! let found: Vec<(&str, &str)> =
//!     violations.list.iter().map(|violation| (&*violation.path, violation.code())).collect();
//! assert_eq!(found, [("email", "invalid"), ("first_name", "blank")]);
//! ```

pub mod aggregate;
pub mod built_ins;
pub mod canonical;
pub mod changes;
pub mod compile;
pub mod compose;
pub mod config;
pub mod decimal;
pub mod eval_context;
pub mod eval_error;
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
