//! `default_payload:` of a form: what the server adds to each submission, and wins with.

use std::borrow::Cow;

use super::{Body, Field, Group};
use crate::config::{Data, Entry, Node, Place, ProblemCode, Problems, Reader, parse};
use crate::expression::{Names, Template};
use crate::fields::FieldType;
use crate::value::Value;

/// What is added, in the shape of a submission.
#[derive(Debug)]
pub(crate) struct Payload(pub(crate) Vec<(String, Given)>);

/// A value to be worked out.
#[derive(Debug)]
pub(crate) enum Given {
    Literal(Value<'static>),
    Template(Template),
    List(Vec<Given>),
    Object(Vec<(String, Given)>),
}

impl Payload {
    /// Finds the fields that its expressions name.
    pub(super) fn link(&mut self, reader: &mut Reader<'_>, form: &Names) {
        self.0.iter_mut().for_each(|(_, given)| given.link(reader, form));
    }
}

impl Given {
    fn link(&mut self, reader: &mut Reader<'_>, form: &Names) {
        match self {
            Self::Literal(_) => {}
            Self::Template(template) => template.link(reader, form, form, false),
            Self::List(items) => items.iter_mut().for_each(|item| item.link(reader, form)),
            Self::Object(entries) => {
                entries.iter_mut().for_each(|(_, given)| given.link(reader, form));
            }
        }
    }
}

/// Reads it: a tree, or the text of one in JSON.
pub(super) fn read(reader: &mut Reader<'_>, root: &Group, node: Option<&Node>) -> Option<Payload> {
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
    (!entries.is_empty()).then_some(Payload(entries))
}

/// JSON with expressions in it; one outside of quotes is taken as if it stood in them, for an
/// expression alone keeps its type.
fn json(reader: &mut Reader<'_>, node: &Node, text: &str) -> Option<Node> {
    let mut aside = Problems::new("default_payload".into());
    let tree = parse(&quoted(text), &mut aside).filter(|_| aside.is_empty());
    let Some(mut tree) = tree.filter(|tree| matches!(tree.data, Data::Map(_) | Data::Null)) else {
        reader.problems.add(
            ProblemCode::BadExpression,
            node.place,
            "the text of `default_payload` is no JSON object",
            "a YAML tree, or JSON with expressions in its values: `{\"name\": \"{{ form.name }}\"}`",
            None,
        );
        return None;
    };
    place_at(&mut tree, node.place);
    Some(tree)
}

fn place_at(node: &mut Node, place: Place) {
    node.place = place;
    match &mut node.data {
        Data::List(items) => items.iter_mut().for_each(|item| place_at(item, place)),
        Data::Map(entries) => entries.iter_mut().for_each(|Entry { place: at, value, .. }| {
            *at = place;
            place_at(value, place);
        }),
        _ => {}
    }
}

/// Puts quotes around expressions that stand outside of quotes.
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

fn object(reader: &mut Reader<'_>, group: &Group, node: &Node) -> Vec<(String, Given)> {
    let mut entries = Vec::new();
    for entry in reader.map(node, "default_payload") {
        let name = entry.key.strip_suffix("_attributes").unwrap_or(&entry.key);
        let Some(field) = group.index_of(&entry.key).or_else(|| group.index_of(name)) else {
            let known: Vec<&str> = group.fields.iter().map(|field| &*field.name).collect();
            if !reader.problems.has_unknown(&entry.key) {
                let code = ProblemCode::UnknownField;
                let within = "`default_payload`; the form must list it";
                reader.unknown(code, "field", &entry.key, entry.place, within, &known);
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

fn value(reader: &mut Reader<'_>, field: &Field, node: &Node) -> Option<Given> {
    match (&field.body, &node.data) {
        (Body::Scalar(scalar), _) => {
            let given = free(reader, node)?;
            if let Given::Literal(value) = &given
                && scalar.field_type.coerce(value.clone()).is_err()
            {
                let expected =
                    format!("a value of the type {}", FieldType::name(scalar.field_type));
                let what = format!("what `default_payload` says for `{}`", field.name);
                reader.problems.add(ProblemCode::BadDefault, node.place, what, expected, None);
            }
            Some(given)
        }
        (Body::List(group), Data::List(items)) => {
            let items = items.iter().map(|item| Given::Object(object(reader, group, item)));
            Some(Given::List(items.collect()))
        }
        (Body::Container(group) | Body::Node(group) | Body::List(group), _) => {
            Some(Given::Object(object(reader, group, node)))
        }
    }
}

/// A value in which anything may stand.
fn free(reader: &mut Reader<'_>, node: &Node) -> Option<Given> {
    Some(match &node.data {
        Data::Text(text) if Template::is_in(text) => {
            Given::Template(Template::compile(reader, node, text)?)
        }
        Data::List(items) => {
            Given::List(items.iter().filter_map(|item| free(reader, item)).collect())
        }
        Data::Map(entries) => {
            let entries = entries.iter();
            Given::Object(
                entries
                    .filter_map(|entry| Some((entry.key.clone(), free(reader, &entry.value)?)))
                    .collect(),
            )
        }
        Data::Text(text) => Given::Literal(Value::String(Cow::Owned(text.clone()))),
        _ => Given::Literal(node.to_value()),
    })
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn expressions_outside_of_quotes_get_some() {
        for (json, becomes) in [
            (r#"{"a": {{ form.n }}}"#, r#"{"a": "{{ form.n }}"}"#),
            (r#"{"a": "{{ form.n }}"}"#, r#"{"a": "{{ form.n }}"}"#),
            (r#"{"a": "x\"{{ form.n }}"}"#, r#"{"a": "x\"{{ form.n }}"}"#),
            (r#"{"a": {{ form.n | default: "x" }}}"#, r#"{"a": "{{ form.n | default: \"x\" }}"}"#),
            (
                r#"{"a": "{{ form.n | default: "x" }}"}"#,
                r#"{"a": "{{ form.n | default: \"x\" }}"}"#,
            ),
        ] {
            assert_eq!(quoted(json), becomes);
        }
    }
}
