//! Examples of a form: submissions with their expected results.

use std::sync::Arc;

use crate::config::Location;
use crate::eval_context::EvalContext;
use crate::value::Value;

/// Submission and its expected result.
#[derive(Debug)]
pub(crate) struct Example {
    /// Name, by which other examples refer to it.
    pub(crate) name: Arc<str>,
    pub(crate) form: Value<'static>,
    pub(crate) eval_context: EvalContext,
    /// Submissions to the same form that are assumed to be stored.
    pub(crate) users: Vec<Value<'static>>,
    /// Stored user or record that the submission updates.
    pub(crate) stored: Option<Value<'static>>,
    /// Existing relationships; if `None`, every relationship that is referenced exists.
    pub(crate) relationships: Option<ExampleRelationships>,
    /// Path and code of each expected violation, sorted; empty if the submission is valid.
    pub(crate) expected: Vec<(String, String)>,
    /// Location of the expectation.
    pub(crate) location: Location,
}

/// Relationships, by id or key.
#[derive(Debug, Default)]
pub(crate) struct ExampleRelationships {
    pub(crate) ids: Vec<i64>,
    /// Keys, as returned by [`canonical_text`](crate::canonical::canonical_text).
    pub(crate) keys: Vec<String>,
}
