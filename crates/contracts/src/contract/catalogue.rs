//! Catalogues: an API's own validation messages, such as `contracts/catalogues/drf.yml`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use registrar_core::config::{Data, Entry, Location, Node, ProblemCode, Problems, Reader, parse};
use registrar_core::fields::FieldType;
use registrar_core::locale::Locale;
use registrar_core::messages::{Param, humanize};
use registrar_core::registry::message_index;
use registrar_core::value::Value;
use registrar_core::violation::Violation;

/// Message templates by violation code.
#[derive(Debug, Default)]
pub(crate) struct MessageTemplates(HashMap<Box<str>, MessageCases>);

/// Message templates by case: `absent`, `null`, a field type or `other`.
type MessageCases = Vec<(Box<str>, Box<str>)>;

/// Messages of an API, and its names for JSON types.
#[derive(Debug)]
pub(crate) struct Catalogue {
    pub(crate) name: Arc<str>,
    texts: MessageTemplates,
    /// The API's names for JSON types.
    types: HashMap<Box<str>, Box<str>>,
    /// Key of errors on the submission as a whole.
    pub(crate) base: Box<str>,
    /// Whether the forms' own messages are used.
    pub(crate) is_of_forms: bool,
}

/// Arguments for rendering the message of a violation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MessageArgs<'a> {
    /// The submitted value, or `None` if the field was absent.
    pub(crate) sent: Option<&'a Value<'a>>,
    /// Type of the field in the form.
    pub(crate) field_type: Option<FieldType>,
    /// Name of the field in the API.
    pub(crate) name: &'a str,
    /// Whether the submitted value must never be shown.
    pub(crate) is_secret: bool,
    /// Locale and form of the forms' own messages.
    pub(crate) locale: &'a Locale,
    pub(crate) form: Option<&'a str>,
}

const KEYS: [&str; 4] = ["description", "types", "messages", "base"];
const JSON_TYPES: [&str; 6] = ["null", "boolean", "number", "string", "array", "object"];
const PLACEHOLDERS: [&str; 6] = ["attribute", "value", "got", "count", "type", "restriction"];
const ABSENT: &str = "absent";
const NULL: &str = "null";
const OTHER: &str = "other";
/// Maximum number of characters of a submitted value that a message repeats.
const MAX_VALUE_CHARS: usize = 64;

impl Catalogue {
    /// Name under which contracts select the forms' own messages.
    pub(crate) const OF_FORMS: &str = "forms";

    /// Returns the catalogue that uses the forms' own messages.
    pub(crate) fn of_forms() -> Self {
        Self { is_of_forms: true, ..Self::empty(Self::OF_FORMS) }
    }

    fn empty(name: &str) -> Self {
        let (texts, types) = (MessageTemplates::default(), HashMap::new());
        Self { name: name.into(), texts, types, base: "base".into(), is_of_forms: false }
    }

    /// Reads a catalogue file. Returns `None` if it is not YAML.
    pub(crate) fn read(name: &str, text: &str, problems: &mut Problems) -> Option<Self> {
        let tree = parse(text, problems)?;
        let mut reader = Reader { problems };
        if name == Self::OF_FORMS {
            let what = "`forms` is reserved for the forms' own messages";
            let (code, location) = (ProblemCode::DuplicateName, Location::START);
            reader.problems.add(code, location, what, "another name", None);
        }
        let mut catalogue = Self::empty(name);
        for entry in reader.map(&tree, "a catalogue") {
            match entry.key.as_str() {
                "description" => {
                    reader.text(&entry.value, "description");
                }
                "base" => {
                    if let Some(text) = reader.text(&entry.value, "base") {
                        catalogue.base = text.into();
                    }
                }
                "types" => {
                    for entry in reader.map(&entry.value, "types") {
                        if !JSON_TYPES.contains(&entry.key.as_str()) {
                            reader.unknown_key(entry, "`types`", &JSON_TYPES);
                        } else if let Some(text) = reader.text(&entry.value, &entry.key) {
                            catalogue.types.insert(entry.key.as_str().into(), text.into());
                        }
                    }
                }
                "messages" => catalogue.texts = MessageTemplates::read(&mut reader, &entry.value),
                _ => reader.unknown_key(entry, "a catalogue", &KEYS),
            }
        }
        Some(catalogue)
    }

    /// Returns the API's name for the JSON type of a value.
    pub(crate) fn type_of(&self, value: &Value<'_>) -> &str {
        let name = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        self.types.get(name).map_or(name, |name| name)
    }

    /// Renders the message of a violation under a code. Precedence: the field's template in
    /// `templates`, the form's own message, the catalogue, the built-in message.
    pub(crate) fn text(
        &self,
        code: &str,
        violation: &Violation,
        templates: &MessageTemplates,
        about: &MessageArgs<'_>,
    ) -> String {
        let found = templates.find(code, about).or_else(|| {
            let is_told = violation.message_override.is_some();
            if is_told { None } else { self.texts.find(code, about) }
        });
        match found {
            Some(text) => self.fill(text, violation, about),
            None => about.locale.text(violation, about.form),
        }
    }

    /// Replaces the placeholders of a template.
    fn fill(&self, text: &str, violation: &Violation, about: &MessageArgs<'_>) -> String {
        let (mut filled, mut rest) = (String::with_capacity(text.len() + 16), text);
        while let Some((before, after)) = rest.split_once("%{") {
            let Some((name, behind)) = after.split_once('}') else { break };
            filled.push_str(before);
            filled.push_str(&self.placeholder(name, violation, about));
            rest = behind;
        }
        filled.push_str(rest);
        filled
    }

    fn placeholder<'a>(
        &'a self,
        name: &str,
        violation: &'a Violation,
        about: &MessageArgs<'a>,
    ) -> Cow<'a, str> {
        match name {
            "attribute" => Cow::Borrowed(about.name),
            "got" => {
                Cow::Borrowed(self.type_of(about.sent.unwrap_or(&registrar_core::value::NULL)))
            }
            "value" if about.is_secret => Cow::Borrowed("…"),
            "value" => Cow::Owned(shown(about.sent.unwrap_or(&registrar_core::value::NULL))),
            _ => match violation.params.iter().find(|(known, _)| *known == name) {
                Some((_, Param::Number(text))) => Cow::Borrowed(text),
                Some((_, Param::Text(text))) => Cow::Borrowed(text),
                Some((_, Param::Field(field))) => Cow::Owned(humanize(field)),
                None => Cow::Borrowed(""),
            },
        }
    }
}

impl MessageTemplates {
    /// Reads templates by code: each is a string, or an object of strings by case.
    pub(crate) fn read(reader: &mut Reader<'_>, node: &Node) -> Self {
        let mut texts = HashMap::new();
        for entry in reader.map(node, "messages") {
            if !message_index().has_code(&entry.key) {
                let known: Vec<&str> = message_index().codes().collect();
                let code = ProblemCode::UnknownCode;
                reader.unknown(code, "code", &entry.key, entry.location, "`messages`", &known);
            }
            texts.insert(entry.key.as_str().into(), cases(reader, entry));
        }
        Self(texts)
    }

    /// Returns the template for a code: for an absent value or null, else for the field's type,
    /// else for any other case.
    fn find(&self, code: &str, about: &MessageArgs<'_>) -> Option<&str> {
        let cases = self.0.get(code)?;
        let case =
            |name: &str| cases.iter().find(|(known, _)| **known == *name).map(|(_, text)| &**text);
        let by_value = match about.sent {
            None => case(ABSENT),
            Some(Value::Null) => case(NULL),
            Some(_) => None,
        };
        by_value
            .or_else(|| about.field_type.and_then(|field_type| case(field_type.name())))
            .or_else(|| case(OTHER))
    }
}

fn cases(reader: &mut Reader<'_>, entry: &Entry) -> MessageCases {
    let mut cases = Vec::new();
    let mut add = |reader: &mut Reader<'_>, name: &str, node: &Node| {
        if let Some(text) = reader.text(node, name) {
            check(reader, text, node.location);
            cases.push((name.into(), text.into()));
        }
    };
    let Data::Map(entries) = &entry.value.data else {
        add(reader, OTHER, &entry.value);
        return cases;
    };
    let types = FieldType::ALL.iter().map(|field_type| field_type.name());
    let known: Vec<&str> = [ABSENT, NULL, OTHER].into_iter().chain(types).collect();
    for inner in entries {
        if known.contains(&inner.key.as_str()) {
            add(reader, &inner.key, &inner.value);
        } else {
            reader.unknown_key(inner, &format!("`{}`", entry.key), &known);
        }
    }
    cases
}

/// Reports unknown placeholders.
fn check(reader: &mut Reader<'_>, text: &str, location: Location) {
    for part in text.split("%{").skip(1) {
        let name = part.split('}').next().unwrap_or_default();
        if !PLACEHOLDERS.contains(&name) {
            let code = ProblemCode::BadOption;
            reader.unknown(code, "placeholder", name, location, "a text", &PLACEHOLDERS);
        }
    }
}

/// Formats a submitted value for a message, cut to [`MAX_VALUE_CHARS`].
fn shown(value: &Value<'_>) -> String {
    let text = match value {
        Value::String(text) => text.to_string(),
        Value::Number(text) => text.to_string(),
        other => serde_json::to_string(other).unwrap_or_default(),
    };
    match text.char_indices().nth(MAX_VALUE_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
