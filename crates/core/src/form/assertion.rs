//! Reads `rules:` of a form: rules across fields.

use std::sync::Arc;

use super::{FieldBody, Group};
use crate::config::{Entry, Location, Node, ProblemCode, Reader};
use crate::expression::{Conditions, NameScope};
use crate::messages::MessageOverride;

/// Rule across fields: an expression that must hold.
#[derive(Debug)]
pub(crate) struct Assertion {
    /// Code of its violations, from `id:`.
    pub(crate) code: Option<Arc<str>>,
    pub(crate) must: Conditions,
    /// Conditions under which the rule is applied.
    pub(crate) conditions: Conditions,
    /// Path of the field that gets the violation; empty for the submission as a whole.
    pub(crate) field: Vec<Arc<str>>,
    pub(crate) message: Option<MessageOverride>,
    /// Location in the form file.
    pub(crate) location: Location,
}

const KEYS: [&str; 6] = ["id", "assert", "field", "message", "if", "unless"];

impl Assertion {
    /// Returns an id that is unique within the form: the address, which is invalid after a move.
    pub(crate) fn id(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Resolves the field names in its expressions.
    pub(crate) fn resolve(&mut self, reader: &mut Reader<'_>, form: &NameScope) {
        self.must.resolve(reader, form, form);
        self.conditions.resolve(reader, form, form);
    }
}

/// Reads `rules:` of a form.
pub(crate) fn read(reader: &mut Reader<'_>, root: &Group, node: Option<&Node>) -> Vec<Assertion> {
    let Some(node) = node else { return Vec::new() };
    let mut assertions: Vec<Assertion> = Vec::new();
    for item in reader.list(node, "rules") {
        let Some(assertion) = read_one(reader, root, item) else { continue };
        if let Some(id) = &assertion.code
            && assertions.iter().any(|known| known.code.as_ref() == Some(id))
        {
            let location = item.get("id").map_or(item.location, |entry| entry.value.location);
            let what = format!("there is another rule `{id}` in this form");
            reader.problems.add(ProblemCode::DuplicateName, location, what, "each id once", None);
        }
        assertions.push(assertion);
    }
    assertions
}

fn read_one(reader: &mut Reader<'_>, root: &Group, item: &Node) -> Option<Assertion> {
    let mut assertion = Assertion {
        code: None,
        must: Conditions::default(),
        conditions: Conditions::default(),
        field: Vec::new(),
        message: None,
        location: item.location,
    };
    let mut has_assert = false;
    for entry in reader.map(item, "a rule across fields") {
        match entry.key.as_str() {
            "id" => assertion.code = code(reader, entry),
            "assert" => {
                has_assert = true;
                assertion.must.require(reader, "assert", &entry.value);
            }
            "field" => assertion.field = read_field_path(reader, root, entry)?,
            "message" => assertion.message = MessageOverride::read(reader, "message", &entry.value),
            "if" | "unless" => assertion.conditions.add(reader, entry),
            _ => reader.unknown_key(entry, "a rule across fields", &KEYS),
        }
    }
    if !has_assert {
        let what = "a rule across fields without `assert`";
        let expected = "`assert:` with the expression that must be true";
        reader.problems.add(ProblemCode::MissingKey, item.location, what, expected, None);
        return None;
    }
    Some(assertion)
}

/// Reads `id:`: letters, digits, `_` and `-`, like the codes of built-in rules.
fn code(reader: &mut Reader<'_>, entry: &Entry) -> Option<Arc<str>> {
    let id = reader.text(&entry.value, "id")?;
    let is_word = !id.is_empty()
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if !is_word {
        reader.problems.add(
            ProblemCode::BadOption,
            entry.value.location,
            format!("`{id}` cannot be a code"),
            "letters, digits, `_` and `-`",
            None,
        );
        return None;
    }
    Some(id.into())
}

/// Reads a path of fields of the form, such as `profiles.developer.properties.hourly_rate`. `base`
/// is the empty path.
fn read_field_path(reader: &mut Reader<'_>, root: &Group, entry: &Entry) -> Option<Vec<Arc<str>>> {
    let text = reader.text(&entry.value, "field")?;
    if text == "base" {
        return Some(Vec::new());
    }
    let (mut way, mut group) = (Vec::new(), Some(root));
    for name in text.split('.') {
        let known = group.map_or(&[][..], |group| group.fields.as_slice());
        let Some(field) = known.iter().find(|field| &*field.name == name) else {
            if !reader.problems.has_unknown(name) {
                let known: Vec<&str> = known.iter().map(|field| &*field.name).collect();
                let location = entry.value.location;
                let within = format!("`{text}`");
                reader.unknown(ProblemCode::UnknownField, "field", name, location, &within, &known);
            }
            return None;
        };
        way.push(field.name.clone());
        group = match &field.body {
            FieldBody::Container(inner) | FieldBody::Record(inner) => Some(inner),
            FieldBody::Scalar(_) | FieldBody::Records(_) => None,
        };
    }
    Some(way)
}
