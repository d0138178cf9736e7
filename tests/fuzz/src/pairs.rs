//! Flattens a tree of form fields into name and value pairs.

use std::borrow::Cow;

use registrar_core::value::Value;

/// Returns the fields of a decoded form as names in bracket notation and values.
pub(crate) fn flatten(tree: &Value<'_>) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    collect(tree, String::new(), &mut pairs);
    pairs
}

/// Returns the pairs as the decoder takes them.
pub(crate) fn borrowed(
    pairs: &[(String, String)],
) -> impl DoubleEndedIterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    pairs.iter().map(|(name, value)| (Cow::Borrowed(&**name), Cow::Borrowed(&**value)))
}

/// Sorts the keys of every object.
pub(crate) fn sorted(tree: Value<'_>) -> Value<'_> {
    match tree {
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        Value::Object(entries) => {
            let mut entries: Vec<_> =
                entries.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            entries.sort_by(|one, other| one.0.cmp(&other.0));
            Value::Object(entries)
        }
        other => other,
    }
}

fn collect(tree: &Value<'_>, name: String, pairs: &mut Vec<(String, String)>) {
    match tree {
        Value::String(text) => pairs.push((name, text.to_string())),
        Value::Array(items) => {
            items.iter().for_each(|item| collect(item, format!("{name}[]"), pairs));
        }
        Value::Object(entries) => {
            for (key, value) in entries {
                let inner =
                    if name.is_empty() { key.to_string() } else { format!("{name}[{key}]") };
                collect(value, inner, pairs);
            }
        }
        other => panic!("no form field: {other:?}"),
    }
}
