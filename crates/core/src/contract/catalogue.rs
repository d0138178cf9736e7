//! An API's own words for broken rules: `contracts/catalogues/drf.yml`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use crate::config::{Data, Entry, Location, Node, ProblemCode, Problems, Reader, parse};
use crate::fields::FieldType;
use crate::locale::{Locale, codes, has_code};
use crate::value::Value;
use crate::violation::{Param, Violation, humanize};

/// Texts by code.
#[derive(Debug, Default)]
pub(crate) struct MessageTemplates(HashMap<Box<str>, MessageCases>);

/// Texts by the case that they are for.
type MessageCases = Vec<(Box<str>, Box<str>)>;

/// All texts of an API, and what it calls things.
#[derive(Debug)]
pub(crate) struct Catalogue {
    pub(crate) name: Arc<str>,
    texts: MessageTemplates,
    /// What it calls the types of JSON.
    types: HashMap<Box<str>, Box<str>>,
    /// The key of what is told of a submission as a whole.
    pub(crate) base: Box<str>,
    /// Whether there are no texts but those of the forms.
    pub(crate) is_of_forms: bool,
}

/// What is known of the value that a violation is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MessageArgs<'a> {
    /// What was sent, where anything was.
    pub(crate) sent: Option<&'a Value<'a>>,
    /// The type that the form says.
    pub(crate) field_type: Option<FieldType>,
    /// The field, as the API calls it.
    pub(crate) name: &'a str,
    /// Whether what was sent is never to be shown.
    pub(crate) is_secret: bool,
    /// The language of the forms' own words, and the form.
    pub(crate) locale: &'a Locale,
    pub(crate) form: Option<&'a str>,
}

const KEYS: [&str; 4] = ["description", "types", "messages", "base"];
const JSON_TYPES: [&str; 6] = ["null", "boolean", "number", "string", "array", "object"];
const PLACEHOLDERS: [&str; 6] = ["attribute", "value", "got", "count", "type", "restriction"];
const ABSENT: &str = "absent";
const NULL: &str = "null";
const OTHER: &str = "other";
/// The most characters of a submitted value that a text repeats.
const MAX_VALUE_CHARS: usize = 64;

impl Catalogue {
    /// What a contract calls the words of the forms.
    pub(crate) const OF_FORMS: &str = "forms";

    /// The words of the forms, and no others.
    pub(crate) fn of_forms() -> Self {
        Self { is_of_forms: true, ..Self::empty(Self::OF_FORMS) }
    }

    fn empty(name: &str) -> Self {
        let (texts, types) = (MessageTemplates::default(), HashMap::new());
        Self { name: name.into(), texts, types, base: "base".into(), is_of_forms: false }
    }

    /// Reads a file.
    pub(crate) fn read(name: &str, text: &str, problems: &mut Problems) -> Option<Self> {
        let tree = parse(text, problems)?;
        let mut reader = Reader { problems };
        if name == Self::OF_FORMS {
            let what = "`forms` are the words of the forms themselves";
            let (code, place) = (ProblemCode::DuplicateName, Location::START);
            reader.problems.add(code, place, what, "another name", None);
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

    /// What the API calls the type of a value.
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

    /// The text of a violation under a code: the field's own, the form's own, the catalogue's, and
    /// else the English one.
    pub(crate) fn text(
        &self,
        code: &str,
        violation: &Violation,
        own: &MessageTemplates,
        about: &MessageArgs<'_>,
    ) -> String {
        let found = own.find(code, about).or_else(|| {
            let is_told = violation.message_override.is_some();
            if is_told { None } else { self.texts.find(code, about) }
        });
        match found {
            Some(text) => self.fill(text, violation, about),
            None => about.locale.text(violation, about.form),
        }
    }

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
            "got" => Cow::Borrowed(self.type_of(about.sent.unwrap_or(&crate::value::NULL))),
            "value" if about.is_secret => Cow::Borrowed("…"),
            "value" => Cow::Owned(shown(about.sent.unwrap_or(&crate::value::NULL))),
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
    /// Reads texts by code: each a text, or one for each case.
    pub(crate) fn read(reader: &mut Reader<'_>, node: &Node) -> Self {
        let mut texts = HashMap::new();
        for entry in reader.map(node, "messages") {
            if !has_code(&entry.key) {
                let known: Vec<&str> = codes().collect();
                let code = ProblemCode::UnknownCode;
                reader.unknown(code, "code", &entry.key, entry.place, "`messages`", &known);
            }
            texts.insert(entry.key.as_str().into(), cases(reader, entry));
        }
        Self(texts)
    }

    /// The text of a code: that of a value not sent, of null, of the field's type, or any other's.
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
            check(reader, text, node.place);
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

/// Notes placeholders that stand for nothing.
fn check(reader: &mut Reader<'_>, text: &str, place: Location) {
    for part in text.split("%{").skip(1) {
        let name = part.split('}').next().unwrap_or_default();
        if !PLACEHOLDERS.contains(&name) {
            let code = ProblemCode::BadOption;
            reader.unknown(code, "placeholder", name, place, "a text", &PLACEHOLDERS);
        }
    }
}

/// A submitted value, fit to be repeated.
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
