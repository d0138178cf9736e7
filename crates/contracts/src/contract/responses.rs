//! Reads the answers of a contract or of a route.

use std::collections::HashMap;

use super::expressions::Expressions;
use super::field_mapping::FieldMapping;
use super::input_mapping::InputMapping;
use super::outcome::Outcome;
use super::response::ResponseTemplate;
use registrar_core::config::{Data, Node, ProblemCode, Reader};
use strum::VariantNames;

/// Reads the answers of a contract or of a route.
pub(crate) fn read_responses(
    reader: &mut Reader<'_>,
    node: &Node,
    input: &InputMapping,
    expressions: &Expressions<'_>,
) -> HashMap<Outcome, ResponseTemplate> {
    let mut answers = HashMap::new();
    for entry in reader.map(node, "answers") {
        let Ok(outcome) = entry.key.parse::<Outcome>() else {
            let code = ProblemCode::UnknownKey;
            reader.unknown(
                code,
                "outcome",
                &entry.key,
                entry.location,
                "`answers`",
                Outcome::VARIANTS,
            );
            continue;
        };
        check_no_secrets(reader, &entry.value, input.fields.as_deref().unwrap_or_default());
        answers.insert(outcome, ResponseTemplate::read(reader, &entry.value, outcome, expressions));
    }
    answers
}

/// Returns the name of a write-only field that a template reads.
fn secret_field<'f>(text: &str, fields: &'f [FieldMapping]) -> Option<&'f str> {
    let shown = fields.iter().filter(|field| field.is_write_only);
    let shows = |name: &str| {
        let is_more = |rest: &str| rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        text.match_indices(name).any(|(at, _)| !is_more(&text[at + name.len()..]))
    };
    let path = |field: &&FieldMapping| {
        let to = field.to.as_ref();
        to.is_some_and(|to| shows(&format!("user.{}", to.path)))
            || shows(&format!("sent.{}", field.name))
    };
    shown.into_iter().find(path).map(|field| &*field.name)
}

/// Reports templates that read write-only fields.
fn check_no_secrets(reader: &mut Reader<'_>, node: &Node, fields: &[FieldMapping]) {
    match &node.data {
        Data::Map(entries) => {
            for entry in entries {
                check_no_secrets(reader, &entry.value, fields);
            }
        }
        Data::List(items) => {
            for item in items {
                check_no_secrets(reader, item, fields);
            }
        }
        Data::Text(text) => {
            if let Some(name) = secret_field(text, fields) {
                let what = format!("`{name}` is write-only, and an answer shows it");
                let code = ProblemCode::Contradiction;
                reader.problems.add(code, node.location, what, "an answer without it", None);
            }
        }
        _ => {}
    }
}
