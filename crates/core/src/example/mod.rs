//! `examples:` of a form: tests of the form, run by `registrar check` and by the test suite.

mod coverage;
mod read;
mod run;

use std::sync::Arc;

pub(crate) use read::read;

use crate::config::{Location, Problem, ProblemCode, Problems};
use crate::eval_context::EvalContext;
use crate::form::Form;
use crate::value::Value;

/// Submission and its expected result.
#[derive(Debug)]
pub(crate) struct Example {
    /// Name, by which other examples refer to it.
    name: Arc<str>,
    form: Value<'static>,
    surroundings: EvalContext,
    /// Submissions to the same form that are assumed to be stored.
    users: Vec<Value<'static>>,
    /// Stored user or record that the submission updates.
    stored: Option<Value<'static>>,
    /// Existing relationships; if `None`, every relationship that is referenced exists.
    relationships: Option<Relationships>,
    /// Path and code of each expected violation, sorted; empty if the submission is valid.
    expected: Vec<(String, String)>,
    /// Location of the expectation.
    place: Location,
}

/// Relationships, by id or key.
#[derive(Debug, Default)]
struct Relationships {
    ids: Vec<i64>,
    /// Keys, as returned by [`canonical_text`](crate::canonical::canonical_text).
    keys: Vec<String>,
}

/// Results of running examples.
#[derive(Debug, Default)]
pub struct ExampleReport {
    /// Number of examples run.
    pub count: usize,
    /// Problems of the examples that failed.
    pub failed: Vec<Problem>,
    /// Problems of the rules that no example breaks.
    pub untested: Vec<Problem>,
}

impl Form {
    /// Runs the form's examples and adds the results to `tried`.
    pub(crate) fn try_examples(&self, tried: &mut ExampleReport) {
        let mut problems = Problems::with_files(self.file.clone(), self.files.clone());
        let mut coverage = coverage::Coverage::of(self);
        for example in &self.examples {
            tried.count += 1;
            if let Err(got) = run::run(self, example, &mut coverage) {
                problems.add(
                    ProblemCode::ExampleFailed,
                    example.place,
                    format!("the example `{}` fails: {got}", example.name),
                    format_violations(&example.expected),
                    None,
                );
            }
        }
        tried.failed.extend(problems.into_vec());
        let mut problems = Problems::with_files(self.file.clone(), self.files.clone());
        coverage.report(&self.name, &mut problems);
        tried.untested.extend(problems.into_vec());
    }
}

/// Returns violations as text: `first_name: blank, email: taken`, or `valid`.
fn format_violations(violations: &[(String, String)]) -> String {
    if violations.is_empty() {
        return "valid".to_owned();
    }
    let shown: Vec<String> =
        violations.iter().map(|(path, code)| format!("{path}: {code}")).collect();
    shown.join(", ")
}
