//! The way of one submission: shape, judge, assemble. No IO here.

mod activity;
mod assemble;
mod bag;
mod belonging;
mod json;
mod judge;
mod outcome;
mod path;
mod record_cursor;
mod shape;
mod slot;
mod stored;
mod update;

use std::collections::HashSet;

pub(crate) use json::{canonical_json, stored_json};
pub(crate) use judge::{MESSAGES, judge_alone};
pub(crate) use outcome::{Outcome, Saying, shortened, shortened_to};
pub(crate) use path::Path;
pub(crate) use slot::{GroupSlots, Item, Scope, Sibling, Slot};
pub(crate) use update::update;

use self::stored::Stored;
use crate::aggregate::{Claim, NewUser, Reference};
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
    /// Of a record: that it is nobody's, or of somebody who is not there.
    pub ownerless: bool,
}

/// Shapes, judges and assembles.
pub(crate) fn apply(
    form: &Form,
    submitted: Value<'_>,
    surroundings: &Surroundings,
) -> Result<NewUser, Violations> {
    decide(form, submitted, Stored::default(), &mut Outcome::new(form, surroundings.clone()))
}

/// The same, or what it comes to over a stored user, noting which rules are broken.
pub(crate) fn trace<'v>(
    form: &Form,
    submitted: Value<'v>,
    stored: Option<&'v Value<'v>>,
    surroundings: &Surroundings,
    tripped: &mut HashSet<usize>,
) -> Result<NewUser, Violations> {
    let mut outcome = Outcome::new(form, surroundings.clone());
    outcome.tripped = Some(std::mem::take(tripped));
    let stored = Stored::new(stored, stored.is_some());
    let decided = decide(form, submitted, stored, &mut outcome);
    *tripped = outcome.tripped.unwrap_or_default();
    decided
}

fn decide<'v>(
    form: &Form,
    submitted: Value<'v>,
    stored: Stored<'v>,
    outcome: &mut Outcome,
) -> Result<NewUser, Violations> {
    let slots = prepare(form, submitted, stored, outcome);
    judge::judge(form, &slots, outcome);
    let violations = std::mem::take(&mut outcome.violations);
    if violations.is_empty() {
        let (claims, references) = outcome.take();
        Ok(bag::assemble(form, slots, claims, references))
    } else {
        Err(violations)
    }
}

/// What the database would be asked of a submission, valid or not.
pub(crate) fn contested(
    form: &Form,
    submitted: Value<'_>,
    surroundings: &Surroundings,
) -> (Vec<Claim>, Vec<Reference>) {
    let mut outcome = Outcome::new(form, surroundings.clone());
    let slots = prepare(form, submitted, Stored::default(), &mut outcome);
    judge::judge(form, &slots, &mut outcome);
    let (claims, references) = outcome.take();
    (claims.into_iter().map(|claim| claim.claim).collect(), references)
}

/// All that is wrong with a submission to nobody stored.
pub(crate) fn explain_whole(
    form: &Form,
    submitted: Value<'_>,
    surroundings: &Surroundings,
    refusals: &Refusals,
) -> Violations {
    let mut outcome = Outcome::new(form, surroundings.clone());
    outcome.explanations = Some(outcome::Explanations::default());
    let slots = prepare(form, submitted, Stored::default(), &mut outcome);
    judge::judge(form, &slots, &mut outcome);
    let mut violations = std::mem::take(&mut outcome.violations);
    let explanations = outcome.explanations.unwrap_or_default();
    refused(explanations, refusals, &mut HashSet::new(), &mut violations);
    violations
}

/// Adds the violations that the database's refusals are.
fn refused(
    explanations: outcome::Explanations,
    refusals: &Refusals,
    tripped: &mut HashSet<usize>,
    violations: &mut Violations,
) {
    for (told, refused) in
        [(explanations.claims, &refusals.taken), (explanations.references, &refusals.missing)]
    {
        for (place, (rule, violation)) in told.into_iter().enumerate() {
            if refused.contains(&place) {
                tripped.extend(rule);
                violations.add(violation);
            }
        }
    }
}

/// Lays the submission out and completes it: all but the judging.
fn prepare<'v>(
    form: &Form,
    submitted: Value<'v>,
    stored: Stored<'v>,
    outcome: &mut Outcome,
) -> GroupSlots<'v> {
    let mut slots = shape::shape(form, submitted, stored);
    if form.is_active {
        activity::complete(form, &mut slots, outcome);
    }
    slots
}

/// The violations that the database's refusals are, of what is laid over `stored` where there is
/// such a user.
pub(crate) fn explain<'v>(
    form: &Form,
    submitted: Value<'v>,
    stored: Option<&'v Value<'v>>,
    surroundings: &Surroundings,
    refusals: &Refusals,
) -> Violations {
    trace_refusals(form, submitted, stored, surroundings, (refusals, &mut HashSet::new()))
}

/// The same, noting which rules are broken.
pub(crate) fn trace_refusals<'v>(
    form: &Form,
    submitted: Value<'v>,
    stored: Option<&'v Value<'v>>,
    surroundings: &Surroundings,
    (refusals, tripped): (&Refusals, &mut HashSet<usize>),
) -> Violations {
    let stored = Stored::new(stored, stored.is_some());
    let mut outcome = Outcome::new(form, surroundings.clone());
    outcome.explanations = Some(outcome::Explanations::default());
    let slots = prepare(form, submitted, stored, &mut outcome);
    judge::judge(form, &slots, &mut outcome);
    let explanations = outcome.explanations.unwrap_or_default();
    let mut violations = Violations { form: Some(form.name.clone()), ..Violations::default() };
    refused(explanations, refusals, tripped, &mut violations);
    if refusals.ownerless {
        violations.add(belonging::ownerless(&form.root));
    }
    violations
}
