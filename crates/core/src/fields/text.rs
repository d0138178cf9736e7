//! Texts. A number is taken as the text it was sent as (a postcode without quotes); true, lists
//! and objects are not texts.

use crate::value::Value;

pub(super) fn coerce(value: Value<'_>) -> Result<Value<'_>, Value<'_>> {
    match value {
        Value::String(text) | Value::Number(text) => Ok(Value::String(text)),
        other => Err(other),
    }
}
