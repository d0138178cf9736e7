//! The way of one submission: shape, judge, assemble. No IO here.

mod activity;
mod assemble;
mod json;
mod judge;
mod outcome;
mod path;
mod shape;
mod slot;

pub(crate) use json::canonical_json;
pub(crate) use judge::judge_alone;
pub(crate) use outcome::{Outcome, Saying, shortened};
pub(crate) use path::Path;
pub(crate) use slot::{GroupSlots, Item, Scope, Sibling, Slot};

use crate::aggregate::NewUser;
use crate::form::Form;
use crate::surroundings::Surroundings;
use crate::value::Value;
use crate::violation::Violations;

/// What the database refused of an aggregate: places in its claims and references.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Refusals {
    /// Claims that somebody else holds.
    pub taken: Vec<usize>,
    /// References to rows that are not there.
    pub missing: Vec<usize>,
}

/// Shapes, judges and assembles.
pub(crate) fn apply(
    form: &Form,
    submitted: Value<'_>,
    surroundings: &Surroundings,
) -> Result<NewUser, Violations> {
    let mut outcome = Outcome::new(surroundings.clone());
    let slots = prepare(form, submitted, surroundings, &mut outcome);
    judge::judge(form, &slots, &mut outcome);
    if outcome.violations.is_empty() {
        Ok(assemble::assemble(form, slots, outcome))
    } else {
        Err(outcome.violations)
    }
}

/// Lays the submission out and completes it: all but the judging.
fn prepare<'v>(
    form: &Form,
    submitted: Value<'v>,
    surroundings: &Surroundings,
    outcome: &mut Outcome,
) -> GroupSlots<'v> {
    let mut slots = shape::shape(form, submitted);
    if form.is_active {
        activity::complete(form, &mut slots, surroundings, outcome);
    }
    slots
}

/// The violations that the database's refusals are.
pub(crate) fn explain(
    form: &Form,
    submitted: Value<'_>,
    surroundings: &Surroundings,
    refusals: &Refusals,
) -> Violations {
    let mut outcome = Outcome::new(surroundings.clone());
    outcome.explanations = Some(outcome::Explanations::default());
    let slots = prepare(form, submitted, surroundings, &mut outcome);
    judge::judge(form, &slots, &mut outcome);
    let explanations = outcome.explanations.unwrap_or_default();
    let mut violations = Violations::default();
    for (place, violation) in explanations.claims.into_iter().enumerate() {
        if refusals.taken.contains(&place) {
            violations.add(violation);
        }
    }
    for (place, violation) in explanations.references.into_iter().enumerate() {
        if refusals.missing.contains(&place) {
            violations.add(violation);
        }
    }
    violations
}
