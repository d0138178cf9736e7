//! Between the values of submissions and those of expressions.

use std::borrow::Cow;

use minijinja::Value as Dynamic;
use minijinja::value::ValueKind;

use crate::decimal::Decimal;
use crate::value::Value;

/// The value as an expression sees it. Whole numbers of 64 bits stay exact, others are binary64.
pub(crate) fn to_dynamic(value: &Value<'_>) -> Dynamic {
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
            // To collect pairs would make a list of them.
            Dynamic::from_pairs(entries.iter().map(|(key, value)| (&**key, to_dynamic(value))))
        }
    }
}

/// What an expression gave, as a value of a submission; nothing where it is undefined.
pub(super) fn from_dynamic(value: &Dynamic) -> Option<Value<'static>> {
    Some(match value.kind() {
        ValueKind::Undefined => return None,
        ValueKind::None => Value::Null,
        ValueKind::Bool => Value::Bool(value.is_true()),
        ValueKind::Number => number(&value.to_string())?,
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter().ok()?;
            Value::Array(items.map(|item| from_dynamic(&item).unwrap_or_default()).collect())
        }
        ValueKind::Map => {
            let mut entries = Vec::new();
            for key in value.try_iter().ok()? {
                let inner = value.get_item(&key).ok()?;
                let inner = from_dynamic(&inner).unwrap_or_default();
                entries.push((Cow::Owned(key.to_string()), inner));
            }
            Value::Object(entries)
        }
        _ => Value::String(Cow::Owned(value.to_string())),
    })
}

/// JSON has no word for infinity, nor for what is not a number.
fn number(text: &str) -> Option<Value<'static>> {
    let number = Decimal::parse(text)?;
    Some(Value::Number(Cow::Owned(number.to_plain_string())))
}
