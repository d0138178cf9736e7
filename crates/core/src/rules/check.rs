//! What a rule is asked about, and how it answers.

use std::borrow::Cow;
use std::fmt;

use super::BoundRule;
use crate::aggregate::{Claim, Reference};
use crate::eval_context::Timestamp;
use crate::evaluate::{
    Findings, GroupSlots, ListItem, Path, PendingViolation, SiblingScope, shortened_to,
};
use crate::fields::FieldType;
use crate::locale::MessageOverride;
use crate::value::{NULL, Value};
use crate::violation::{Message, Param, Params};

/// A compiled rule.
pub(crate) trait Check: fmt::Debug + Send + Sync {
    /// Says what is wrong with the subject, if anything is.
    fn check(&self, subject: &RuleInput<'_, '_>, report: &mut Reporter<'_, '_>);

    /// Whether the verdict depends on more than the value: on other fields, or on the moment. Such
    /// a rule says nothing of a default when the form is loaded.
    fn depends_on_context(&self) -> bool {
        false
    }

    /// Returns whether the verdict tells who has an account: whether a user with the value's address
    /// or external id is stored.
    fn reveals_existence(&self) -> bool {
        false
    }

    /// What JSON Schema 2020-12 can say of it for values of the field: keywords that refuse nothing
    /// that the rule accepts. Nothing where it has no words for it.
    fn keywords(&self, _of: FieldType) -> Option<serde_json::Value> {
        None
    }
}

/// The thing a rule judges.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RuleInput<'s, 'v> {
    pub(crate) content: InputContent<'s, 'v>,
    /// Whether the value arrived as a text.
    pub(crate) from_text: bool,
    pub(crate) scope: &'s SiblingScope<'s, 'v>,
    /// The moment of the submission.
    pub(crate) now: Timestamp,
}

/// What is there to judge.
#[derive(Debug, Clone, Copy)]
pub(crate) enum InputContent<'s, 'v> {
    Absent,
    Value(&'s Value<'v>),
    /// A nested form that the client sent.
    Node(&'s GroupSlots<'v>),
    /// A list of nested forms.
    Items(&'s [ListItem<'v>]),
}

impl<'s, 'v> RuleInput<'s, 'v> {
    /// The value; null where there is none.
    pub(crate) fn value(&self) -> &'s Value<'v> {
        match self.content {
            InputContent::Value(value) => value,
            _ => &NULL,
        }
    }

    /// Whether there is nothing: not sent, or null.
    pub(crate) fn is_nil(&self) -> bool {
        matches!(self.content, InputContent::Absent | InputContent::Value(Value::Null))
    }

    /// Blank as Rails means it.
    pub(crate) fn is_blank(&self) -> bool {
        match self.content {
            InputContent::Absent => true,
            InputContent::Value(value) => value.is_blank(),
            InputContent::Node(_) => false,
            InputContent::Items(items) => items.is_empty(),
        }
    }
}

/// How much of a value a text shows, in characters.
const MAX_VALUE_CHARS: usize = 256;

/// A step into a value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum NestedStep<'k> {
    Key(&'k str),
    Index(usize),
}

/// Where a rule's answers go.
#[derive(Debug)]
pub(crate) struct Reporter<'r, 'p> {
    pub(crate) outcome: &'r mut Findings,
    pub(crate) path: Path<'p>,
    pub(crate) rule: &'r BoundRule,
    /// The value's text for `%{value}`, made only where the form's own words ask for it.
    pub(crate) value: &'r Value<'r>,
    pub(crate) is_secret: bool,
}

impl<'p> Reporter<'_, 'p> {
    /// The field breaks the rule.
    pub(crate) fn fail(&mut self, message: &'static Message, params: Params) {
        let saying = self.violation(self.path, message, params);
        self.outcome.add_violation(saying);
    }

    /// The rule is broken, but another field of the same object is the one to be told.
    pub(crate) fn fail_sibling(&mut self, field: &str, message: &'static Message, params: Params) {
        let path = self.path;
        let saying = self.violation(path.sibling(field), message, params);
        self.outcome.add_violation(saying);
    }

    /// Something inside the value breaks the rule.
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
                let saying = self.violation(*path, message, params);
                self.outcome.add_violation(saying);
            }
            [NestedStep::Key(key), rest @ ..] => {
                self.fail_at(&path.field(key), rest, message, params)
            }
            [NestedStep::Index(index), rest @ ..] => {
                self.fail_at(&path.item(*index, None), rest, message, params);
            }
        }
    }

    /// Whether further violations would not be told.
    pub(crate) fn is_full(&self) -> bool {
        self.outcome.violations.is_full()
    }

    /// The database shall decide whether the value is taken.
    pub(crate) fn claim(&mut self, claim: Claim, message: &'static Message) {
        let saying = self.violation(self.path, message, Params::new());
        self.outcome.claim(claim, saying);
    }

    /// The database shall decide whether a row exists.
    pub(crate) fn reference(&mut self, reference: Reference, message: &'static Message) {
        let saying = self.violation(self.path, message, Params::new());
        self.outcome.add_reference(reference, saying);
    }

    fn violation<'c>(
        &self,
        path: Path<'c>,
        message: &'static Message,
        mut params: Params,
    ) -> PendingViolation<'c> {
        let own_text = self.rule.message_override(message.code).cloned();
        let is_asked = own_text.as_ref().is_some_and(MessageOverride::uses_value)
            || self.outcome.uses_value(&path, message.code);
        if is_asked {
            params.push(("value", Param::Text(self.value_param())));
        }
        PendingViolation {
            path,
            message,
            rule: Some(self.rule.id()),
            code: None,
            message_override: own_text,
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
