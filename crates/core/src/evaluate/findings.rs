//! What the rules say of one submission: violations, and what only the database can decide.

use std::collections::HashSet;
use std::sync::Arc;

use super::path::Path;
use crate::aggregate::{Claim, Reference};
use crate::eval_context::EvalContext;
use crate::form::Form;
use crate::locale::{Locales, MessageOverride};
use crate::violation::{Message, Params, Violation, Violations};

/// The longest key of the client's that an answer repeats, in characters.
const MAX_KEY_CHARS: usize = 64;
/// Up to this many claims, comparing them one by one beats hashing.
const MAX_LINEAR_SEARCH: usize = 16;
/// How many steps the schemas of one submission may take, besides those that each value has by its
/// size: so that small values may be judged by large schemas.
pub(super) const SCHEMA_STEP_BUDGET: u64 = 200_000;

/// Collects while the rules run.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) surroundings: EvalContext,
    pub(crate) violations: Violations,
    /// The rules that were broken, where somebody wants to know.
    pub(crate) broken_rules: Option<HashSet<usize>>,
    /// Why the server's own payload could not be worked out.
    pub(crate) failure: Option<String>,
    pub(crate) claims: Vec<Claim>,
    pub(crate) references: Vec<Reference>,
    /// What to say if the database refuses, one for each claim and each reference. Only collected
    /// when it did: the happy path renders no path.
    pub(crate) explanations: Option<Explanations>,
    /// Whether one value is judged away from any submission.
    pub(crate) is_standalone: bool,
    /// Whether nothing is said: only claims are noted, as those that the user holds.
    pub(crate) claims_only: bool,
    /// What is claimed, where claims are muted or many.
    pub(crate) seen_claims: HashSet<Claim>,
    /// The steps that are left to schemas, besides those that each value has by its size.
    pub(crate) schema_steps: u64,
    /// The languages, where a text of theirs shows submitted values.
    value_locales: Option<Arc<Locales>>,
}

/// What to say of a claim or a reference that the database refuses, and by which rule.
#[derive(Debug, Default)]
pub(crate) struct Explanations {
    pub(crate) claims: Vec<(Option<usize>, Violation)>,
    pub(crate) references: Vec<(Option<usize>, Violation)>,
}

/// A violation to be: what to say, in whose words, where.
#[derive(Debug, Clone)]
pub(crate) struct PendingViolation<'p> {
    pub(crate) path: Path<'p>,
    pub(crate) message: &'static Message,
    /// The rule that says it.
    pub(crate) rule: Option<usize>,
    /// The form's own code.
    pub(crate) code: Option<Arc<str>>,
    pub(crate) message_override: Option<MessageOverride>,
    pub(crate) params: Params,
}

impl<'p> PendingViolation<'p> {
    /// What a message says, in its own words.
    pub(crate) fn of(path: Path<'p>, message: &'static Message, params: Params) -> Self {
        Self { path, message, rule: None, code: None, message_override: None, params }
    }

    pub(super) fn into_violation(self) -> Violation {
        let path = self.path.dotted();
        Violation {
            path: if path.is_empty() { "base".to_owned() } else { path },
            custom_code: self.code,
            pointer: self.path.pointer(),
            message: self.message,
            message_override: self.message_override,
            params: self.params,
        }
    }
}

impl Findings {
    /// Nothing said yet of a submission to a form.
    pub(crate) fn new(form: &Form, surroundings: EvalContext) -> Self {
        let violations = Violations { form: Some(form.name.clone()), ..Violations::default() };
        let showing = form.locales.uses_values().then(|| form.locales.clone());
        Self {
            surroundings,
            violations,
            value_locales: showing,
            schema_steps: SCHEMA_STEP_BUDGET,
            ..Self::default()
        }
    }

    /// Whether a text of a language shows the value of what is said there.
    pub(crate) fn uses_value(&self, path: &Path<'_>, code: &str) -> bool {
        let (Some(locales), Some(form)) = (&self.value_locales, &self.violations.form) else {
            return false;
        };
        locales.uses_value(form, &path.dotted(), code)
    }

    /// Takes out what only the database can decide.
    pub(crate) fn take_database_checks(&mut self) -> (Vec<Claim>, Vec<Reference>) {
        (std::mem::take(&mut self.claims), std::mem::take(&mut self.references))
    }

    /// Notes a violation.
    pub(crate) fn add_violation(&mut self, saying: PendingViolation<'_>) {
        if self.claims_only {
            return;
        }
        if let Some(tripped) = &mut self.broken_rules {
            tripped.extend(saying.rule);
        }
        if self.violations.is_full() {
            self.violations.truncated = true;
        } else {
            self.violations.add(saying.into_violation());
        }
    }

    /// Claims a value for this user alone. The same claim twice in one submission is a violation
    /// already.
    pub(crate) fn claim(&mut self, claim: Claim, saying: PendingViolation<'_>) {
        let is_first = self.is_first(&claim);
        if self.claims_only {
            return;
        }
        if !is_first {
            return self.add_violation(saying);
        }
        if let Some(explanations) = &mut self.explanations {
            explanations.claims.push((saying.rule, saying.into_violation()));
        }
        self.claims.push(claim);
    }

    /// Whether nothing in this submission claimed the same before. Notes that it is claimed now:
    /// among the claims themselves while those are few and all that there is.
    fn is_first(&mut self, claim: &Claim) -> bool {
        if self.seen_claims.is_empty() && !self.claims_only && self.claims.len() < MAX_LINEAR_SEARCH
        {
            return !self.claims.contains(claim);
        }
        if self.seen_claims.is_empty() {
            self.seen_claims.extend(self.claims.iter().cloned());
        }
        self.seen_claims.insert(claim.clone())
    }

    /// Asks for a row to exist.
    pub(crate) fn add_reference(&mut self, reference: Reference, saying: PendingViolation<'_>) {
        if self.claims_only {
            return;
        }
        if let Some(explanations) = &mut self.explanations {
            explanations.references.push((saying.rule, saying.into_violation()));
        }
        self.references.push(reference);
    }
}

/// A key of the client's, fit to be repeated to it.
pub(crate) fn shortened(key: &str) -> String {
    shortened_to(key, MAX_KEY_CHARS)
}

/// A text cut at so many characters.
pub(crate) fn shortened_to(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
