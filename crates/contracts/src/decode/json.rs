//! Decodes JSON (RFC 8259) to a [`Value`], more strictly than most parsers: documents that two
//! parsers could interpret differently are rejected.
//!
//! There is no size limit: the server limits the body before, and decoding takes linear time and
//! memory.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::entries::IndexedEntries;
use super::trace::{Trace, at_offset};
use super::{DecodeError, DecodeErrorKind, MAX_DEPTH};
use registrar_core::decimal::Decimal;
use registrar_core::value::Value;

/// Parses a JSON document. Strings without escapes borrow from `bytes`; numbers keep their digits
/// (an exponent gets an explicit sign: `1E5` becomes `1e+5`).
///
/// A byte order mark at the start is ignored, as RFC 8259 section 8.1 allows.
///
/// # Errors
///
/// Returns an error for bytes that are not UTF-8 or an unpaired surrogate escape (section 8.2); an
/// empty body; U+0000, raw or escaped; a duplicate key in an object (section 4 leaves its meaning
/// open); nesting deeper than [`MAX_DEPTH`]; a number that [`Decimal`] cannot hold; and any other
/// text that is not JSON, including content after the document.
pub fn parse(bytes: &[u8]) -> Result<Value<'_>, DecodeError> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes)
        .map_err(|error| at_offset(DecodeErrorKind::Encoding, bytes, error.valid_up_to()))?;
    if text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')) {
        return Err(DecodeError::new(DecodeErrorKind::Empty));
    }
    if bytes.contains(&0) {
        let offset = bytes.iter().take_while(|byte| **byte != 0).count();
        return Err(at_offset(DecodeErrorKind::Nul, bytes, offset));
    }
    let trace = Trace::default();
    let mut reader = serde_json::Deserializer::from_str(text);
    match (ValueSeed { trace: &trace, depth: 1 }).deserialize(&mut reader) {
        Ok(value) => reader.end().map(|()| value).map_err(|error| trace.error(&error)),
        Err(error) => Err(trace.error(&error)),
    }
}

/// The key under which serde_json, with its feature `arbitrary_precision`, passes a number to a
/// visitor: as a map with this one entry, whose value is the number as an owned string. Strings of
/// the document are never owned, which distinguishes such a map from a client's object.
const NUMBER_KEY: &str = "$serde_json::private::Number";

/// Deserializes a value at a nesting depth.
#[derive(Clone, Copy)]
struct ValueSeed<'t> {
    trace: &'t Trace,
    depth: usize,
}

impl ValueSeed<'_> {
    fn deeper(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }

    fn check_depth<E: Error>(self) -> Result<(), E> {
        if self.depth > MAX_DEPTH {
            Err(self.trace.refuse(DecodeErrorKind::TooDeep))
        } else {
            Ok(())
        }
    }
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value<'de>, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = Value<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(flag))
    }

    // 64-bit integers arrive here, all other numbers as a map with `NUMBER_KEY`.
    fn visit_u64<E>(self, number: u64) -> Result<Value<'de>, E> {
        Ok(Value::Number(Cow::Owned(number.to_string())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value<'de>, E> {
        Ok(Value::Number(Cow::Owned(number.to_string())))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::String(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value<'de>, E> {
        unescaped(self.trace, text).map(Value::String)
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value<'de>, E> {
        self.trace.owned.set(true);
        match Decimal::parse(&text) {
            Some(_) => Ok(Value::Number(Cow::Owned(text))),
            None => Err(self.trace.refuse(DecodeErrorKind::NumberRange)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value<'de>, A::Error> {
        self.check_depth()?;
        let mut items = Vec::new();
        loop {
            match list.next_element_seed(self.deeper()) {
                Ok(Some(item)) => {
                    if items.is_empty() {
                        // Avoids the default capacity of four for nested arrays of one item each.
                        items.reserve_exact(1);
                    }
                    items.push(item);
                }
                Ok(None) => return Ok(Value::Array(items)),
                Err(error) => {
                    self.trace.inside(&items.len().to_string());
                    return Err(error);
                }
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value<'de>, A::Error> {
        let mut fields = IndexedEntries::new();
        while let Some(key) = map.next_key_seed(KeySeed(self.trace))? {
            let perhaps_number = fields.is_empty() && key == NUMBER_KEY;
            if !perhaps_number {
                self.check_depth()?;
            }
            if fields.find(&key).is_some() {
                self.trace.inside(&key);
                return Err(self.trace.refuse(DecodeErrorKind::DuplicateKey));
            }
            let value = map.next_value_seed(self.deeper());
            if perhaps_number && self.trace.owned.take() {
                return value;
            }
            let value = value.inspect_err(|_| self.trace.inside(&key))?;
            fields.push(key, value);
        }
        self.check_depth()?;
        Ok(Value::Object(fields.into_entries()))
    }
}

/// Deserializes a key.
struct KeySeed<'t>(&'t Trace);

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Cow<'de, str>, D::Error> {
        reader.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for KeySeed<'_> {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Cow<'de, str>, E> {
        unescaped(self.0, key)
    }
}

/// Converts a string that had escapes, the only kind that can contain U+0000 here.
fn unescaped<'de, E: Error>(trace: &Trace, text: &str) -> Result<Cow<'de, str>, E> {
    if text.contains('\0') {
        return Err(trace.refuse(DecodeErrorKind::Nul));
    }
    Ok(Cow::Owned(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode_error(body: impl AsRef<[u8]>) -> DecodeError {
        parse(body.as_ref()).expect_err("should be rejected")
    }

    fn number(text: &str) -> Value<'_> {
        Value::Number(text.into())
    }

    #[test]
    fn nested_arrays_have_exact_capacity() {
        let tree = parse(b"[[[[[1]]]]]").unwrap();
        let mut value = &tree;
        while let Value::Array(items) = value {
            assert_eq!(items.capacity(), 1);
            value = &items[0];
        }
    }

    #[test]
    fn parses_every_json_type() {
        let body = "\u{feff} {\"a\": [null, true, \"x\", {}], \"b\": {\"c\": \"\\u00e9\\n\"}} ";
        let list =
            vec![Value::Null, Value::Bool(true), Value::String("x".into()), Value::Object(vec![])];
        let inner = Value::Object(vec![("c".into(), Value::String("é\n".into()))]);
        let expected = Value::Object(vec![("a".into(), Value::Array(list)), ("b".into(), inner)]);
        assert_eq!(parse(body.as_bytes()), Ok(expected));
    }

    #[test]
    fn unescaped_strings_and_keys_are_borrowed() {
        let Ok(Value::Object(entries)) = parse(br#"{"plain": "text", "e\u0073c": "e\u0073c"}"#)
        else {
            panic!("an object");
        };
        let borrowed = entries.iter().map(|(key, value)| {
            let Value::String(text) = value else { panic!("a string") };
            (matches!(key, Cow::Borrowed(_)), matches!(text, Cow::Borrowed(_)))
        });
        assert_eq!(borrowed.collect::<Vec<_>>(), [(true, true), (false, false)]);
    }

    #[test]
    fn numbers_keep_submitted_digits() {
        for text in [
            "0",
            "-0",
            "12",
            "-9223372036854775808",
            "18446744073709551615",
            "18446744073709551616",
            "0.10",
            "1.50e+3",
            "1e-400",
        ] {
            assert_eq!(parse(text.as_bytes()), Ok(number(text)));
        }
        assert_eq!(parse(b"1E5"), Ok(number("1e+5")));
    }

    #[test]
    fn submitted_number_key_is_parsed_as_object() {
        for (value, kind) in [
            ("\"12\"", Value::String("12".into())),
            ("12", number("12")),
            ("1.5", number("1.5")),
            ("\"\\u0031\"", Value::String("1".into())),
        ] {
            let body = format!("{{\"{NUMBER_KEY}\": {value}}}");
            assert_eq!(parse(body.as_bytes()), Ok(Value::Object(vec![(NUMBER_KEY.into(), kind)])));
        }
        let duplicate = format!("{{\"{NUMBER_KEY}\": 1.5, \"{NUMBER_KEY}\": 1.5}}");
        assert_eq!(decode_error(duplicate).kind, DecodeErrorKind::DuplicateKey);
        let nested =
            format!("{}1.5{}", format!("{{\"{NUMBER_KEY}\":").repeat(100), "}".repeat(100));
        assert_eq!(decode_error(nested).kind, DecodeErrorKind::TooDeep);
        let out_of_range = format!("{{\"{NUMBER_KEY}\": 1e999}}");
        assert_eq!(decode_error(out_of_range).pointer, Some(format!("/{NUMBER_KEY}")));
    }

    #[test]
    fn decode_errors_have_kind_location_and_pointer() {
        use DecodeErrorKind::{DuplicateKey, Empty, Encoding, Nul, NumberRange, Syntax};
        type Case = (&'static [u8], DecodeErrorKind, Option<(usize, usize)>, Option<&'static str>);
        let cases: &[Case] = &[
            (b"", Empty, None, None),
            (b"\xEF\xBB\xBF \n", Empty, None, None),
            (b"{\"a\":\n \"\xff\"}", Encoding, Some((2, 3)), None),
            (b"\xFF\xFE{\0}\0", Encoding, Some((1, 1)), None),
            (br#"{"a": "\ud800"}"#, Encoding, Some((1, 14)), Some("/a")),
            (br#"{"a": "\udc00"}"#, Encoding, Some((1, 13)), Some("/a")),
            (br#"{"a": "\ud800\ud800"}"#, Encoding, Some((1, 19)), Some("/a")),
            (b"[\"a\0\"]", Nul, Some((1, 4)), None),
            (br#"{"a": ["x", "\u0000"]}"#, Nul, Some((1, 20)), Some("/a/1")),
            (br#"{"a": {"b\u0000": 1}}"#, Nul, Some((1, 16)), Some("/a")),
            (b"{\"a\": 1,\n \"a\": 2}", DuplicateKey, Some((2, 4)), Some("/a")),
            (br#"[{"k": {"a": 1, "\u0061": 2}}]"#, DuplicateKey, Some((1, 24)), Some("/0/k/a")),
            (br#"{"a": {"b": 1e401}}"#, NumberRange, Some((1, 17)), Some("/a/b")),
            (b"[1 2", Syntax, Some((1, 4)), Some("/1")),
            (br#"{"a": {"b": tru}}"#, Syntax, Some((1, 16)), Some("/a/b")),
            (b"{} {}", Syntax, Some((1, 4)), None),
            (b"[1,]", Syntax, Some((1, 4)), Some("/1")),
            (b"{a: 1}", Syntax, Some((1, 2)), None),
            (b"[01]", Syntax, Some((1, 3)), Some("/0")),
            (b"NaN", Syntax, Some((1, 1)), None),
        ];
        for (body, kind, location, pointer) in cases {
            let error = decode_error(body);
            let found = (error.kind, error.line.zip(error.column), error.pointer.as_deref());
            assert_eq!(found, (*kind, *location, *pointer), "{:?}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn error_message_contains_no_submitted_value() {
        assert_eq!(
            decode_error(r#"{"password": "secret" "#).to_string(),
            "the body is not valid JSON at line 1, column 22: EOF while parsing an object"
        );
        assert_eq!(
            decode_error(r#"{"form": {"password": secret}}"#).to_string(),
            "the body is not valid JSON at line 1, column 23 in /form/password: \
             expected a JSON value"
        );
    }

    #[test]
    fn nesting_depth_is_limited() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let nest = |depth: usize, core: &str| {
                format!("{}{core}{}", open.repeat(depth), close.repeat(depth))
            };
            assert!(parse(nest(MAX_DEPTH, "1.5").as_bytes()).is_ok());
            assert!(parse(nest(MAX_DEPTH - 1, "{}").as_bytes()).is_ok());
            for body in [nest(MAX_DEPTH + 1, "1"), nest(MAX_DEPTH, "{}"), nest(100_000, "")] {
                assert_eq!(decode_error(body).kind, DecodeErrorKind::TooDeep);
            }
        }
    }

    #[test]
    fn duplicate_key_is_found_in_large_object() {
        let body: String = (0..100_000).map(|key| format!("\"{key}\":0,")).collect();
        let last = |key: &str| format!("{{{body}\"{key}\":0}}");
        assert!(parse(last("x").as_bytes()).is_ok());
        assert_eq!(decode_error(last("77777")).pointer.as_deref(), Some("/77777"));
    }
}
