//! Violations: the broken rules of a submission, each with a path, a code and parameters. The
//! message is rendered last, in the client's language.

use std::borrow::Cow;
use std::sync::Arc;

use crate::locale::{BROKEN_RULES, Locale, MessageOverride};
use crate::value::Value;

/// Maximum number of violations in a response.
pub const MAX_VIOLATIONS: usize = 100;

/// A message of a rule: a stable code and the English text.
///
/// In the text, `%{name}` stands for a parameter and `%{attribute}` for the name of the field.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// Stable code, never localised.
    pub code: &'static str,
    /// Key of the text in locale files: the code, unless another message has that code too.
    pub key: &'static str,
    /// English text.
    pub text: &'static str,
    /// English text for a `count` of 1, if it differs.
    pub singular: Option<&'static str>,
    /// Whether `%{type}` is the name of a type, which is localised.
    pub names_type: bool,
}

impl Message {
    /// Creates a message with one text for every count.
    #[must_use]
    pub const fn new(code: &'static str, text: &'static str) -> Self {
        Self { code, key: code, text, singular: None, names_type: false }
    }

    /// Creates a message with a separate text for a count of 1.
    #[must_use]
    pub const fn pluralized(code: &'static str, text: &'static str, one: &'static str) -> Self {
        Self { code, key: code, text, singular: Some(one), names_type: false }
    }

    /// Sets the key of the text, for a message that shares its code with another one.
    #[must_use]
    pub const fn with_key(mut self, key: &'static str) -> Self {
        self.key = key;
        self
    }

    /// Marks the parameter `type` as the name of a type.
    #[must_use]
    pub const fn with_type_param(mut self) -> Self {
        self.names_type = true;
        self
    }
}

/// Value of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Param {
    /// A number, in JSON's notation.
    Number(String),
    /// A string.
    Text(Cow<'static, str>),
    /// Name of a field of the same object, shown as a human-readable name.
    Field(Arc<str>),
}

/// Parameters of a violation.
pub type Params = Vec<(&'static str, Param)>;

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

    /// Returns the English message, without the name of the field.
    #[must_use]
    pub fn text(&self) -> String {
        Locale::english().text(self, None)
    }
}

/// Returns a path as a human-readable name: `profiles.developer.hourly_rate` becomes "Profiles
/// developer hourly rate".
#[must_use]
pub fn humanize(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for (index, c) in path.chars().enumerate() {
        match c {
            '.' | '_' => text.push(' '),
            c if index == 0 => text.extend(c.to_uppercase()),
            c => text.push(c),
        }
    }
    text
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

    /// Returns a localised summary of the violations: their number.
    #[must_use]
    pub fn summary(&self, locale: &Locale) -> String {
        let count = Param::Number(self.list.len().to_string());
        locale.message(&BROKEN_RULES, Params::from([("count", count)]))
    }
}

impl Violation {
    /// Returns the violation as an object with `field`, `pointer`, `code`, `params`, `message` and
    /// `full_message`. `text` is its localised message.
    #[must_use]
    pub fn detail(&self, locale: &Locale, form: Option<&str>, text: &str) -> Value<'static> {
        fn string(text: impl Into<String>) -> Value<'static> {
            Value::String(Cow::Owned(text.into()))
        }
        let params = self.params.iter().map(|(name, param)| (Cow::Borrowed(*name), param.value()));
        let entries = [
            ("field", string(self.path.as_str())),
            ("pointer", string(self.pointer.as_str())),
            ("code", string(self.code())),
            ("params", Value::Object(params.collect())),
            ("message", string(text)),
            ("full_message", string(locale.sentence(self, form, text))),
        ];
        Value::Object(entries.map(|(name, value)| (Cow::Borrowed(name), value)).into())
    }
}

impl Param {
    fn value(&self) -> Value<'static> {
        match self {
            Self::Number(text) if text.parse::<serde_json::Number>().is_ok() => {
                Value::Number(Cow::Owned(text.clone()))
            }
            Self::Number(text) => Value::String(Cow::Owned(text.clone())),
            Self::Text(text) => Value::String(text.clone()),
            Self::Field(name) => Value::String(Cow::Owned(humanize(name))),
        }
    }
}
