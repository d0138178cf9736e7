//! Writes JSON for storage and comparison: with sorted keys and canonical numbers, so that every
//! database returns the same string.

use std::borrow::Cow;

use serde_json::to_string;

use crate::aggregate::JsonObject;
use crate::decimal::Decimal;
use crate::value::Value;

/// Returns a string for comparing values: equal values have equal strings, which are never much
/// longer than the submitted value.
pub fn canonical_json(value: &Value<'_>) -> String {
    let mut text = String::new();
    write(value, canonical_number, &mut text);
    text
}

/// Returns a value as the JSON string that is stored.
pub(crate) fn stored_json(value: &Value<'_>) -> String {
    let mut text = String::new();
    write(value, stored_number, &mut text);
    text
}

/// Returns an object of typed values as the JSON string that is stored.
pub(crate) fn object(entries: &[(Cow<'_, str>, Value<'_>)]) -> JsonObject {
    let mut text = String::new();
    write_object(entries, stored_number, &mut text);
    text
}

/// Returns whether all numbers in a value can be stored, see [`Decimal::is_storable`].
pub(crate) fn is_storable(value: &Value<'_>) -> bool {
    match value {
        Value::Number(text) => Decimal::is_storable(text),
        Value::Array(items) => items.iter().all(is_storable),
        Value::Object(entries) => entries.iter().all(|(_, value)| is_storable(value)),
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}

/// Formats a number that is not a short natural number; for `None` the number is written unchanged.
type Spell = fn(&str) -> Option<String>;

fn canonical_number(text: &str) -> Option<String> {
    Some(Decimal::parse(text)?.to_compact_string())
}

fn stored_number(text: &str) -> Option<String> {
    let number = Decimal::parse(text)?;
    let is_kept_plain = number.plain_len() <= text.len();
    Some(if is_kept_plain { number.to_plain_string() } else { number.to_compact_string() })
}

fn write(value: &Value<'_>, spell: Spell, text: &mut String) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(true) => text.push_str("true"),
        Value::Bool(false) => text.push_str("false"),
        Value::Number(number) => {
            let is_natural = number.len() < 18 && number.bytes().all(|byte| byte.is_ascii_digit());
            match if is_natural { None } else { spell(number) } {
                Some(spelled) => text.push_str(&spelled),
                None => text.push_str(number),
            }
        }
        Value::String(string) => write_string(string, text),
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write(item, spell, text);
            }
            text.push(']');
        }
        Value::Object(entries) => write_object(entries, spell, text),
    }
}

fn write_object(entries: &[(Cow<'_, str>, Value<'_>)], spell: Spell, text: &mut String) {
    let mut sorted: Vec<&(Cow<'_, str>, Value<'_>)> = entries.iter().collect();
    sorted.sort_by(|(one, _), (other, _)| one.cmp(other));
    text.push('{');
    for (index, (key, value)) in sorted.into_iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        write_string(key, text);
        text.push(':');
        write(value, spell, text);
    }
    text.push('}');
}

fn write_string(string: &str, text: &mut String) {
    // Serializing a string to memory cannot fail.
    text.push_str(&to_string(string).unwrap_or_default());
}
