//! The field types, and the coercion of submitted values to them.
//!
//! Values are JSON or strings of HTML forms. A type converts a value to its canonical form or
//! returns it unchanged, which is a `wrong_type` violation. For every type except strings an empty
//! string is null, because an empty HTML input submits one.

mod boolean;
mod number;
mod structured;
pub(crate) mod temporal;
mod text;

use strum::IntoStaticStr;

use crate::value::Value;

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum FieldType {
    /// Any JSON value: the default for virtual fields.
    #[strum(serialize = "value")]
    Any,
    /// A string of one line.
    String,
    /// A string of any length.
    Text,
    /// A signed 64-bit integer.
    Integer,
    /// A number within the range of binary64, kept without rounding.
    Float,
    /// A number that [`Decimal`](crate::decimal::Decimal) can hold, kept without rounding.
    Decimal,
    /// A boolean.
    Boolean,
    /// A date: `2026-11-22`.
    Date,
    /// A timestamp as of RFC 3339, in UTC unless it has an offset. Converted to UTC with
    /// microseconds.
    Datetime,
    /// A time of day: `17:30` or `17:30:00`.
    Time,
    /// A list of any values.
    Array,
    /// Any JSON value.
    Json,
}

impl FieldType {
    /// All types that a configuration can name.
    pub const ALL: &'static [Self] = &[
        Self::String,
        Self::Text,
        Self::Integer,
        Self::Float,
        Self::Decimal,
        Self::Boolean,
        Self::Date,
        Self::Datetime,
        Self::Time,
        Self::Array,
        Self::Json,
    ];

    /// Returns the name in configurations and in the parameters of `wrong_type`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Returns the type with a name, or `None` if there is none.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|field_type| field_type.name() == name)
    }

    /// Converts a value to the canonical form of this type. Null is valid for every type.
    ///
    /// # Errors
    /// Returns the unchanged value if it is not of this type.
    pub fn coerce(self, value: Value<'_>) -> Result<Value<'_>, Value<'_>> {
        let value = match value {
            Value::Null => return Ok(Value::Null),
            Value::String(text) if self.is_null(&text) => return Ok(Value::Null),
            value => value,
        };
        match self {
            Self::Any | Self::Json => Ok(value),
            Self::String | Self::Text => text::coerce(value),
            Self::Integer => number::coerce_integer(value),
            Self::Float => number::coerce_float(value),
            Self::Decimal => number::coerce_decimal(value),
            Self::Boolean => boolean::coerce(value),
            Self::Date => temporal::coerce_date(value),
            Self::Datetime => temporal::coerce_datetime(value),
            Self::Time => temporal::coerce_time(value),
            Self::Array => structured::coerce_array(value),
        }
    }

    fn is_null(self, text: &str) -> bool {
        !matches!(self, Self::Any | Self::Json | Self::String | Self::Text)
            && text.trim().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    /// Type, submitted value, and coerced value (`None`: rejected).
    const CASES: &[(&str, &str, Option<&str>)] = &[
        ("string", r#""Ann""#, Some(r#""Ann""#)),
        ("string", "90210", Some(r#""90210""#)),
        ("string", r#""""#, Some(r#""""#)),
        ("string", "true", None),
        ("string", r#"["a"]"#, None),
        ("string", "null", Some("null")),
        ("integer", "7", Some("7")),
        ("integer", r#""7""#, Some("7")),
        ("integer", r#"" 0090 ""#, Some("90")),
        ("integer", "7.0", Some("7")),
        ("integer", "7e2", Some("700")),
        ("integer", "7.5", None),
        ("integer", r#""0x1F""#, None),
        ("integer", "9223372036854775807", Some("9223372036854775807")),
        ("integer", "9223372036854775808", None),
        ("integer", r#""""#, Some("null")),
        ("float", r#""3.50""#, Some("3.5")),
        ("float", "1e3", Some("1000")),
        ("float", "1e399", None),
        ("float", r#""many""#, None),
        ("decimal", "0.10000000000000000000000001", Some("0.10000000000000000000000001")),
        ("decimal", "true", None),
        ("boolean", r#""1""#, Some("true")),
        ("boolean", r#""off""#, Some("false")),
        ("boolean", "0", Some("false")),
        ("boolean", r#""maybe""#, None),
        ("boolean", "2", None),
        ("date", r#""2026-11-22""#, Some(r#""2026-11-22""#)),
        ("date", r#""2026-02-29""#, None),
        ("date", r#""22.11.2026""#, None),
        ("datetime", r#""2026-11-22T10:00:00+01:00""#, Some(r#""2026-11-22T09:00:00.000000Z""#)),
        ("datetime", r#""2026-11-22 10:00""#, Some(r#""2026-11-22T10:00:00.000000Z""#)),
        ("datetime", r#""2026-11-22""#, Some(r#""2026-11-22T00:00:00.000000Z""#)),
        ("datetime", r#""tomorrow""#, None),
        ("time", r#""17:30""#, Some(r#""17:30:00""#)),
        ("time", r#""25:00""#, None),
        ("array", r#"[1,"a"]"#, Some(r#"[1,"a"]"#)),
        ("array", r#""a""#, None),
        ("json", r#"{"a":[1]}"#, Some(r#"{"a":[1]}"#)),
        ("json", r#""""#, Some(r#""""#)),
    ];

    #[test]
    fn coerces_json_and_form_values() {
        for (name, submitted, coerced) in CASES {
            let parse = |json: &str| -> Value<'static> {
                serde_json::from_str::<serde_json::Value>(json).unwrap().into()
            };
            let value = parse(submitted);
            let actual = FieldType::named(name).unwrap().coerce(value.clone());
            let expected = coerced.map(parse);
            assert_eq!(actual, expected.ok_or(value), "{name} of {submitted}");
        }
    }

    #[test]
    fn coerced_string_is_borrowed() {
        let coerced = FieldType::String.coerce(Value::String(Cow::Borrowed("Ann"))).unwrap();
        assert!(matches!(coerced, Value::String(Cow::Borrowed("Ann"))));
    }
}
