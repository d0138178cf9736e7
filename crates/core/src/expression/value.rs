//! Conversion between the values of submissions and those of minijinja.

use std::borrow::Cow;

use minijinja::Value as Dynamic;
use minijinja::value::ValueKind;

use crate::decimal::Decimal;
use crate::value::Value;

/// Converts a value for an expression. Integers that fit `i64` stay exact; other numbers become
/// `f64`.
pub fn to_dynamic(value: &Value<'_>) -> Dynamic {
    match value {
        Value::Null => Dynamic::from(()),
        Value::Bool(flag) => Dynamic::from(*flag),
        Value::Number(text) => match (text.parse::<i64>(), text.parse::<f64>()) {
            (Ok(number), _) => Dynamic::from(number),
            (_, Ok(number)) => Dynamic::from(number),
            _ => Dynamic::UNDEFINED,
        },
        Value::String(text) => Dynamic::from(&**text),
        Value::Array(items) => items.iter().map(to_dynamic).collect(),
        Value::Object(entries) => {
            // Collecting the pairs would make a list of them.
            Dynamic::from_pairs(entries.iter().map(|(key, value)| (&**key, to_dynamic(value))))
        }
    }
}

/// Converts the result of an expression; returns `None` if it is undefined or has no JSON
/// representation. `left` is the number of bytes that it may still have, written as JSON.
///
/// # Errors
/// Returns an error if the value is larger.
pub(super) fn from_dynamic(
    value: &Dynamic,
    left: &mut usize,
) -> Result<Option<Value<'static>>, TooLong> {
    let mut spend = |bytes: usize| match left.checked_sub(bytes) {
        Some(less) => {
            *left = less;
            Ok(())
        }
        None => Err(TooLong),
    };
    spend(1)?;
    Ok(Some(match value.kind() {
        ValueKind::Undefined => return Ok(None),
        ValueKind::None => Value::Null,
        ValueKind::Bool => Value::Bool(value.is_true()),
        ValueKind::Number => match number(&value.to_string()) {
            Some(number) => number,
            None => return Ok(None),
        },
        ValueKind::Seq | ValueKind::Iterable => {
            let Ok(items) = value.try_iter() else { return Ok(None) };
            let items = items.map(|item| Ok(from_dynamic(&item, left)?.unwrap_or_default()));
            Value::Array(items.collect::<Result<_, TooLong>>()?)
        }
        ValueKind::Map => {
            let mut entries = Vec::new();
            let Ok(keys) = value.try_iter() else { return Ok(None) };
            for key in keys {
                let Ok(inner) = value.get_item(&key) else { return Ok(None) };
                let key = key.to_string();
                *left = left.checked_sub(key.len()).ok_or(TooLong)?;
                entries.push((Cow::Owned(key), from_dynamic(&inner, left)?.unwrap_or_default()));
            }
            Value::Object(entries)
        }
        _ => match value.as_str() {
            Some(text) => {
                spend(text.len())?;
                Value::String(Cow::Owned(text.to_owned()))
            }
            None => {
                let text = value.to_string();
                spend(text.len())?;
                Value::String(Cow::Owned(text))
            }
        },
    }))
}

/// The error that the result of an expression exceeds its limit.
#[derive(Debug, Clone, Copy)]
pub(super) struct TooLong;

/// Returns a number as JSON, or `None` for infinities and NaN, which JSON cannot represent.
fn number(text: &str) -> Option<Value<'static>> {
    let number = Decimal::parse(text)?;
    Some(Value::Number(Cow::Owned(number.to_compact_string())))
}
