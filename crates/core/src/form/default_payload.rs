//! Reads `default_payload:` of a form: values that the server sets in each submission, over those
//! of the client.

use std::borrow::Cow;

use super::{Field, FieldBody, Group};
use crate::config::{Data, Entry, Location, Node, ProblemCode, Problems, Reader, parse};
use crate::expression::{NameScope, Template};
use crate::fields::FieldType;
use crate::value::Value;

/// Values to set, in the shape of a submission.
#[derive(Debug)]
pub(crate) struct DefaultPayload(pub(crate) Vec<(String, PayloadValue)>);

/// Value of the default payload, computed for each submission.
#[derive(Debug)]
pub(crate) enum PayloadValue {
    Literal(Value<'static>),
    Template(Template),
    List(Vec<PayloadValue>),
    Object(Vec<(String, PayloadValue)>),
}

impl DefaultPayload {
    /// Resolves the field names in its expressions.
    pub(crate) fn resolve(&mut self, reader: &mut Reader<'_>, form: &NameScope) {
        self.0.iter_mut().for_each(|(_, given)| given.resolve(reader, form));
    }
}

impl PayloadValue {
    fn resolve(&mut self, reader: &mut Reader<'_>, form: &NameScope) {
        match self {
            Self::Literal(_) => {}
            Self::Template(template) => template.resolve(reader, form, form, false),
            Self::List(items) => items.iter_mut().for_each(|item| item.resolve(reader, form)),
            Self::Object(entries) => {
                entries.iter_mut().for_each(|(_, given)| given.resolve(reader, form));
            }
        }
    }
}

/// Reads `default_payload:`, a YAML tree or a JSON string.
pub(crate) fn read(
    reader: &mut Reader<'_>,
    root: &Group,
    node: Option<&Node>,
) -> Option<DefaultPayload> {
    let node = node?;
    let from_text;
    let tree = match &node.data {
        Data::Text(text) => {
            from_text = json(reader, node, text)?;
            &from_text
        }
        _ => node,
    };
    let entries = object(reader, root, tree);
    (!entries.is_empty()).then_some(DefaultPayload(entries))
}

/// Parses JSON with expressions. An expression outside quotes is parsed as if it were quoted,
/// because a string that is a single expression keeps the type of its result.
fn json(reader: &mut Reader<'_>, node: &Node, text: &str) -> Option<Node> {
    let mut aside = Problems::new("default_payload".into());
    let tree = parse(&quoted(text), &mut aside).filter(|_| aside.is_empty());
    let Some(mut tree) = tree.filter(|tree| matches!(tree.data, Data::Map(_) | Data::Null)) else {
        reader.problems.add(
            ProblemCode::BadExpression,
            node.location,
            "the text of `default_payload` is not a JSON object",
            "a YAML tree, or JSON with expressions in its values: `{\"name\": \"{{ form.name }}\"}`",
            None,
        );
        return None;
    };
    set_location(&mut tree, node.location);
    Some(tree)
}

fn set_location(node: &mut Node, location: Location) {
    node.location = location;
    match &mut node.data {
        Data::List(items) => items.iter_mut().for_each(|item| set_location(item, location)),
        Data::Map(entries) => {
            entries.iter_mut().for_each(|Entry { location: at, value, .. }| {
                *at = location;
                set_location(value, location);
            })
        }
        _ => {}
    }
}

/// Adds quotes around expressions outside quotes, and escapes those within quotes.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let (mut rest, mut in_quotes) = (text, false);
    while let Some(first) = rest.chars().next() {
        if rest.starts_with("{{")
            && let Some(end) = rest.find("}}")
        {
            let expression = &rest[..end + 2];
            if in_quotes {
                out.push_str(&expression.replace("\\\"", "\"").replace('"', "\\\""));
            } else {
                out.push('"');
                out.push_str(&expression.replace('\\', "\\\\").replace('"', "\\\""));
                out.push('"');
            }
            rest = &rest[end + 2..];
            continue;
        }
        if first == '\\'
            && let Some(second) = rest[1..].chars().next()
        {
            out.push_str(&rest[..1 + second.len_utf8()]);
            rest = &rest[1 + second.len_utf8()..];
            continue;
        }
        in_quotes ^= first == '"';
        out.push(first);
        rest = &rest[first.len_utf8()..];
    }
    out
}

fn object(reader: &mut Reader<'_>, group: &Group, node: &Node) -> Vec<(String, PayloadValue)> {
    let mut entries = Vec::new();
    for entry in reader.map(node, "default_payload") {
        let name = entry.key.strip_suffix("_attributes").unwrap_or(&entry.key);
        let Some(field) = group.index_of(&entry.key).or_else(|| group.index_of(name)) else {
            let known: Vec<&str> = group.fields.iter().map(|field| &*field.name).collect();
            if !reader.problems.has_unknown(&entry.key) {
                let code = ProblemCode::UnknownField;
                let within = "`default_payload`; the form must list it";
                reader.unknown(code, "field", &entry.key, entry.location, within, &known);
            }
            continue;
        };
        let field = &group.fields[field];
        if let Some(given) = value(reader, field, &entry.value) {
            entries.push((field.name.to_string(), given));
        }
    }
    entries
}

fn value(reader: &mut Reader<'_>, field: &Field, node: &Node) -> Option<PayloadValue> {
    match (&field.body, &node.data) {
        (FieldBody::Scalar(scalar), _) => {
            let given = read_any(reader, node)?;
            if let PayloadValue::Literal(value) = &given
                && scalar.field_type.coerce(value.clone()).is_err()
            {
                let expected =
                    format!("a value of the type {}", FieldType::name(scalar.field_type));
                let what = format!("the `default_payload` value for `{}`", field.name);
                reader.problems.add(ProblemCode::BadDefault, node.location, what, expected, None);
            }
            Some(given)
        }
        (FieldBody::Records(group), Data::List(items)) => {
            let items = items.iter().map(|item| PayloadValue::Object(object(reader, group, item)));
            Some(PayloadValue::List(items.collect()))
        }
        (FieldBody::Container(group) | FieldBody::Record(group) | FieldBody::Records(group), _) => {
            Some(PayloadValue::Object(object(reader, group, node)))
        }
    }
}

/// Reads a value of any shape.
fn read_any(reader: &mut Reader<'_>, node: &Node) -> Option<PayloadValue> {
    Some(match &node.data {
        Data::Text(text) if Template::is_in(text) => {
            PayloadValue::Template(Template::compile(reader, node, text)?)
        }
        Data::List(items) => {
            PayloadValue::List(items.iter().filter_map(|item| read_any(reader, item)).collect())
        }
        Data::Map(entries) => {
            let entries = entries.iter();
            PayloadValue::Object(
                entries
                    .filter_map(|entry| Some((entry.key.clone(), read_any(reader, &entry.value)?)))
                    .collect(),
            )
        }
        Data::Text(text) => PayloadValue::Literal(Value::String(Cow::Owned(text.clone()))),
        _ => PayloadValue::Literal(node.to_value()),
    })
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn quotes_unquoted_expressions() {
        for (json, expected) in [
            (r#"{"a": {{ form.n }}}"#, r#"{"a": "{{ form.n }}"}"#),
            (r#"{"a": "{{ form.n }}"}"#, r#"{"a": "{{ form.n }}"}"#),
            (r#"{"a": "x\"{{ form.n }}"}"#, r#"{"a": "x\"{{ form.n }}"}"#),
            (r#"{"a": {{ form.n | default: "x" }}}"#, r#"{"a": "{{ form.n | default: \"x\" }}"}"#),
            (
                r#"{"a": "{{ form.n | default: "x" }}"}"#,
                r#"{"a": "{{ form.n | default: \"x\" }}"}"#,
            ),
        ] {
            assert_eq!(quoted(json), expected);
        }
    }
}
