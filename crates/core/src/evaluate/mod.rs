//! Evaluates a submission: shapes it into slots, validates them and assembles the aggregate.
//! Performs no IO.

mod activation;
mod assemble;
mod assemble_record;
mod canonical_json;
mod existing;
mod findings;
mod ownership;
mod path;
mod record_cursor;
mod shape;
mod slot;
mod update;
mod validate;

use std::collections::HashSet;

pub use canonical_json::canonical_json;
pub(crate) use canonical_json::stored_json;
pub use findings::shortened;
pub(crate) use findings::{Findings, PendingViolation, shortened_to};
pub(crate) use path::Path;
pub(crate) use slot::{GroupSlots, ListItem, SiblingRef, SiblingScope, Slot};
pub(crate) use update::update;
pub(crate) use validate::MESSAGES;
pub use validate::validate_value;

use self::existing::Existing;
use crate::aggregate::{Claim, NewUser, Reference};
use crate::eval_context::EvalContext;
use crate::form::Form;
use crate::value::Value;
use crate::violation::Violations;

/// Claims and references of an aggregate that the database refused, by index.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Refusals {
    /// Claims held by another user or record.
    pub taken: Vec<usize>,
    /// References to rows that do not exist.
    pub missing: Vec<usize>,
    /// Whether the record has no owner, or one that does not exist.
    pub ownerless: bool,
}

/// Evaluates a submission that creates.
///
/// # Errors
/// Returns an error with all violations if the submission is invalid.
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

/// Evaluates a submission, over a stored user or record if there is one, and adds the ids of the
/// broken rules to `tripped`.
///
/// # Errors
/// Returns an error with all violations if the submission is invalid.
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

/// Returns the claims and references of a submission, valid or not.
pub(crate) fn database_checks(
    form: &Form,
    submitted: Value<'_>,
    surroundings: &EvalContext,
) -> (Vec<Claim>, Vec<Reference>) {
    let mut outcome = Findings::new(form, surroundings.clone());
    let slots = lay_out(form, submitted, Existing::default(), &mut outcome);
    validate::validate(form, &slots, &mut outcome);
    let (claims, references) = outcome.take_database_checks();
    (claims.into_iter().map(|claim| claim.claim).collect(), references)
}

/// Returns all violations of a submission that creates, including those of the database's refusals.
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

/// Adds the violations that correspond to the database's refusals.
fn add_refusals(
    explanations: findings::Explanations,
    refusals: &Refusals,
    tripped: &mut HashSet<usize>,
    violations: &mut Violations,
) {
    for (explained, refused) in
        [(explanations.claims, &refusals.taken), (explanations.references, &refusals.missing)]
    {
        for (place, (rule, violation)) in explained.into_iter().enumerate() {
            if refused.contains(&place) {
                tripped.extend(rule);
                violations.add(violation);
            }
        }
    }
}

/// Returns the slots of a submission, with defaults applied and inactive fields dropped.
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

/// Returns the violations that correspond to the database's refusals. `stored` is the user or
/// record that the submission updates, if any.
pub(crate) fn explain_refusals<'v>(
    form: &Form,
    submitted: Value<'v>,
    stored: Option<&'v Value<'v>>,
    surroundings: &EvalContext,
    refusals: &Refusals,
) -> Violations {
    explain_refusals_traced(form, submitted, stored, surroundings, (refusals, &mut HashSet::new()))
}

/// Returns the violations that correspond to the database's refusals, and adds the ids of the
/// broken rules to `tripped`.
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
