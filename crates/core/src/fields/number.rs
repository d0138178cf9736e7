//! Numbers, from JSON numbers and numeric strings, in plain notation and never rounded.

use std::borrow::Cow;

use crate::decimal::Decimal;
use crate::value::Value;

/// Coerces to an integer of 64 bits.
pub(super) fn coerce_integer(value: Value<'_>) -> Result<Value<'_>, Value<'_>> {
    match &value {
        Value::Number(text) if is_plain(text) && !text.contains('.') => Ok(value),
        _ => canonical(value, |number| number.to_i64().is_some()),
    }
}

/// Coerces to a number within the range of binary64; the digits are kept.
pub(super) fn coerce_float(value: Value<'_>) -> Result<Value<'_>, Value<'_>> {
    match &value {
        Value::Number(text) if is_plain(text) => Ok(value),
        _ => canonical(value, |number| number.to_plain_string().parse().is_ok_and(f64::is_finite)),
    }
}

/// Coerces to any number.
pub(super) fn coerce_decimal(value: Value<'_>) -> Result<Value<'_>, Value<'_>> {
    match &value {
        Value::Number(text) if is_plain(text) => Ok(value),
        _ => canonical(value, |_| true),
    }
}

fn canonical(value: Value<'_>, fits: impl Fn(&Decimal) -> bool) -> Result<Value<'_>, Value<'_>> {
    let text = match &value {
        Value::Number(text) | Value::String(text) => text,
        _ => return Err(value),
    };
    match Decimal::parse(text) {
        Some(number) if fits(&number) => {
            // A number whose plain notation is longer keeps its exponent; validation rejects it
            // later.
            let is_kept_plain = number.plain_len() <= text.len();
            let plain =
                if is_kept_plain { number.to_plain_string() } else { number.to_compact_string() };
            Ok(Value::Number(Cow::Owned(plain)))
        }
        _ => Err(value),
    }
}

/// Returns whether a JSON number is already in canonical notation and small enough for every type:
/// digits, optionally with a fraction that does not end in zero. Most numbers are, which saves
/// parsing them.
fn is_plain(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    text.len() < 18
        && match text.split_once('.') {
            Some((whole, fraction)) => {
                digits(whole) && digits(fraction) && !fraction.ends_with('0')
            }
            None => digits(text),
        }
}
