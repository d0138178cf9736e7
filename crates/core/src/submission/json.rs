//! JSON as it is stored: keys sorted, numbers in plain notation, so that every database gives back
//! the same text of it.

use std::borrow::Cow;

use serde_json::to_string;

use crate::aggregate::JsonObject;
use crate::decimal::Decimal;
use crate::value::Value;

/// The text of a value.
pub(crate) fn canonical_json(value: &Value<'_>) -> String {
    let mut value = value.clone();
    canonicalize(&mut value);
    text(&value)
}

/// The text of an object of typed values.
pub(super) fn object(mut entries: Vec<(Cow<'_, str>, Value<'_>)>) -> JsonObject {
    if entries.is_empty() {
        return "{}".to_owned();
    }
    entries.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (_, value) in &mut entries {
        canonicalize(value);
    }
    text(&Value::Object(entries))
}

fn text(value: &Value<'_>) -> String {
    // Writing to memory fails only for maps whose keys are not texts; these are.
    to_string(value).unwrap_or_else(|_| "null".to_owned())
}

fn canonicalize(value: &mut Value<'_>) {
    match value {
        Value::Number(number) => {
            let is_plain = number.len() < 18 && number.bytes().all(|byte| byte.is_ascii_digit());
            if !is_plain && let Some(decimal) = Decimal::parse(number) {
                *number = Cow::Owned(decimal.to_plain_string());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(canonicalize),
        Value::Object(entries) => {
            entries.sort_by(|(one, _), (other, _)| one.cmp(other));
            entries.iter_mut().for_each(|(_, value)| canonicalize(value));
        }
        _ => {}
    }
}
