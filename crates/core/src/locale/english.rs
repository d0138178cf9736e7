//! The built-in English messages, and the locale file `en.yml` rendered from them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use crate::evaluate::MESSAGES;
use crate::rules::RULES;
use crate::violation::Message;

/// The message of a response about a submission as a whole; `%{count}` is the number of violations
/// reported.
pub static BROKEN_RULES: Message = Message::pluralized(
    "broken_rules",
    "%{count} rules of the form are broken",
    "%{count} rule of the form is broken",
);

/// The English name of each type, for `%{type}` in `wrong_type`.
pub(super) const TYPES: [(&str, &str); 13] = [
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
pub(super) const FULL_MESSAGE: &str = "%{attribute} %{message}";

static BY_KEY: LazyLock<BTreeMap<&'static str, &'static Message>> = LazyLock::new(|| {
    let of_rules = RULES.iter().flat_map(|rule| rule.messages);
    let all = of_rules.chain(MESSAGES).copied().chain([&BROKEN_RULES]);
    all.map(|message| (message.key, message)).collect()
});

/// Returns all messages, one for each key, sorted by key.
#[must_use]
pub fn messages() -> Vec<&'static Message> {
    BY_KEY.values().copied().collect()
}

/// Returns whether `key` is a key of `messages:`.
pub(super) fn has_key(key: &str) -> bool {
    BY_KEY.contains_key(key)
}

/// Returns whether violations can have this code.
pub fn has_code(code: &str) -> bool {
    codes().any(|known| known == code)
}

/// Returns the code of a key of `messages:`; a key without a message is its own code.
pub(super) fn code_of(key: &str) -> &str {
    BY_KEY.get(key).map_or(key, |message| message.code)
}

/// Returns the keys of `messages:`.
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    BY_KEY.keys().copied()
}

/// Returns the codes that violations can have; a code with several keys is repeated.
pub fn codes() -> impl Iterator<Item = &'static str> {
    let of_forms = BY_KEY.values().filter(|message| message.key != BROKEN_RULES.key);
    of_forms.map(|message| message.code)
}

/// Renders `locales/en.yml`.
#[must_use]
pub fn file() -> String {
    let mut file = String::from(
        "# English, rendered from the rules; a test compares. The language that others fall back to.\n\
         # How texts are looked up: docs/forms.md, \"Languages\".\n\nen:\n  full_messages:\n",
    );
    // Writing to a `String` cannot fail.
    let _ = writeln!(file, "    format: \"{FULL_MESSAGE}\"\n  types:");
    for (name, text) in TYPES {
        let _ = writeln!(file, "    {name}: {text}");
    }
    file.push_str("  messages:\n");
    for (key, message) in &*BY_KEY {
        match message.singular {
            None => {
                let _ = writeln!(file, "    {}: \"{}\"", quoted(key), message.text);
            }
            Some(one) => {
                let text = message.text;
                let key = quoted(key);
                let _ = writeln!(file, "    {key}:\n      one: \"{one}\"\n      other: \"{text}\"");
            }
        }
    }
    file
}

/// Quotes a key that YAML would not read as a string.
fn quoted(key: &str) -> String {
    if matches!(key, "true" | "false" | "null") { format!("\"{key}\"") } else { key.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{BY_KEY, MESSAGES, RULES, TYPES};
    use crate::fields::FieldType;

    #[test]
    fn a_key_means_one_text() {
        let of_rules = RULES.iter().flat_map(|rule| rule.messages);
        for message in of_rules.chain(MESSAGES) {
            let known = BY_KEY[message.key];
            assert_eq!(
                (known.text, known.singular),
                (message.text, message.singular),
                "{}",
                message.key
            );
        }
    }

    #[test]
    fn every_type_has_a_text() {
        for field_type in FieldType::ALL {
            let name = field_type.name();
            assert!(TYPES.iter().any(|(known, _)| *known == name), "{name}");
        }
    }
}
