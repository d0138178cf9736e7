//! The built-in English messages by key, and the locale file `en.yml` rendered from them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{BROKEN_RULES, Message};

/// The English name of each type, for `%{type}` in `wrong_type`.
pub(crate) const TYPES: [(&str, &str); 13] = [
    ("string", "a string"),
    ("text", "a text"),
    ("integer", "an integer"),
    ("float", "a float"),
    ("decimal", "a decimal"),
    ("boolean", "a boolean"),
    ("date", "a date"),
    ("datetime", "a datetime"),
    ("time", "a time"),
    ("array", "an array"),
    ("json", "a JSON value"),
    ("object", "an object"),
    ("list", "a list"),
];

/// The format of a full message.
pub(crate) const FULL_MESSAGE: &str = "%{attribute} %{message}";

/// All built-in messages, by key.
#[derive(Debug)]
pub struct MessageIndex(BTreeMap<&'static str, &'static Message>);

impl MessageIndex {
    /// Returns the index of these messages and [`BROKEN_RULES`].
    pub fn new(messages: impl IntoIterator<Item = &'static Message>) -> Self {
        let all = messages.into_iter().chain([&BROKEN_RULES]);
        Self(all.map(|message| (message.key, message)).collect())
    }

    /// Returns all messages, one for each key, sorted by key.
    pub fn messages(&self) -> impl Iterator<Item = &'static Message> {
        self.0.values().copied()
    }

    /// Returns whether `key` is a key of `messages:`.
    pub(crate) fn has_key(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Returns whether violations can have this code.
    #[must_use]
    pub fn has_code(&self, code: &str) -> bool {
        self.codes().any(|known| known == code)
    }

    /// Returns the code of a key of `messages:`; a key without a message is its own code.
    pub(crate) fn code_of<'k>(&self, key: &'k str) -> &'k str {
        self.0.get(key).map_or(key, |message| message.code)
    }

    /// Returns the keys of `messages:`.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }

    /// Returns the codes that violations can have; a code with several keys is repeated.
    pub fn codes(&self) -> impl Iterator<Item = &'static str> {
        let of_forms = self.0.values().filter(|message| message.key != BROKEN_RULES.key);
        of_forms.map(|message| message.code)
    }

    /// Renders `locale/built_in/en.yml`.
    #[must_use]
    pub fn english_file(&self) -> String {
        let mut file = String::from(
            "# English, generated from the rules; do not edit. Other languages fall back to it.\n\
             # How texts are looked up: docs/languages.md.\n\nen:\n  full_messages:\n",
        );
        // Writing to a `String` cannot fail.
        let _ = writeln!(file, "    format: \"{FULL_MESSAGE}\"\n  types:");
        for (name, text) in TYPES {
            let _ = writeln!(file, "    {name}: {text}");
        }
        file.push_str("  messages:\n");
        for (key, message) in &self.0 {
            match message.singular {
                None => {
                    let _ = writeln!(file, "    {}: \"{}\"", quoted(key), message.text);
                }
                Some(one) => {
                    let text = message.text;
                    let key = quoted(key);
                    let _ =
                        writeln!(file, "    {key}:\n      one: \"{one}\"\n      other: \"{text}\"");
                }
            }
        }
        file
    }
}

/// Quotes a key that YAML would not read as a string.
fn quoted(key: &str) -> String {
    if matches!(key, "true" | "false" | "null") { format!("\"{key}\"") } else { key.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::TYPES;
    use crate::fields::FieldType;

    #[test]
    fn every_type_has_an_english_name() {
        for field_type in FieldType::ALL {
            let name = field_type.name();
            assert!(TYPES.iter().any(|(known, _)| *known == name), "{name}");
        }
    }
}
