//! A broken rule: where, which, with what parameters. Text is rendered last.

use std::borrow::Cow;
use std::sync::Arc;

use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

/// The most violations that one answer tells.
pub const MOST: usize = 100;

/// What a rule can say: a stable code and its English text.
///
/// `%{name}` in a text stands for a parameter; `%{attribute}` for the field's own name.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// Stable, never localised.
    pub code: &'static str,
    /// The text.
    pub text: &'static str,
    /// The text where the parameter `count` is 1, if it differs.
    pub one: Option<&'static str>,
}

impl Message {
    /// A message that reads the same for every count.
    #[must_use]
    pub const fn new(code: &'static str, text: &'static str) -> Self {
        Self { code, text, one: None }
    }

    /// A message with a text of its own for the count 1.
    #[must_use]
    pub const fn counted(code: &'static str, text: &'static str, one: &'static str) -> Self {
        Self { code, text, one: Some(one) }
    }
}

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Param {
    /// A number, as the text of a JSON number.
    Number(String),
    /// A text.
    Text(Cow<'static, str>),
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
    pub own_code: Option<Arc<str>>,
    /// The form's own words instead of the rule's.
    pub own_text: Option<Arc<str>>,
    /// What the text and the client may need to know. Never the submitted value, unless the
    /// form's own words ask for it.
    pub params: Params,
}

impl Violation {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        self.own_code.as_deref().unwrap_or(self.message.code)
    }

    /// The text, without the name of the field.
    #[must_use]
    pub fn text(&self) -> String {
        let template = self.own_text.as_deref().unwrap_or_else(|| {
            let is_one = self.params.iter().any(
                |(name, value)| matches!(value, Param::Number(n) if *name == "count" && n == "1"),
            );
            self.message.one.filter(|_| is_one).unwrap_or(self.message.text)
        });
        self.fill(template)
    }

    /// The text, with the name of the field in front.
    #[must_use]
    pub fn full_text(&self) -> String {
        if self.path == "base" {
            return self.text();
        }
        format!("{} {}", humanize(&self.path), self.text())
    }

    fn fill(&self, template: &str) -> String {
        if !template.contains("%{") {
            return template.to_owned();
        }
        let mut text = String::with_capacity(template.len() + 16);
        let mut rest = template;
        while let Some(start) = rest.find("%{") {
            let Some(length) = rest[start..].find('}') else { break };
            text.push_str(&rest[..start]);
            let name = &rest[start + 2..start + length];
            match self.params.iter().find(|(known, _)| *known == name) {
                Some((_, Param::Number(value))) => text.push_str(value),
                Some((_, Param::Text(value))) => text.push_str(value),
                None if name == "attribute" => {
                    let field = self.path.rsplit('.').next().unwrap_or_default();
                    text.push_str(&humanize(field));
                }
                None => {}
            }
            rest = &rest[start + length + 1..];
        }
        text.push_str(rest);
        text
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

/// All broken rules of one submission, in the form's order; at most [`MOST`].
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Violations {
    /// The first [`MOST`].
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
        self.list.len() >= MOST
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// `{"path": ["text", …]}`, in order of first mention.
    #[must_use]
    pub fn by_path(&self) -> Vec<(&str, Vec<String>)> {
        let mut paths: Vec<(&str, Vec<String>)> = Vec::new();
        for violation in &self.list {
            match paths.iter_mut().find(|(path, _)| *path == violation.path) {
                Some((_, texts)) => texts.push(violation.text()),
                None => paths.push((&violation.path, vec![violation.text()])),
            }
        }
        paths
    }
}

impl Serialize for Violations {
    /// The body of a 422: `errors`, `details`, and `truncated` where there were more.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut body = serializer.serialize_map(None)?;
        body.serialize_entry("errors", &ByPath(self))?;
        body.serialize_entry("details", &self.list)?;
        if self.truncated {
            body.serialize_entry("truncated", &true)?;
        }
        body.end()
    }
}

struct ByPath<'v>(&'v Violations);

impl Serialize for ByPath<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.by_path())
    }
}

impl Serialize for Violation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut detail = serializer.serialize_struct("Violation", 6)?;
        detail.serialize_field("field", &self.path)?;
        detail.serialize_field("pointer", &self.pointer)?;
        detail.serialize_field("code", self.code())?;
        detail.serialize_field("params", &ByName(&self.params))?;
        detail.serialize_field("message", &self.text())?;
        detail.serialize_field("full_message", &self.full_text())?;
        detail.end()
    }
}

struct ByName<'p>(&'p Params);

impl Serialize for ByName<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl Serialize for Param {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(text) => match text.parse::<serde_json::Number>() {
                Ok(number) => number.serialize(serializer),
                Err(_) => serializer.serialize_str(text),
            },
        }
    }
}
