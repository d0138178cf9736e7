//! The decoded input of a submission: JSON that borrows from the request's body.
//!
//! Numbers stay the text they were sent as, so that nothing is rounded. Objects keep the order of
//! their keys; the decoders refuse duplicates, so a look-up finds the only one.

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
    /// A number, as the text of a valid JSON number.
    Number(Cow<'a, str>),
    /// A string, unescaped.
    String(Cow<'a, str>),
    /// A list.
    Array(Vec<Value<'a>>),
    /// An object: no key stands in it twice.
    Object(Vec<(Cow<'a, str>, Value<'a>)>),
}

/// The `null` that a reference to an absent value points at.
pub static NULL: Value<'static> = Value::Null;

impl<'a> Value<'a> {
    /// The value of a key, where this is an object that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        let Self::Object(entries) = self else { return None };
        entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The text, where this is a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        let Self::String(text) = self else { return None };
        Some(text)
    }

    /// Blank as Rails means it: null, `false`, an empty or all-whitespace string, `[]` and `{}`.
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

    /// Returns about how many bytes the value has as JSON.
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

    /// The same value, borrowing nothing.
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

/// The text of a number, without memory of its own where it is a digit: lists of those are the
/// largest that a text becomes.
fn owned_number(text: Cow<'_, str>) -> Cow<'static, str> {
    const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    match DIGITS.into_iter().find(|digit| *digit == text) {
        Some(digit) => Cow::Borrowed(digit),
        None => Cow::Owned(text.into_owned()),
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
