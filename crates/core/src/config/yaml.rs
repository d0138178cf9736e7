//! Parses YAML to a tree in which every key and value has a location.
//!
//! The YAML library is used only here and in [`super::limits`]. Only YAML 1.2 booleans are booleans
//! (`no` is a string), tags other than two are rejected (see [`super::tags`]), aliases, depth and
//! size are limited, and every duplicate key is reported, not only the first.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::Spanned;

use super::limits;
use super::problem::{Problem, ProblemCode, Problems};
use super::tags;
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
            Data::Text(_) => "a text",
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

/// Parses a file. Returns `None` if it cannot be parsed; problems are added to `problems`, also to
/// those of a tree that is returned.
pub fn parse(text: &str, problems: &mut Problems) -> Option<Node> {
    let text = tags::hide(text);
    match serde_yaml::from_str_with_options::<Node>(&text, limits::options()) {
        Ok(mut tree) => {
            tags::find(&mut tree);
            report_invalid(&tree, problems);
            Some(tree)
        }
        Err(error) => {
            let location = error.location().map_or(Location::START, location_of);
            if let Some((what, expected)) = limits::describe(&error) {
                problems.add(ProblemCode::Syntax, location, what, expected, None);
                return None;
            }
            let message = error.without_snippet().to_string();
            let message = message.lines().next().unwrap_or_default();
            // The library repeats the location, which the problem has already.
            let message = message.split(" at line ").next().unwrap_or(message);
            let message = message.split_once(": ").map_or(message, |(head, tail)| {
                if head.contains("line ") { tail } else { message }
            });
            problems.add(
                ProblemCode::Syntax,
                location,
                format!("this is not readable as YAML: {message}"),
                "a YAML 1.2 mapping",
                None,
            );
            None
        }
    }
}

/// Converts a configuration file to JSON, for tools that do not read YAML.
///
/// # Errors
/// Returns the first problem of the file.
pub fn yaml_to_json(text: &str) -> Result<serde_json::Value, Problem> {
    let mut problems = Problems::new("".into());
    let tree = parse(text, &mut problems);
    match (tree, problems.into_vec().into_iter().next()) {
        (Some(tree), None) => Ok(serde_json::to_value(tree.to_value()).unwrap_or_default()),
        (_, Some(problem)) => Err(problem),
        (None, None) => Ok(serde_json::Value::Null),
    }
}

/// Reports duplicate keys, and strings with NUL characters, which databases cannot store.
fn report_invalid(node: &Node, problems: &mut Problems) {
    match &node.data {
        Data::Map(entries) => {
            let mut seen = std::collections::HashMap::new();
            for entry in entries {
                if let Some(first) = seen.insert(entry.key.as_str(), entry.location) {
                    problems.add(
                        ProblemCode::DuplicateKey,
                        entry.location,
                        format!("the key `{}` stands twice in one mapping", entry.key),
                        "each key once",
                        Some(format!("the first one is at line {}", first.line)),
                    );
                }
                report_invalid(&entry.value, problems);
            }
        }
        Data::List(items) => items.iter().for_each(|item| report_invalid(item, problems)),
        Data::Text(text) if text.contains('\0') => problems.add(
            ProblemCode::Syntax,
            node.location,
            "the text holds a NUL character, which cannot be stored",
            "a text without it",
            None,
        ),
        _ => {}
    }
}

fn location_of(location: serde_yaml::Location) -> Location {
    let (line, column) = (location.line().max(1), location.column().max(1));
    Location { line, column, file: FileId::MAIN }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Data>::deserialize(deserializer)?;
        Ok(Self { location: location_of(spanned.referenced), data: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DataVisitor)
    }
}

struct DataVisitor;

impl<'de> Visitor<'de> for DataVisitor {
    type Value = Data;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Data, E> {
        Ok(Data::Null)
    }

    fn visit_none<E>(self) -> Result<Data, E> {
        Ok(Data::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Data, D::Error> {
        Data::deserialize(deserializer)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Data, E> {
        Ok(Data::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Data, E> {
        Ok(Data::Number(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Data, E> {
        Ok(Data::Number(number.to_string()))
    }

    fn visit_i128<E>(self, number: i128) -> Result<Data, E> {
        Ok(Data::Number(number.to_string()))
    }

    fn visit_u128<E>(self, number: u128) -> Result<Data, E> {
        Ok(Data::Number(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Data, E> {
        Ok(Data::Number(number.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Data, E> {
        Ok(Data::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Data, E> {
        Ok(Data::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Data, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Data::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Data, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = entries.next_key::<Spanned<String>>()? {
            let value = entries.next_value()?;
            map.push(Entry { key: key.value, location: location_of(key.referenced), value });
        }
        Ok(Data::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_text(text: &str) -> (Option<Node>, Vec<crate::config::Problem>) {
        let mut problems = Problems::new("a.yml".into());
        let tree = parse(text, &mut problems);
        (tree, problems.into_vec())
    }

    #[test]
    fn keys_and_values_have_locations() {
        let (tree, problems) = parse_text("a: 1\nb:\n  c: [x, no]\n");
        assert!(problems.is_empty(), "{problems:?}");
        let tree = tree.unwrap();
        let b = tree.get("b").unwrap();
        assert_eq!((b.location.line, b.location.column), (2, 1));
        let c = b.value.get("c").unwrap();
        assert_eq!((c.location.line, c.location.column), (3, 3));
        let Data::List(items) = &c.value.data else { panic!("expected a list") };
        assert_eq!((items[1].location.line, items[1].location.column), (3, 10));
        assert!(matches!(&items[1].data, Data::Text(text) if text == "no"));
    }

    #[test]
    fn all_duplicate_keys_are_reported() {
        let (_, problems) = parse_text("a: 1\nb: {c: 1, c: 2}\na: 3\n");
        let locations: Vec<_> =
            problems.iter().map(|p| (p.location.line, p.location.column)).collect();
        assert_eq!(locations, [(2, 11), (3, 1)]);
    }

    #[test]
    fn syntax_error_is_reported_once() {
        for text in ["a: [1, 2\nb: 3\n", "a: 'x\n", "a: !env HOME\n", "a: b: c\n"] {
            let (tree, problems) = parse_text(text);
            assert!(tree.is_none() && problems.len() == 1, "{text:?}: {problems:?}");
        }
    }
}
