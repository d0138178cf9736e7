//! Coercion of lists.

use crate::value::Value;

pub(super) fn coerce_array(value: Value<'_>) -> Result<Value<'_>, Value<'_>> {
    match value {
        Value::Array(_) => Ok(value),
        other => Err(other),
    }
}
