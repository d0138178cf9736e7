//! What the rules say of one submission: violations, and what only the database can decide.

use std::collections::HashSet;
use std::sync::Arc;

use super::path::Path;
use super::record_cursor::RecordCursor;
use crate::aggregate::{Claim, NewClaim, Reference};
use crate::form::Form;
use crate::locale::{Locales, OwnText};
use crate::surroundings::Surroundings;
use crate::violation::{Message, Params, Violation, Violations};

/// The longest key of the client's that an answer repeats, in characters.
const LONGEST_KEY: usize = 64;
/// Up to this many claims, comparing them one by one beats hashing.
const FEW: usize = 16;
/// How many steps the schemas of one submission may take, besides those that each value has by its
/// size: so that small values may be judged by large schemas.
pub(super) const SCHEMA_STEPS: u64 = 200_000;

/// Collects while the rules run.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) surroundings: Surroundings,
    pub(crate) violations: Violations,
    /// The rules that were broken, where somebody wants to know.
    pub(crate) tripped: Option<HashSet<usize>>,
    /// Why the server's own payload could not be worked out.
    pub(crate) failure: Option<String>,
    pub(crate) claims: Vec<NewClaim>,
    /// The record that is being validated.
    pub(crate) record: RecordCursor,
    pub(crate) references: Vec<Reference>,
    /// What to say if the database refuses, one for each claim and each reference. Only collected
    /// when it did: the happy path renders no path.
    pub(crate) explanations: Option<Explanations>,
    /// Whether one value is judged away from any submission.
    pub(crate) is_alone: bool,
    /// Whether nothing is said: only claims are noted, as those that the user holds.
    pub(crate) is_muted: bool,
    /// What is claimed, where claims are muted or many.
    pub(crate) claimed: HashSet<Claim>,
    /// The steps that are left to schemas, besides those that each value has by its size.
    pub(crate) schema_steps: u64,
    /// The languages, where a text of theirs shows submitted values.
    showing: Option<Arc<Locales>>,
}

/// What to say of a claim or a reference that the database refuses, and by which rule.
#[derive(Debug, Default)]
pub(crate) struct Explanations {
    pub(crate) claims: Vec<(Option<usize>, Violation)>,
    pub(crate) references: Vec<(Option<usize>, Violation)>,
}

/// A violation to be: what to say, in whose words, where.
#[derive(Debug, Clone)]
pub(crate) struct Saying<'p> {
    pub(crate) path: Path<'p>,
    pub(crate) message: &'static Message,
    /// The rule that says it.
    pub(crate) rule: Option<usize>,
    /// The form's own code.
    pub(crate) code: Option<Arc<str>>,
    pub(crate) own_text: Option<OwnText>,
    pub(crate) params: Params,
}

impl<'p> Saying<'p> {
    /// What a message says, in its own words.
    pub(crate) fn of(path: Path<'p>, message: &'static Message, params: Params) -> Self {
        Self { path, message, rule: None, code: None, own_text: None, params }
    }

    pub(super) fn into_violation(self) -> Violation {
        let path = self.path.dotted();
        Violation {
            path: if path.is_empty() { "base".to_owned() } else { path },
            own_code: self.code,
            pointer: self.path.pointer(),
            message: self.message,
            own_text: self.own_text,
            params: self.params,
        }
    }
}

impl Outcome {
    /// Nothing said yet of a submission to a form.
    pub(crate) fn new(form: &Form, surroundings: Surroundings) -> Self {
        let violations = Violations { form: Some(form.name.clone()), ..Violations::default() };
        let showing = form.locales.shows_values().then(|| form.locales.clone());
        Self { surroundings, violations, showing, schema_steps: SCHEMA_STEPS, ..Self::default() }
    }

    /// Whether a text of a language shows the value of what is said there.
    pub(crate) fn shows_value(&self, path: &Path<'_>, code: &str) -> bool {
        let (Some(locales), Some(form)) = (&self.showing, &self.violations.form) else {
            return false;
        };
        locales.shows_value(form, &path.dotted(), code)
    }

    /// Takes out what only the database can decide.
    pub(crate) fn take(&mut self) -> (Vec<NewClaim>, Vec<Reference>) {
        (std::mem::take(&mut self.claims), std::mem::take(&mut self.references))
    }

    /// Notes a violation.
    pub(crate) fn violate(&mut self, saying: Saying<'_>) {
        if self.is_muted {
            return;
        }
        if let Some(tripped) = &mut self.tripped {
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
    pub(crate) fn claim(&mut self, claim: Claim, path: &Arc<str>, saying: Saying<'_>) {
        let is_first = self.is_first(&claim);
        if self.is_muted {
            return;
        }
        if !is_first {
            return self.violate(saying);
        }
        if let Some(explanations) = &mut self.explanations {
            explanations.claims.push((saying.rule, saying.into_violation()));
        }
        self.claims.push(NewClaim { claim, holder: self.record.holder(), path: path.clone() });
    }

    /// Whether nothing in this submission claimed the same before. Notes that it is claimed now:
    /// among the claims themselves while those are few and all that there is.
    fn is_first(&mut self, claim: &Claim) -> bool {
        if self.claimed.is_empty() && !self.is_muted && self.claims.len() < FEW {
            return !self.claims.iter().any(|made| made.claim == *claim);
        }
        if self.claimed.is_empty() {
            self.claimed.extend(self.claims.iter().map(|made| made.claim.clone()));
        }
        self.claimed.insert(claim.clone())
    }

    /// Asks for a row to exist.
    pub(crate) fn refer(&mut self, reference: Reference, saying: Saying<'_>) {
        if self.is_muted {
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
    shortened_to(key, LONGEST_KEY)
}

/// A text cut at so many characters.
pub(crate) fn shortened_to(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
