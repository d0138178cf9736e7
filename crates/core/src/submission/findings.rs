//! Collects the results of validating one submission: violations, and the claims and references
//! that only the database can check.

use crate::eval_error::EvalError;
use std::collections::HashSet;
use std::sync::Arc;

use super::path::Path;
use super::record_cursor::RecordCursor;
use crate::aggregate::{Claim, NewClaim, Reference};
use crate::eval_context::EvalContext;
use crate::locale::Locales;
use crate::messages::MessageOverride;
use crate::messages::{Message, Params};
use crate::violation::{Violation, Violations};

/// Maximum length of a submitted key in a response, in characters.
const MAX_KEY_CHARS: usize = 64;
/// Maximum number of claims for which a linear search is faster than hashing.
const MAX_LINEAR_SEARCH: usize = 16;
/// Number of steps that `schema` rules may take per submission, in addition to those that each
/// value gets by its size: it lets small values be validated by large schemas.
pub(crate) const SCHEMA_STEP_BUDGET: u64 = 200_000;

/// Collector that the rules write to.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) eval_context: EvalContext,
    pub(crate) violations: Violations,
    /// Ids of the rules that were broken; collected only if it is `Some`.
    pub(crate) broken_rules: Option<HashSet<usize>>,
    /// Why `default_payload` could not be computed.
    pub(crate) failure: Option<EvalError>,
    pub(crate) claims: Vec<NewClaim>,
    /// The record that is being validated.
    pub(crate) record: RecordCursor,
    pub(crate) references: Vec<Reference>,
    /// Violations to report if the database refuses, one per claim and reference. Collected only
    /// after a refusal, so that the success path renders no paths.
    pub(crate) explanations: Option<Explanations>,
    /// Whether a single value is validated, without a submission.
    pub(crate) is_standalone: bool,
    /// If true, violations are not recorded; claims are collected as already held by the user.
    pub(crate) claims_only: bool,
    /// Claims made so far, if `claims_only` was set or they are too many for a linear search.
    pub(crate) seen_claims: HashSet<Claim>,
    /// Remaining part of [`SCHEMA_STEP_BUDGET`].
    pub(crate) schema_steps: u64,
    /// The form's locales, if one of their messages interpolates submitted values.
    value_locales: Option<Arc<Locales>>,
}

/// Violations to report if the database refuses a claim or a reference, each with the id of its
/// rule.
#[derive(Debug, Default)]
pub(crate) struct Explanations {
    pub(crate) claims: Vec<(Option<usize>, Violation)>,
    pub(crate) references: Vec<(Option<usize>, Violation)>,
}

/// Violation whose path is not rendered yet.
#[derive(Debug, Clone)]
pub(crate) struct PendingViolation<'p> {
    pub(crate) path: Path<'p>,
    pub(crate) message: &'static Message,
    /// Id of the broken rule.
    pub(crate) rule: Option<usize>,
    /// Code that the form gives in place of the message's.
    pub(crate) code: Option<Arc<str>>,
    pub(crate) message_override: Option<MessageOverride>,
    pub(crate) params: Params,
}

impl<'p> PendingViolation<'p> {
    /// Creates a violation with a built-in message and no rule.
    pub(crate) fn of(path: Path<'p>, message: &'static Message, params: Params) -> Self {
        Self { path, message, rule: None, code: None, message_override: None, params }
    }

    pub(crate) fn into_violation(self) -> Violation {
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
    /// Creates an empty collector for a submission to `form`.
    pub(crate) fn new(form: Arc<str>, locales: &Arc<Locales>, eval_context: EvalContext) -> Self {
        let violations = Violations { form: Some(form), ..Violations::default() };
        let showing = locales.uses_values().then(|| locales.clone());
        Self {
            eval_context,
            violations,
            value_locales: showing,
            schema_steps: SCHEMA_STEP_BUDGET,
            ..Self::default()
        }
    }

    /// Returns whether a locale's message for this path and code interpolates the submitted value.
    pub(crate) fn uses_value(&self, path: &Path<'_>, code: &str) -> bool {
        let (Some(locales), Some(form)) = (&self.value_locales, &self.violations.form) else {
            return false;
        };
        locales.uses_value(form, &path.dotted(), code)
    }

    /// Takes out what only the database can decide.
    pub(crate) fn take_database_checks(&mut self) -> (Vec<NewClaim>, Vec<Reference>) {
        (std::mem::take(&mut self.claims), std::mem::take(&mut self.references))
    }

    /// Adds a violation.
    pub(crate) fn add_violation(&mut self, pending: PendingViolation<'_>) {
        if self.claims_only {
            return;
        }
        if let Some(broken_rules) = &mut self.broken_rules {
            broken_rules.extend(pending.rule);
        }
        if self.violations.is_full() {
            self.violations.truncated = true;
        } else {
            self.violations.add(pending.into_violation());
        }
    }

    /// Claims a value for this user alone. The same claim twice in one submission is a violation
    /// already.
    pub(crate) fn claim(&mut self, claim: Claim, path: &Arc<str>, pending: PendingViolation<'_>) {
        let is_first = self.is_first(&claim);
        if self.claims_only {
            return;
        }
        if !is_first {
            return self.add_violation(pending);
        }
        if let Some(explanations) = &mut self.explanations {
            explanations.claims.push((pending.rule, pending.into_violation()));
        }
        self.claims.push(NewClaim { claim, holder: self.record.holder(), path: path.clone() });
    }

    /// Returns whether this submission has not made the claim before. While there are few claims it
    /// searches `claims`, to which the caller adds; otherwise it adds the claim to `seen_claims`.
    fn is_first(&mut self, claim: &Claim) -> bool {
        if self.seen_claims.is_empty() && !self.claims_only && self.claims.len() < MAX_LINEAR_SEARCH
        {
            return !self.claims.iter().any(|made| made.claim == *claim);
        }
        if self.seen_claims.is_empty() {
            self.seen_claims.extend(self.claims.iter().map(|made| made.claim.clone()));
        }
        self.seen_claims.insert(claim.clone())
    }

    /// Adds a reference to a row that must exist.
    pub(crate) fn add_reference(&mut self, reference: Reference, pending: PendingViolation<'_>) {
        if self.claims_only {
            return;
        }
        if let Some(explanations) = &mut self.explanations {
            explanations.references.push((pending.rule, pending.into_violation()));
        }
        self.references.push(reference);
    }
}

/// Returns a submitted key, truncated for use in a response.
pub fn shortened(key: &str) -> String {
    shortened_to(key, MAX_KEY_CHARS)
}

/// Returns a string truncated to `max_chars` characters, with an ellipsis if it was longer.
pub(crate) fn shortened_to(text: &str, max_chars: usize) -> String {
    match text.char_indices().nth(max_chars) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
