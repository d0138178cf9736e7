//! `examples:` of a form: tests of the form, run by `registrar check` and by the test suite; samples of
//! valid submissions.

mod candidates;
mod coverage;
mod read;
mod run;
mod sample;

pub(crate) use read::read;

use crate::config::{Problem, ProblemCode, Problems};
use crate::eval_context::Timestamp;
use crate::form::{Example, Form};

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
                    example.location,
                    format!("the example `{}` fails: {got}", example.name),
                    format_violations(&example.expected),
                    time_hint(example, &got),
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

/// Returns a hint if an example without `now:` breaks a rule that compares with a time.
fn time_hint(example: &Example, got: &str) -> Option<String> {
    const CODES: [&str; 5] = [": is_at", ": before", ": after", ": on_or_before", ": on_or_after"];
    let is_about_time = CODES.iter().any(|code| got.contains(code));
    (is_about_time && example.eval_context.now == Timestamp::default())
        .then(|| "the time is 1970-01-01T00:00:00Z unless the example has `now:`".to_owned())
}
