//! Numbers, from JSON numbers and from numeric texts, in plain notation and never rounded.

use std::borrow::Cow;

use crate::decimal::Decimal;
use crate::value::Value;

/// A whole number that fits 64 bits.
pub(super) fn coerce_integer(value: Value<'_>) -> Result<Value<'_>, Value<'_>> {
    // What is already the plain notation of a small number stays as it is.
    if let Value::Number(text) = &value
        && text.len() < 18
        && text.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Ok(value);
    }
    canonical(value, |number| number.to_i64().is_some())
}

/// A number that a binary64 can hold, kept as it was written.
pub(super) fn coerce_float(value: Value<'_>) -> Result<Value<'_>, Value<'_>> {
    canonical(value, |number| number.to_plain_string().parse().is_ok_and(f64::is_finite))
}

/// Any number.
pub(super) fn coerce_decimal(value: Value<'_>) -> Result<Value<'_>, Value<'_>> {
    canonical(value, |_| true)
}

fn canonical(value: Value<'_>, fits: impl Fn(&Decimal) -> bool) -> Result<Value<'_>, Value<'_>> {
    let number = match &value {
        Value::Number(text) | Value::String(text) => Decimal::parse(text),
        _ => None,
    };
    match number {
        Some(number) if fits(&number) => Ok(Value::Number(Cow::Owned(number.to_plain_string()))),
        _ => Err(value),
    }
}
