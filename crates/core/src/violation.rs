//! Violations: the broken rules of a submission, each with a path, a code and parameters. The
//! message is rendered last, in the client's language.

use std::sync::Arc;

use crate::messages::{Message, MessageOverride, Params};

/// Maximum number of violations in a response.
pub const MAX_VIOLATIONS: usize = 100;

/// A broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field, dotted, with list indexes: `transactables.boat[1].name`.
    pub path: String,
    /// JSON pointer of the value in the submission (RFC 6901).
    pub pointer: String,
    /// The rule's message.
    pub message: &'static Message,
    /// The form's code in place of the rule's.
    pub custom_code: Option<Arc<str>>,
    /// The form's message in place of the rule's.
    pub message_override: Option<MessageOverride>,
    /// Parameters of the message. They never contain the submitted value, unless the form's message
    /// override uses it.
    pub params: Params,
}

impl Violation {
    /// Returns the stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        self.custom_code.as_deref().unwrap_or(self.message.code)
    }
}

/// The violations of one submission in the order of the form, at most [`MAX_VIOLATIONS`].
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Violations {
    /// Name of the form, if they are about one.
    pub form: Option<Arc<str>>,
    /// The first [`MAX_VIOLATIONS`] violations.
    pub list: Vec<Violation>,
    /// Whether there were more violations.
    pub truncated: bool,
    /// Why conditions could not be evaluated, each prefixed with its path. For the log, not for
    /// clients: kinds of failure, never values.
    pub causes: Vec<String>,
}

impl Violations {
    /// Adds a violation, or marks the list as truncated if it is full.
    pub fn add(&mut self, violation: Violation) {
        if self.is_full() {
            self.truncated = true;
        } else {
            self.list.push(violation);
        }
    }

    /// Returns whether further violations are dropped.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.list.len() >= MAX_VIOLATIONS
    }

    /// Returns whether there are no violations.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}
