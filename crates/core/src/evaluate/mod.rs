//! Evaluates a submission: shapes it into slots, validates them and assembles the aggregate.
//! Performs no IO.

mod activation;
mod assemble;
mod assemble_record;
mod existing;
mod ownership;
mod shape;
mod update;
mod validate;

use std::borrow::Cow;
use std::collections::HashSet;

pub(crate) use validate::MESSAGES;
pub use validate::validate_value;

use self::existing::Existing;
use crate::aggregate::{Aggregate, Claim, Reference};
use crate::eval_context::EvalContext;
use crate::form::Form;
use crate::submission::{Explanations, Findings, GroupSlots};
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

/// A validated submission: its slots and what validation found.
struct Evaluation<'f, 'v> {
    form: &'f Form,
    slots: GroupSlots<'v>,
    findings: Findings,
}

impl<'f, 'v> Evaluation<'f, 'v> {
    /// Shapes a submission over the existing values, applies defaults, drops inactive fields and
    /// validates the result.
    fn new(
        form: &'f Form,
        submitted: Value<'v>,
        existing: Existing<'v>,
        mut findings: Findings,
    ) -> Self {
        let mut slots = shape::shape(form, submitted, existing);
        if form.is_dynamic {
            activation::apply_defaults(form, &mut slots, &mut findings);
        }
        validate::validate(form, &slots, &mut findings);
        Self { form, slots, findings }
    }

    /// Returns the aggregate, or all violations if there are any.
    fn into_aggregate(mut self) -> Result<Aggregate, Violations> {
        let violations = std::mem::take(&mut self.findings.violations);
        if !violations.is_empty() {
            return Err(violations);
        }
        let (claims, references) = self.findings.take_database_checks();
        assemble_record::assemble(self.form, self.slots, claims, references).ok_or(violations)
    }

    /// Adds the violations that correspond to the database's refusals to `violations`, and the ids
    /// of their rules to `broken_rules`.
    fn add_refusals(
        self,
        refusals: &Refusals,
        broken_rules: &mut HashSet<usize>,
        violations: &mut Violations,
    ) {
        let explanations = self.findings.explanations.unwrap_or_default();
        for (explained, refused) in
            [(explanations.claims, &refusals.taken), (explanations.references, &refusals.missing)]
        {
            for (index, (rule, violation)) in explained.into_iter().enumerate() {
                if refused.contains(&index) {
                    broken_rules.extend(rule);
                    violations.add(violation);
                }
            }
        }
    }
}

/// Returns findings that keep the violation of each claim and reference.
fn explaining(form: &Form, context: &EvalContext) -> Findings {
    let mut findings = form.findings(context);
    findings.explanations = Some(Explanations::default());
    findings
}

impl Form {
    /// Validates a submission that creates, and returns the aggregate to store. Performs no IO:
    /// what only the database can check is in the aggregate's claims and references.
    ///
    /// For a session the result is a user with the submitted `email` and `password`.
    ///
    /// # Errors
    /// Returns an error with all violations, in the form's order, if the submission is invalid.
    pub fn apply(
        &self,
        submitted: Value<'_>,
        context: &EvalContext,
    ) -> Result<Aggregate, Violations> {
        let findings = self.findings(context);
        Evaluation::new(self, submitted, Existing::default(), findings).into_aggregate()
    }

    /// Validates a submission, over a stored user or record if there is one, and adds the ids of
    /// the broken rules to `broken_rules`.
    ///
    /// # Errors
    /// Returns an error with all violations if the submission is invalid.
    pub(crate) fn apply_traced<'v>(
        &self,
        submitted: Value<'v>,
        stored: Option<&'v Value<'v>>,
        context: &EvalContext,
        broken_rules: &mut HashSet<usize>,
    ) -> Result<Aggregate, Violations> {
        let mut findings = self.findings(context);
        findings.broken_rules = Some(std::mem::take(broken_rules));
        let existing = Existing::new(stored, stored.is_some());
        let mut evaluation = Evaluation::new(self, submitted, existing, findings);
        *broken_rules = evaluation.findings.broken_rules.take().unwrap_or_default();
        evaluation.into_aggregate()
    }

    /// Returns the claims and references of a submission, valid or not.
    #[must_use]
    pub fn database_checks(
        &self,
        submitted: Value<'_>,
        context: &EvalContext,
    ) -> (Vec<Claim>, Vec<Reference>) {
        let findings = self.findings(context);
        let mut evaluation = Evaluation::new(self, submitted, Existing::default(), findings);
        let (claims, references) = evaluation.findings.take_database_checks();
        (claims.into_iter().map(|claim| claim.claim).collect(), references)
    }

    /// Returns all violations of a submission that creates: those of the form's rules and those
    /// that correspond to the database's refusals.
    #[must_use]
    pub fn explain_all(
        &self,
        submitted: Value<'_>,
        context: &EvalContext,
        refusals: &Refusals,
    ) -> Violations {
        let findings = explaining(self, context);
        let mut evaluation = Evaluation::new(self, submitted, Existing::default(), findings);
        let mut violations = std::mem::take(&mut evaluation.findings.violations);
        evaluation.add_refusals(refusals, &mut HashSet::new(), &mut violations);
        violations
    }

    /// Returns the violations that correspond to the database's refusals. All arguments must be
    /// those with which the submission was accepted: it is validated again, because the success
    /// path keeps no paths.
    #[must_use]
    pub fn explain_refusals<'v>(
        &self,
        submitted: Value<'v>,
        stored: Option<&'v Value<'v>>,
        context: &EvalContext,
        refusals: &Refusals,
    ) -> Violations {
        let traced = (refusals, &mut HashSet::new());
        self.explain_refusals_traced(submitted, stored, context, traced)
    }

    /// Returns the violations that correspond to the database's refusals, and adds the ids of the
    /// broken rules to the set.
    pub(crate) fn explain_refusals_traced<'v>(
        &self,
        submitted: Value<'v>,
        stored: Option<&'v Value<'v>>,
        context: &EvalContext,
        (refusals, broken_rules): (&Refusals, &mut HashSet<usize>),
    ) -> Violations {
        let existing = Existing::new(stored, stored.is_some());
        let evaluation = Evaluation::new(self, submitted, existing, explaining(self, context));
        let mut violations = Violations { form: Some(self.name.clone()), ..Violations::default() };
        evaluation.add_refusals(refusals, broken_rules, &mut violations);
        if refusals.ownerless {
            violations.add(ownership::missing_owner(&self.root));
        }
        violations
    }

    /// Returns the uniqueness claim on a string at a path such as `properties.username`, or `None`
    /// if the form has no `unique` rule without scope and conditions there.
    #[must_use]
    pub fn claim_of(&self, path: &str, text: &str) -> Option<Claim> {
        let mut value = Value::String(Cow::Borrowed(text));
        for part in path.rsplit('.') {
            value = Value::Object(vec![(Cow::Borrowed(part), value)]);
        }
        let (claims, _) = self.database_checks(value, &EvalContext::default());
        let scope = format!("user.{path}");
        claims.into_iter().find(|claim| {
            let rest = claim.scope.strip_prefix(&scope);
            rest.is_some_and(|rest| rest.is_empty() || rest == "~case")
        })
    }

    /// Returns whether the form has a `unique` rule without scope and conditions at a path.
    pub fn is_unique(&self, path: &str) -> bool {
        self.claim_of(path, "a").is_some()
    }

    /// Returns empty findings of a submission.
    fn findings(&self, context: &EvalContext) -> Findings {
        Findings::new(self.name.clone(), &self.locales, context.clone())
    }
}
