//! Strings. A number becomes the string of its digits (a postcode without quotes); booleans, lists
//! and objects are rejected.

use crate::value::Value;

pub(super) fn coerce(value: Value<'_>) -> Result<Value<'_>, Value<'_>> {
    match value {
        Value::String(text) | Value::Number(text) => Ok(Value::String(text)),
        other => Err(other),
    }
}
