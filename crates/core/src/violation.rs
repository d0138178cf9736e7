//! A broken rule: where, which, with what parameters. Text is rendered last.

use std::borrow::Cow;
use std::sync::Arc;

use crate::locale::{BROKEN_RULES, Locale, MessageOverride};
use crate::value::Value;

/// The most violations that one answer tells.
pub const MAX_VIOLATIONS: usize = 100;

/// What a rule can say: a stable code and its English text.
///
/// `%{name}` in a text stands for a parameter; `%{attribute}` for the field's own name.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// Stable, never localised.
    pub code: &'static str,
    /// What its text is called in files of texts: the code, where no other message has it.
    pub key: &'static str,
    /// The text.
    pub text: &'static str,
    /// The text where the parameter `count` is 1, if it differs.
    pub singular: Option<&'static str>,
    /// Whether `%{type}` is the name of a type, to be told in words.
    pub names_type: bool,
}

impl Message {
    /// A message that reads the same for every count.
    #[must_use]
    pub const fn new(code: &'static str, text: &'static str) -> Self {
        Self { code, key: code, text, singular: None, names_type: false }
    }

    /// A message with a text of its own for the count 1.
    #[must_use]
    pub const fn pluralized(code: &'static str, text: &'static str, one: &'static str) -> Self {
        Self { code, key: code, text, singular: Some(one), names_type: false }
    }

    /// The same, under a key of its own: another message has its code.
    #[must_use]
    pub const fn with_key(mut self, key: &'static str) -> Self {
        self.key = key;
        self
    }

    /// The same, with the name of a type as its parameter `type`.
    #[must_use]
    pub const fn with_type_param(mut self) -> Self {
        self.names_type = true;
        self
    }
}

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Param {
    /// A number, as the text of a JSON number.
    Number(String),
    /// A text.
    Text(Cow<'static, str>),
    /// The name of a field of the same object; told as people call it.
    Field(Arc<str>),
}

/// The parameters of a violation.
pub type Params = Vec<(&'static str, Param)>;

/// A broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Dotted, with list indexes: `transactables.boat[1].name`.
    pub path: String,
    /// Where it stands in the submission (RFC 6901).
    pub pointer: String,
    /// What the rule says.
    pub message: &'static Message,
    /// The form's own code instead of the rule's.
    pub custom_code: Option<Arc<str>>,
    /// The form's own words instead of the rule's.
    pub message_override: Option<MessageOverride>,
    /// What the text and the client may need to know. Never the submitted value, unless the
    /// form's own words ask for it.
    pub params: Params,
}

impl Violation {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        self.custom_code.as_deref().unwrap_or(self.message.code)
    }

    /// The text in English, without the name of the field.
    #[must_use]
    pub fn text(&self) -> String {
        Locale::english().text(self, None)
    }
}

/// "profiles.developer.hourly_rate" as "Profiles developer hourly rate".
#[must_use]
pub fn humanize(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for (index, letter) in path.chars().enumerate() {
        match letter {
            '.' | '_' => text.push(' '),
            letter if index == 0 => text.extend(letter.to_uppercase()),
            letter => text.push(letter),
        }
    }
    text
}

/// All broken rules of one submission, in the form's order; at most [`MAX_VIOLATIONS`].
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Violations {
    /// The form that they are about, where it is one.
    pub form: Option<Arc<str>>,
    /// The first [`MAX_VIOLATIONS`].
    pub list: Vec<Violation>,
    /// Whether there were more.
    pub truncated: bool,
    /// Why conditions could not be checked, with the path in front: for the log, not for clients.
    /// Kinds of failure, never values.
    pub causes: Vec<String>,
}

impl Violations {
    /// Adds one, unless there are enough.
    pub fn add(&mut self, violation: Violation) {
        if self.is_full() {
            self.truncated = true;
        } else {
            self.list.push(violation);
        }
    }

    /// Whether no further one would be told.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.list.len() >= MAX_VIOLATIONS
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// What is told of the submission as a whole.
    #[must_use]
    pub fn summary(&self, locale: &Locale) -> String {
        let count = Param::Number(self.list.len().to_string());
        locale.message(&BROKEN_RULES, Params::from([("count", count)]))
    }
}

impl Violation {
    /// All of it: `field`, `pointer`, `code`, `params`, `message`, `full_message`. `text` is what
    /// it is called in the language.
    #[must_use]
    pub fn detail(&self, locale: &Locale, form: Option<&str>, text: &str) -> Value<'static> {
        fn own(text: impl Into<String>) -> Value<'static> {
            Value::String(Cow::Owned(text.into()))
        }
        let params = self.params.iter().map(|(name, param)| (Cow::Borrowed(*name), param.value()));
        let entries = [
            ("field", own(self.path.as_str())),
            ("pointer", own(self.pointer.as_str())),
            ("code", own(self.code())),
            ("params", Value::Object(params.collect())),
            ("message", own(text)),
            ("full_message", own(locale.sentence(self, form, text))),
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
