//! The way of one submission: shape, judge, assemble. No IO here.

mod activation;
mod assemble;
mod assemble_record;
mod canonical_json;
mod existing;
mod findings;
mod ownership;
mod path;
mod shape;
mod slot;
mod update;
mod validate;

use std::collections::HashSet;

pub(crate) use canonical_json::{canonical_json, stored_json};
pub(crate) use findings::{Findings, PendingViolation, shortened, shortened_to};
pub(crate) use path::Path;
pub(crate) use slot::{GroupSlots, ListItem, SiblingRef, SiblingScope, Slot};
pub(crate) use update::update;
pub(crate) use validate::{MESSAGES, validate_value};

use self::existing::Existing;
use crate::aggregate::{Claim, NewUser, Reference};
use crate::eval_context::EvalContext;
use crate::form::Form;
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
    surroundings: &EvalContext,
) -> Result<NewUser, Violations> {
    validate_and_assemble(
        form,
        submitted,
        Existing::default(),
        &mut Findings::new(form, surroundings.clone()),
    )
}

/// The same, or what it comes to over a stored user, noting which rules are broken.
pub(crate) fn apply_traced<'v>(
    form: &Form,
    submitted: Value<'v>,
    stored: Option<&'v Value<'v>>,
    surroundings: &EvalContext,
    tripped: &mut HashSet<usize>,
) -> Result<NewUser, Violations> {
    let mut outcome = Findings::new(form, surroundings.clone());
    outcome.broken_rules = Some(std::mem::take(tripped));
    let stored = Existing::new(stored, stored.is_some());
    let decided = validate_and_assemble(form, submitted, stored, &mut outcome);
    *tripped = outcome.broken_rules.unwrap_or_default();
    decided
}

fn validate_and_assemble<'v>(
    form: &Form,
    submitted: Value<'v>,
    stored: Existing<'v>,
    outcome: &mut Findings,
) -> Result<NewUser, Violations> {
    let slots = lay_out(form, submitted, stored, outcome);
    validate::validate(form, &slots, outcome);
    let violations = std::mem::take(&mut outcome.violations);
    if violations.is_empty() {
        let (claims, references) = outcome.take_database_checks();
        Ok(assemble_record::assemble(form, slots, claims, references))
    } else {
        Err(violations)
    }
}

/// What the database would be asked of a submission, valid or not.
pub(crate) fn database_checks(
    form: &Form,
    submitted: Value<'_>,
    surroundings: &EvalContext,
) -> (Vec<Claim>, Vec<Reference>) {
    let mut outcome = Findings::new(form, surroundings.clone());
    let slots = lay_out(form, submitted, Existing::default(), &mut outcome);
    validate::validate(form, &slots, &mut outcome);
    outcome.take_database_checks()
}

/// All that is wrong with a submission to nobody stored.
pub(crate) fn explain_all(
    form: &Form,
    submitted: Value<'_>,
    surroundings: &EvalContext,
    refusals: &Refusals,
) -> Violations {
    let mut outcome = Findings::new(form, surroundings.clone());
    outcome.explanations = Some(findings::Explanations::default());
    let slots = lay_out(form, submitted, Existing::default(), &mut outcome);
    validate::validate(form, &slots, &mut outcome);
    let mut violations = std::mem::take(&mut outcome.violations);
    let explanations = outcome.explanations.unwrap_or_default();
    add_refusals(explanations, refusals, &mut HashSet::new(), &mut violations);
    violations
}

/// Adds the violations that the database's refusals are.
fn add_refusals(
    explanations: findings::Explanations,
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
fn lay_out<'v>(
    form: &Form,
    submitted: Value<'v>,
    stored: Existing<'v>,
    outcome: &mut Findings,
) -> GroupSlots<'v> {
    let mut slots = shape::shape(form, submitted, stored);
    if form.is_active {
        activation::apply_defaults(form, &mut slots, outcome);
    }
    slots
}

/// The violations that the database's refusals are, of what is laid over `stored` where there is
/// such a user.
pub(crate) fn explain_refusals<'v>(
    form: &Form,
    submitted: Value<'v>,
    stored: Option<&'v Value<'v>>,
    surroundings: &EvalContext,
    refusals: &Refusals,
) -> Violations {
    explain_refusals_traced(form, submitted, stored, surroundings, (refusals, &mut HashSet::new()))
}

/// The same, noting which rules are broken.
pub(crate) fn explain_refusals_traced<'v>(
    form: &Form,
    submitted: Value<'v>,
    stored: Option<&'v Value<'v>>,
    surroundings: &EvalContext,
    (refusals, tripped): (&Refusals, &mut HashSet<usize>),
) -> Violations {
    let stored = Existing::new(stored, stored.is_some());
    let mut outcome = Findings::new(form, surroundings.clone());
    outcome.explanations = Some(findings::Explanations::default());
    let slots = lay_out(form, submitted, stored, &mut outcome);
    validate::validate(form, &slots, &mut outcome);
    let explanations = outcome.explanations.unwrap_or_default();
    let mut violations = Violations { form: Some(form.name.clone()), ..Violations::default() };
    add_refusals(explanations, refusals, tripped, &mut violations);
    if refusals.ownerless {
        violations.add(ownership::missing_owner(&form.root));
    }
    violations
}
