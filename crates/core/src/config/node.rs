//! YAML as a tree in which every key and value has a location.
//!
//! Only YAML 1.2 booleans are booleans (`no` is a string), tags other than a few are rejected (see
//! [`super::scalar`]), aliases, depth and size are limited (see [`super::parser`]), and every
//! duplicate key is reported, not only the first.

use std::borrow::Cow;

use crate::value::Value;

/// A location in a file. Columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// Line, from 1.
    pub line: u64,
    /// Column, from 1.
    pub column: u64,
    /// Which of several files, if the tree is composed of more than one.
    pub file: FileId,
}

/// Index of a file among those that are compiled together; [`FileId::MAIN`] if there is only one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

impl FileId {
    /// The main file.
    pub const MAIN: Self = Self(u32::MAX);
}

impl Location {
    /// The start of a file.
    pub const START: Self = Self { line: 1, column: 1, file: FileId::MAIN };
}

/// A node of the tree: a value and its location.
#[derive(Debug, Clone)]
pub struct Node {
    /// Where the value starts.
    pub location: Location,
    /// The value.
    pub data: Data,
}

/// The value of a [`Node`].
#[derive(Debug, Clone)]
pub enum Data {
    /// `null`, or no value.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number, in JSON's notation.
    Number(String),
    /// A string.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order of the file.
    Map(Vec<Entry>),
    /// `!remove`: deletes the key of the form or definition that this one is merged into.
    Removed,
}

/// An entry of a mapping.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Key.
    pub key: String,
    /// Where the key starts.
    pub location: Location,
    /// Value.
    pub value: Node,
}

impl Node {
    /// Returns the entry of a key, or `None` if this is not a mapping or lacks the key.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        let Data::Map(entries) = &self.data else { return None };
        entries.iter().find(|entry| entry.key == key)
    }

    /// Returns what the value is called in problems.
    pub fn describe(&self) -> &'static str {
        match self.data {
            Data::Null => "nothing",
            Data::Bool(_) => "true or false",
            Data::Number(_) => "a number",
            Data::Text(_) => "a string",
            Data::List(_) => "a list",
            Data::Map(_) => "a mapping",
            Data::Removed => "`!remove`",
        }
    }

    /// Converts the node to a JSON value; `!remove` becomes null.
    pub fn to_value(&self) -> Value<'static> {
        match &self.data {
            Data::Null | Data::Removed => Value::Null,
            Data::Bool(flag) => Value::Bool(*flag),
            Data::Number(text) => Value::Number(Cow::Owned(text.clone())),
            Data::Text(text) => Value::String(Cow::Owned(text.clone())),
            Data::List(items) => Value::Array(items.iter().map(Self::to_value).collect()),
            Data::Map(entries) => Value::Object(
                entries
                    .iter()
                    .map(|entry| (Cow::Owned(entry.key.clone()), entry.value.to_value()))
                    .collect(),
            ),
        }
    }
}
