//! Messages and their parameters.

use std::borrow::Cow;
use std::sync::Arc;

use crate::value::Value;

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

/// The message of a response about a submission as a whole; `%{count}` is the number of violations
/// reported.
pub static BROKEN_RULES: Message = Message::pluralized(
    "broken_rules",
    "%{count} rules of the form are broken",
    "%{count} rule of the form is broken",
);

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

impl Param {
    pub(crate) fn value(&self) -> Value<'static> {
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
