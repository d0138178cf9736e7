//! JSON: the same verdict and the same value as serde_json's, within what Registrar refuses.

use registrar_core::decimal::Decimal;
use registrar_core::decode::{DecodeErrorKind, MAX_DEPTH, json as decode};
use registrar_core::value::Value;
use serde_json::Value as Theirs;

/// The key that serde_json takes for a number of its own.
const THEIR_NUMBER: &str = "$serde_json::private::Number";

/// What is read is what serde_json reads, and stays itself when it is written and read again; what
/// is refused is no JSON, or goes over a bound that the kind of the refusal names.
pub fn json(bytes: &[u8]) {
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let theirs = serde_json::from_slice::<Theirs>(text);
    match decode::parse(bytes) {
        Ok(value) => {
            let written = serde_json::to_string(&value).unwrap();
            let again = decode::parse(written.as_bytes()).unwrap();
            assert!(is_same(&value, &again), "{value:?} was written as {written}");
            if !has_their_number(&value) {
                let theirs = theirs.unwrap();
                assert!(agree(&value, &theirs), "{value:?} is {theirs:?} to serde_json");
            }
        }
        Err(error) => {
            let has = |part: &[u8]| text.windows(part.len()).any(|window| window == part);
            let opened = text.iter().filter(|byte| matches!(byte, b'[' | b'{')).count();
            match error.kind {
                DecodeErrorKind::Empty | DecodeErrorKind::Syntax | DecodeErrorKind::Encoding => {
                    assert!(theirs.is_err(), "serde_json reads what gave {error}");
                }
                DecodeErrorKind::Nul => assert!(has(b"\0") || has(b"\\u0000"), "{error}"),
                DecodeErrorKind::DuplicateKey => assert!(error.pointer.is_some(), "{error}"),
                DecodeErrorKind::TooDeep => assert!(opened > MAX_DEPTH, "{error}"),
                DecodeErrorKind::NumberRange => {
                    assert!(has(b"e") || has(b"E") || text.len() > 400, "{error}");
                }
                _ => panic!("no refusal of JSON: {error}"),
            }
            let lines = 1 + text.iter().filter(|byte| **byte == b'\n').count();
            assert!(error.line.is_none_or(|line| (1..=lines).contains(&line)), "{error}");
        }
    }
}

/// Whether two texts are one number: `-0` is written as `0`.
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

fn agree(ours: &Value<'_>, theirs: &Theirs) -> bool {
    match (ours, theirs) {
        (Value::Null, Theirs::Null) => true,
        (Value::Bool(ours), Theirs::Bool(theirs)) => ours == theirs,
        (Value::Number(ours), Theirs::Number(theirs)) => is_same_number(ours, &theirs.to_string()),
        (Value::String(ours), Theirs::String(theirs)) => ours == theirs,
        (Value::Array(ours), Theirs::Array(theirs)) => {
            ours.len() == theirs.len()
                && ours.iter().zip(theirs).all(|(ours, theirs)| agree(ours, theirs))
        }
        (Value::Object(ours), Theirs::Object(theirs)) => {
            let agrees =
                |key: &str, ours| theirs.get(key).is_some_and(|theirs| agree(ours, theirs));
            ours.len() == theirs.len() && ours.iter().all(|(key, ours)| agrees(key, ours))
        }
        _ => false,
    }
}

fn has_their_number(value: &Value<'_>) -> bool {
    match value {
        Value::Array(items) => items.iter().any(has_their_number),
        Value::Object(entries) => {
            entries.iter().any(|(key, value)| key == THEIR_NUMBER || has_their_number(value))
        }
        _ => false,
    }
}
