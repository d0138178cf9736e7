//! The decoded request body: JSON values that borrow from its bytes.
//!
//! Numbers keep their submitted text, without rounding. Objects keep the order of their keys; the
//! decoders reject duplicate keys, so a lookup finds the only one.

use std::borrow::Cow;

use serde::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, Serializer};

/// A JSON value.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value<'a> {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, in the notation of a valid JSON number.
    Number(Cow<'a, str>),
    /// A string, unescaped.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Value<'a>>),
    /// An object with distinct keys, in their original order.
    Object(Vec<(Cow<'a, str>, Value<'a>)>),
}

/// A `null` that outlives every borrow, for references to absent values.
pub static NULL: Value<'static> = Value::Null;

impl<'a> Value<'a> {
    /// Returns the value of a key, or `None` if this is not an object or lacks the key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        let Self::Object(entries) = self else { return None };
        entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Returns the string, or `None` if this is not a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        let Self::String(text) = self else { return None };
        Some(text)
    }

    /// Returns whether the value is blank as in Rails: null, `false`, an empty or all-whitespace
    /// string, `[]` or `{}`.
    ///
    /// Source: Active Support, `Object#blank?`.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Null | Self::Bool(false) => true,
            Self::Bool(true) | Self::Number(_) => false,
            Self::String(text) => text.chars().all(char::is_whitespace),
            Self::Array(items) => items.is_empty(),
            Self::Object(entries) => entries.is_empty(),
        }
    }

    /// Returns the approximate size of the value as JSON, in bytes.
    #[must_use]
    pub fn weight(&self) -> usize {
        match self {
            Self::Null | Self::Bool(_) => 4,
            Self::Number(text) => text.len() + 1,
            Self::String(text) => text.len() + 3,
            Self::Array(items) => 3 + items.iter().map(Value::weight).sum::<usize>(),
            Self::Object(entries) => {
                let parts = entries.iter().map(|(key, value)| key.len() + 4 + value.weight());
                3 + parts.sum::<usize>()
            }
        }
    }

    /// Returns the value with all strings owned.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(flag) => Value::Bool(flag),
            Self::Number(text) => Value::Number(owned_number(text)),
            Self::String(text) => Value::String(Cow::Owned(text.into_owned())),
            Self::Array(items) => Value::Array(items.into_iter().map(Value::into_owned).collect()),
            Self::Object(entries) => Value::Object(
                entries
                    .into_iter()
                    .map(|(key, value)| (Cow::Owned(key.into_owned()), value.into_owned()))
                    .collect(),
            ),
        }
    }
}

/// Returns a number with the lifetime `'static`. A single digit is not allocated: an array of
/// digits has the most values for its length.
fn owned_number(text: Cow<'_, str>) -> Cow<'static, str> {
    const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    match DIGITS.into_iter().find(|digit| *digit == text) {
        Some(digit) => Cow::Borrowed(digit),
        None => Cow::Owned(text.into_owned()),
    }
}

impl From<serde_json::Value> for Value<'static> {
    fn from(json: serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(flag) => Self::Bool(flag),
            serde_json::Value::Number(number) => Self::Number(number.to_string().into()),
            serde_json::Value::String(text) => Self::String(text.into()),
            serde_json::Value::Array(items) => {
                Self::Array(items.into_iter().map(Self::from).collect())
            }
            serde_json::Value::Object(entries) => Self::Object(
                entries.into_iter().map(|(key, value)| (key.into(), value.into())).collect(),
            ),
        }
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(flag) => serializer.serialize_bool(*flag),
            Self::Number(text) => match text.parse::<i64>() {
                Ok(integer) => serializer.serialize_i64(integer),
                Err(_) => text
                    .parse::<serde_json::Number>()
                    .map_err(S::Error::custom)?
                    .serialize(serializer),
            },
            Self::String(text) => serializer.serialize_str(text),
            Self::Array(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
            Self::Object(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}
