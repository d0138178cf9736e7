//! Runs an example as a submission, with simulated database checks.

use std::collections::HashSet;

use super::coverage::Coverage;
use super::format_violations;
use crate::aggregate::{Aggregate, Claim, ReferenceKey};
use crate::evaluate::Refusals;
use crate::form::{Example, Form};
use crate::record_kind::RecordKind;
use crate::violation::Violations;

/// Runs an example.
///
/// # Errors
/// Returns an error with the actual result if it is not the expected one.
pub(super) fn run(form: &Form, example: &Example, coverage: &mut Coverage) -> Result<(), String> {
    let mut claimed = HashSet::new();
    for (index, user) in example.users.iter().enumerate() {
        match form.apply(user.clone(), &example.eval_context) {
            Ok(aggregate) => claimed.extend(aggregate.claims.into_iter().map(|claim| claim.claim)),
            Err(violations) => {
                let got = format_violations(&reported(&violations));
                return Err(format!("stored {} {} is invalid: {got}", what(form), index + 1));
            }
        }
    }
    let (submitted, eval_context) = (example.form.clone(), &example.eval_context);
    let (stored, broken_rules) = (example.stored.as_ref(), coverage.broken_rules());
    let violations = match form.apply_traced(submitted, stored, eval_context, broken_rules) {
        Err(violations) => violations,
        Ok(aggregate) => {
            let refusals = refusals(&aggregate, &claimed, example);
            let (submitted, traced) = (example.form.clone(), (&refusals, coverage.broken_rules()));
            form.explain_refusals_traced(submitted, stored, eval_context, traced)
        }
    };
    let got = reported(&violations);
    if got == example.expected { Ok(()) } else { Err(format!("got {}", format_violations(&got))) }
}

fn what(form: &Form) -> &'static str {
    if form.resource == RecordKind::User { "user" } else { "record" }
}

fn reported(violations: &Violations) -> Vec<(String, String)> {
    let pairs = violations.list.iter();
    let mut pairs: Vec<(String, String)> =
        pairs.map(|violation| (violation.path.clone(), violation.code().to_owned())).collect();
    pairs.sort();
    pairs
}

/// Returns the claims and references that the database would refuse.
fn refusals(aggregate: &Aggregate, claimed: &HashSet<Claim>, example: &Example) -> Refusals {
    let mut refusals = Refusals::default();
    for (index, claim) in aggregate.claims.iter().enumerate() {
        if claimed.contains(&claim.claim) {
            refusals.taken.push(index);
        }
    }
    for (index, reference) in aggregate.references.iter().enumerate() {
        let is_missing = match (reference.resource, &reference.value, &example.relationships) {
            (RecordKind::Relationship, ReferenceKey::Id(id), Some(known)) => {
                !known.ids.contains(id)
            }
            (_, ReferenceKey::Key { key, .. }, Some(known)) => !known.keys.contains(key),
            // The database assigns ids from 1.
            (_, ReferenceKey::Id(id), _) => *id < 1,
            _ => false,
        };
        if is_missing {
            refusals.missing.push(index);
        }
    }
    refusals
}
