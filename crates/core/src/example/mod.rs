//! Tests inside forms: `examples:`, run by `registrar check` and by the tests.

mod coverage;
mod read;
mod run;

use std::sync::Arc;

pub(crate) use read::read;

use crate::config::{Location, Problem, ProblemCode, Problems};
use crate::eval_context::EvalContext;
use crate::form::Form;
use crate::value::Value;

/// A submission and what must come of it.
#[derive(Debug)]
pub(crate) struct Example {
    /// What it shows.
    name: Arc<str>,
    form: Value<'static>,
    surroundings: EvalContext,
    /// Submissions to the same form that are stored already.
    users: Vec<Value<'static>>,
    /// The user that it changes.
    stored: Option<Value<'static>>,
    /// The relationships that are there; nothing where every one is that is referred to.
    relationships: Option<Relationships>,
    /// Path and code of each violation, sorted; empty where it is valid.
    expected: Vec<(String, String)>,
    /// Where that is said.
    place: Location,
}

/// Relationships, by what names them.
#[derive(Debug, Default)]
struct Relationships {
    ids: Vec<i64>,
    /// As [`crate::keys::text_key`] makes them.
    keys: Vec<String>,
}

/// What came of the examples of forms.
#[derive(Debug, Default)]
pub struct ExampleReport {
    /// How many were run.
    pub count: usize,
    /// Those that did not hold.
    pub failed: Vec<Problem>,
    /// The rules that none of them ever trips.
    pub untested: Vec<Problem>,
}

impl Form {
    /// Runs the form's examples.
    pub(crate) fn try_examples(&self, tried: &mut ExampleReport) {
        let mut problems = Problems::with_files(self.file.clone(), self.files.clone());
        let mut coverage = coverage::Coverage::of(self);
        for example in &self.examples {
            tried.count += 1;
            if let Err(got) = run::run(self, example, &mut coverage) {
                problems.add(
                    ProblemCode::ExampleFailed,
                    example.place,
                    format!("the example `{}` does not hold: {got}", example.name),
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

/// `first_name: blank, email: taken`, or `valid`.
fn format_violations(violations: &[(String, String)]) -> String {
    if violations.is_empty() {
        return "valid".to_owned();
    }
    let shown: Vec<String> =
        violations.iter().map(|(path, code)| format!("{path}: {code}")).collect();
    shown.join(", ")
}
