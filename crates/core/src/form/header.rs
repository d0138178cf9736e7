//! The keys of a form that are not its fields.

use super::Purpose;
use crate::config::{Entry, Node, ProblemCode, Reader};

/// What a form says of itself.
#[derive(Debug, Default)]
pub(crate) struct Header<'n> {
    pub(crate) name: Option<&'n str>,
    pub(crate) purpose: Purpose,
    pub(crate) refuses_unknown: bool,
    pub(crate) fields: Option<&'n Entry>,
    pub(crate) rules: Option<&'n Node>,
    pub(crate) default_payload: Option<&'n Node>,
}

const KEYS: [&str; 10] = [
    "name",
    "resource",
    "base_form",
    "resource_owner",
    "description",
    "unknown_fields",
    "fields",
    "configuration",
    "rules",
    "default_payload",
];

/// Parts of the form language that are agreed but not served by this version.
const NOT_SERVED: [&str; 4] = ["events", "examples", "extends", "definitions"];

/// Reads them.
pub(crate) fn read<'n>(reader: &mut Reader<'_>, tree: &'n Node) -> Header<'n> {
    let mut header = Header { refuses_unknown: true, ..Header::default() };
    let mut says_resource = false;
    for entry in reader.map(tree, "a form") {
        match entry.key.as_str() {
            "name" => header.name = reader.text(&entry.value, "name"),
            "resource" => {
                says_resource = true;
                reader.word(&entry.value, "resource", &["User"]);
            }
            "base_form" => {
                says_resource = true;
                reader.word(&entry.value, "base_form", &["UserForm"]);
            }
            "resource_owner" => {
                header.purpose = Purpose::Update;
                reader.word(&entry.value, "resource_owner", &["anyone"]);
            }
            "description" => {
                reader.text(&entry.value, "description");
            }
            "unknown_fields" => {
                let word = reader.word(&entry.value, "unknown_fields", &["reject", "ignore"]);
                header.refuses_unknown = word != Some("ignore");
            }
            "rules" => header.rules = Some(&entry.value),
            "default_payload" => header.default_payload = Some(&entry.value),
            "fields" | "configuration" => fields(reader, &mut header, entry),
            key if NOT_SERVED.contains(&key) => reader.problems.add(
                ProblemCode::NotServed,
                entry.place,
                format!("`{key}` of a form"),
                "a form without it: this version does not serve it yet",
                None,
            ),
            _ => reader.unknown_key(entry, "a form", &KEYS),
        }
    }
    if !says_resource {
        missing(reader, tree, "resource", "`resource: User`");
    }
    if header.fields.is_none() {
        missing(reader, tree, "fields", "`fields:` with the fields that a client may send");
    }
    header
}

fn fields<'n>(reader: &mut Reader<'_>, header: &mut Header<'n>, entry: &'n Entry) {
    if header.fields.is_some() {
        reader.problems.add(
            ProblemCode::Contradiction,
            entry.place,
            "`fields` and `configuration` are the same and stand together",
            "one of them",
            None,
        );
    }
    header.fields = Some(entry);
}

fn missing(reader: &mut Reader<'_>, tree: &Node, key: &str, expected: &str) {
    let what = format!("the form does not say `{key}`");
    reader.problems.add(ProblemCode::MissingKey, tree.place, what, expected, None);
}
