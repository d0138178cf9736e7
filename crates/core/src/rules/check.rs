//! The interface of a compiled rule: [`Check`] validates a [`RuleInput`] and reports violations,
//! claims and references to a [`Reporter`].

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::BoundRule;
use crate::aggregate::{Claim, Reference};
use crate::eval_context::Timestamp;
use crate::fields::FieldType;
use crate::messages::MessageOverride;
use crate::messages::{Message, Param, Params};
use crate::submission::{
    Findings, GroupSlots, ListItem, Path, PendingViolation, SiblingScope, shortened_to,
};
use crate::value::{NULL, Value};

/// A compiled rule.
pub(crate) trait Check: fmt::Debug + Send + Sync {
    /// Validates the input and reports what it finds.
    fn check(&self, input: &RuleInput<'_, '_>, reporter: &mut Reporter<'_, '_>);

    /// Returns whether the result depends on other fields or on the current time. Such a rule is
    /// not applied to a field's default when the form is loaded.
    fn depends_on_context(&self) -> bool {
        false
    }

    /// Returns whether the result reveals that an account exists: whether a user with this e-mail
    /// address or external id is stored.
    fn reveals_existence(&self) -> bool {
        false
    }

    /// Returns the rule as keywords of JSON Schema 2020-12 for a field of this type, or `None` if
    /// it cannot be expressed. The keywords reject no value that the rule accepts.
    fn keywords(&self, _of: FieldType) -> Option<serde_json::Value> {
        None
    }
}

/// The input of a rule: a field's content and its context.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RuleInput<'s, 'v> {
    pub(crate) content: InputContent<'s, 'v>,
    /// Whether the value was submitted as a string.
    pub(crate) from_text: bool,
    pub(crate) scope: &'s SiblingScope<'s, 'v>,
    /// Time of the submission.
    pub(crate) now: Timestamp,
}

/// The content of a field.
#[derive(Debug, Clone, Copy)]
pub(crate) enum InputContent<'s, 'v> {
    Absent,
    Value(&'s Value<'v>),
    /// A submitted nested form.
    Node(&'s GroupSlots<'v>),
    /// A list of nested forms.
    Items(&'s [ListItem<'v>]),
}

impl<'s, 'v> RuleInput<'s, 'v> {
    /// Returns the value, or null for a missing field or a nested form.
    pub(crate) fn value(&self) -> &'s Value<'v> {
        match self.content {
            InputContent::Value(value) => value,
            _ => &NULL,
        }
    }

    /// Returns whether the field is missing or null.
    pub(crate) fn is_nil(&self) -> bool {
        matches!(self.content, InputContent::Absent | InputContent::Value(Value::Null))
    }

    /// Returns whether the content is blank in the sense of Rails (see [`Value::is_blank`]).
    pub(crate) fn is_blank(&self) -> bool {
        match self.content {
            InputContent::Absent => true,
            InputContent::Value(value) => value.is_blank(),
            InputContent::Node(_) => false,
            InputContent::Items(items) => items.is_empty(),
        }
    }
}

/// Maximum length of a value shown in a message, in characters.
const MAX_VALUE_CHARS: usize = 256;

/// A step of a path inside a value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum NestedStep<'k> {
    Key(&'k str),
    Index(usize),
}

/// Collects the violations, claims and references of one rule applied to one field.
#[derive(Debug)]
pub(crate) struct Reporter<'r, 'p> {
    pub(crate) findings: &'r mut Findings,
    pub(crate) path: Path<'p>,
    pub(crate) rule: &'r BoundRule,
    /// The value for `%{value}`, converted to text only if a message uses that placeholder.
    pub(crate) value: &'r Value<'r>,
    pub(crate) is_secret: bool,
}

impl<'p> Reporter<'_, 'p> {
    /// Reports a violation at the field.
    pub(crate) fn fail(&mut self, message: &'static Message, params: Params) {
        let violation = self.violation(self.path, message, params);
        self.findings.add_violation(violation);
    }

    /// Reports a violation at another field of the same object.
    pub(crate) fn fail_sibling(&mut self, field: &str, message: &'static Message, params: Params) {
        let path = self.path;
        let violation = self.violation(path.sibling(field), message, params);
        self.findings.add_violation(violation);
    }

    /// Reports a violation at a path inside the value.
    pub(crate) fn fail_within(
        &mut self,
        inner: &[NestedStep<'_>],
        message: &'static Message,
        params: Params,
    ) {
        let path = self.path;
        self.fail_at(&path, inner, message, params);
    }

    fn fail_at(
        &mut self,
        path: &Path<'_>,
        inner: &[NestedStep<'_>],
        message: &'static Message,
        params: Params,
    ) {
        match inner {
            [] => {
                let violation = self.violation(*path, message, params);
                self.findings.add_violation(violation);
            }
            [NestedStep::Key(key), rest @ ..] => {
                self.fail_at(&path.field(key), rest, message, params)
            }
            [NestedStep::Index(index), rest @ ..] => {
                self.fail_at(&path.item(*index, None), rest, message, params);
            }
        }
    }

    /// Returns whether the maximum number of violations has been reported.
    pub(crate) fn is_full(&self) -> bool {
        self.findings.violations.is_full()
    }

    /// Adds a uniqueness claim on the value, which the database decides.
    pub(crate) fn claim(&mut self, claim: Claim, path: &Arc<str>, message: &'static Message) {
        let pending = self.violation(self.path, message, Params::new());
        self.findings.claim(claim, path, pending);
    }

    /// Adds a reference to a required row, which the database looks up; `message` is the violation
    /// if the row does not exist.
    pub(crate) fn reference(&mut self, reference: Reference, message: &'static Message) {
        let violation = self.violation(self.path, message, Params::new());
        self.findings.add_reference(reference, violation);
    }

    fn violation<'c>(
        &self,
        path: Path<'c>,
        message: &'static Message,
        mut params: Params,
    ) -> PendingViolation<'c> {
        let message_override = self.rule.message_override(message.code).cloned();
        let uses_value = message_override.as_ref().is_some_and(MessageOverride::uses_value)
            || self.findings.uses_value(&path, message.code);
        if uses_value {
            params.push(("value", Param::Text(self.value_param())));
        }
        PendingViolation {
            path,
            message,
            rule: Some(self.rule.id()),
            code: None,
            message_override,
            params,
        }
    }

    fn value_param(&self) -> Cow<'static, str> {
        if self.is_secret {
            return Cow::Borrowed("[hidden]");
        }
        match self.value {
            Value::String(text) | Value::Number(text) => {
                Cow::Owned(shortened_to(text, MAX_VALUE_CHARS))
            }
            Value::Bool(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
            _ => Cow::Borrowed(""),
        }
    }
}
