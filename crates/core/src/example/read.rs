//! Reads `examples:` of a form from YAML.

use crate::canonical::canonical_text;
use crate::compose;
use crate::config::{Data, Entry, Node, ProblemCode, Reader};
use crate::eval_context::{EvalContext, Timestamp};
use crate::form::{Example, ExampleRelationships};

const KEYS: [&str; 10] = [
    "name",
    "from",
    "form",
    "now",
    "token",
    "users",
    "records",
    "stored",
    "relationships",
    "expect",
];

/// Default token name of examples.
pub(super) const TOKEN_NAME: &str = "example";

/// Reads `examples:` of a form.
pub(crate) fn read(reader: &mut Reader<'_>, node: Option<&Node>) -> Vec<Example> {
    let Some(node) = node else { return Vec::new() };
    // Submissions of the examples already read, for `from:`.
    let mut forms: Vec<(String, Node)> = Vec::new();
    let mut examples = Vec::new();
    for item in reader.list(node, "examples") {
        examples.extend(example(reader, item, &mut forms));
    }
    examples
}

fn example(
    reader: &mut Reader<'_>,
    item: &Node,
    forms: &mut Vec<(String, Node)>,
) -> Option<Example> {
    let mut example = Example {
        name: "".into(),
        form: crate::value::Value::Null,
        eval_context: EvalContext { token: TOKEN_NAME.into(), ..EvalContext::default() },
        users: Vec::new(),
        stored: None,
        relationships: None,
        expected: Vec::new(),
        location: item.location,
    };
    let (mut base, mut form, mut has_expect) = (None, None, false);
    for entry in reader.map(item, "an example") {
        let value = &entry.value;
        match entry.key.as_str() {
            "name" => example.name = reader.text(value, "name")?.into(),
            "from" => base = Some(of_name(reader, forms, value)?),
            "form" => form = Some(value),
            "now" => example.eval_context.now = moment(reader, value)?,
            "token" => example.eval_context.token = reader.text(value, "token")?.into(),
            key @ ("users" | "records") => {
                let users = reader.list(value, key).iter().map(Node::to_value);
                example.users = users.collect();
            }
            "stored" => {
                reader.map(value, "stored");
                example.stored = Some(value.to_value());
            }
            "relationships" => {
                let mut known = ExampleRelationships::default();
                for item in reader.list(value, "relationships") {
                    match &item.data {
                        Data::Text(key) => known.keys.push(canonical_text(key, true)),
                        _ => known.ids.extend(id(item)),
                    }
                }
                example.relationships = Some(known);
            }
            "expect" => {
                has_expect = true;
                example.location = entry.location;
                example.expected = expected(reader, value);
            }
            _ => reader.unknown_key(entry, "an example", &KEYS),
        }
    }
    let report_missing = |reader: &mut Reader<'_>, what: &str, expected: &str| {
        let (code, what) = (ProblemCode::MissingKey, format!("an example without `{what}`"));
        reader.problems.add(code, item.location, what, expected, None);
    };
    if !has_expect {
        report_missing(
            reader,
            "expect",
            "`expect: valid`, or fields with the codes of their violations",
        );
        return None;
    }
    let form = match (base, form) {
        (None, None) => {
            report_missing(reader, "form", "`form:` with the submitted values");
            return None;
        }
        (None, Some(form)) => form.clone(),
        (Some(base), None) => base,
        (Some(mut base), Some(form)) => {
            compose::merge_over(&mut base, form.clone(), reader);
            base
        }
    };
    let mut form = form;
    compose::report_removals(&mut form, reader);
    example.form = form.to_value();
    forms.push((example.name.to_string(), form));
    if example.name.is_empty() {
        example.name = forms.len().to_string().into();
    }
    Some(example)
}

/// Returns the submission of an earlier example.
fn of_name(reader: &mut Reader<'_>, forms: &[(String, Node)], node: &Node) -> Option<Node> {
    let name = reader.text(node, "from")?;
    let found = forms.iter().find(|(known, _)| known == name);
    if found.is_none() {
        let known: Vec<&str> = forms.iter().map(|(name, _)| name.as_str()).collect();
        let code = ProblemCode::UnknownType;
        reader.unknown(
            code,
            "example",
            name,
            node.location,
            "`from`; it must be an earlier example",
            &known,
        );
    }
    found.map(|(_, form)| form.clone())
}

fn moment(reader: &mut Reader<'_>, node: &Node) -> Option<Timestamp> {
    let moment = reader.text(node, "now")?.parse().ok();
    if moment.is_none() {
        let expected = "an RFC 3339 timestamp such as 2026-11-23T10:30:00Z";
        let what = "`now` of an example is not a timestamp";
        reader.problems.add(ProblemCode::BadOption, node.location, what, expected, None);
    }
    moment
}

fn id(node: &Node) -> Option<i64> {
    match &node.data {
        Data::Number(text) => text.parse().ok(),
        _ => None,
    }
}

/// Reads `expect:`: `valid`, or fields with one or several codes.
fn expected(reader: &mut Reader<'_>, node: &Node) -> Vec<(String, String)> {
    let mut expected = Vec::new();
    match &node.data {
        Data::Text(text) if text == "valid" => {}
        Data::Map(entries) if !entries.is_empty() => {
            for Entry { key, value, .. } in entries {
                let one = std::slice::from_ref(value);
                let codes = match &value.data {
                    Data::List(codes) => codes.as_slice(),
                    _ => one,
                };
                for code in codes {
                    let code = reader.text(code, key).map(|code| (key.clone(), code.to_owned()));
                    expected.extend(code);
                }
            }
        }
        _ => reader.wrong_shape(
            node,
            "expect",
            "`valid`, or fields with the codes of their violations",
        ),
    }
    expected.sort();
    expected
}
