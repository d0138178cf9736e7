//! Fuzz target of the JSON decoder, with serde_json as the reference.

use registrar_contracts::decode::{DecodeErrorKind, MAX_DEPTH, json as decode};
use registrar_core::decimal::Decimal;
use registrar_core::value::Value;
use serde_json::Value as SerdeValue;

/// Key under which serde_json's `arbitrary_precision` feature represents numbers.
const SERDE_NUMBER_KEY: &str = "$serde_json::private::Number";

/// A decoded value equals that of serde_json and survives serialisation. An error is either a
/// syntax error for serde_json too, or names the limit that was exceeded.
pub fn json(bytes: &[u8]) {
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let expected = serde_json::from_slice::<SerdeValue>(text);
    match decode::parse(bytes) {
        Ok(value) => {
            let written = serde_json::to_string(&value).unwrap();
            let again = decode::parse(written.as_bytes()).unwrap();
            assert!(is_same(&value, &again), "{value:?} was written as {written}");
            if !has_serde_number_key(&value) {
                let expected = expected.unwrap();
                assert!(
                    is_equal_to_serde(&value, &expected),
                    "{value:?} is {expected:?} to serde_json"
                );
            }
        }
        Err(error) => {
            let has = |part: &[u8]| text.windows(part.len()).any(|window| window == part);
            let opened = text.iter().filter(|byte| matches!(byte, b'[' | b'{')).count();
            match error.kind {
                DecodeErrorKind::Empty | DecodeErrorKind::Syntax | DecodeErrorKind::Encoding => {
                    assert!(expected.is_err(), "serde_json accepts input that gave {error}");
                }
                DecodeErrorKind::Nul => assert!(has(b"\0") || has(b"\\u0000"), "{error}"),
                DecodeErrorKind::DuplicateKey => assert!(error.pointer.is_some(), "{error}"),
                DecodeErrorKind::TooDeep => assert!(opened > MAX_DEPTH, "{error}"),
                DecodeErrorKind::NumberRange => {
                    assert!(has(b"e") || has(b"E") || text.len() > 400, "{error}");
                }
                _ => panic!("unexpected error kind: {error}"),
            }
            let lines = 1 + text.iter().filter(|byte| **byte == b'\n').count();
            assert!(error.line.is_none_or(|line| (1..=lines).contains(&line)), "{error}");
        }
    }
}

/// Returns true if two strings denote the same number; `-0` is serialised as `0`.
fn is_same_number(one: &str, other: &str) -> bool {
    let (one, other) = (Decimal::parse(one), Decimal::parse(other));
    one.is_some() && one == other
}

fn is_same(one: &Value<'_>, other: &Value<'_>) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => is_same_number(one, other),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let mut both = one.iter().zip(other);
            one.len() == other.len()
                && both.all(|(one, other)| one.0 == other.0 && is_same(&one.1, &other.1))
        }
        _ => one == other,
    }
}

fn is_equal_to_serde(decoded: &Value<'_>, expected: &SerdeValue) -> bool {
    match (decoded, expected) {
        (Value::Null, SerdeValue::Null) => true,
        (Value::Bool(decoded), SerdeValue::Bool(expected)) => decoded == expected,
        (Value::Number(decoded), SerdeValue::Number(expected)) => {
            is_same_number(decoded, &expected.to_string())
        }
        (Value::String(decoded), SerdeValue::String(expected)) => decoded == expected,
        (Value::Array(decoded), SerdeValue::Array(expected)) => {
            decoded.len() == expected.len()
                && decoded
                    .iter()
                    .zip(expected)
                    .all(|(decoded, expected)| is_equal_to_serde(decoded, expected))
        }
        (Value::Object(decoded), SerdeValue::Object(expected)) => {
            let agrees = |key: &str, decoded| {
                expected.get(key).is_some_and(|expected| is_equal_to_serde(decoded, expected))
            };
            decoded.len() == expected.len()
                && decoded.iter().all(|(key, decoded)| agrees(key, decoded))
        }
        _ => false,
    }
}

fn has_serde_number_key(value: &Value<'_>) -> bool {
    match value {
        Value::Array(items) => items.iter().any(has_serde_number_key),
        Value::Object(entries) => entries
            .iter()
            .any(|(key, value)| key == SERDE_NUMBER_KEY || has_serde_number_key(value)),
        _ => false,
    }
}
