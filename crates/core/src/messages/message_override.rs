//! Messages that a form sets in place of a rule's: one for all languages, or one per language.

use std::sync::Arc;

use super::text::template;
use super::{LocaleText, Plurals, tag};
use crate::config::{Data, Location, Node, ProblemCode, Reader};

/// A message that a form sets in place of a rule's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageOverride(OverrideTexts);

#[derive(Debug, Clone, PartialEq, Eq)]
enum OverrideTexts {
    /// One template for all languages.
    Same(Arc<str>),
    /// By language tag, with its location; other languages use the usual look-up.
    ByLanguage(Arc<[(Box<str>, Location, LocaleText)]>),
}

impl MessageOverride {
    /// Reads a string, or a mapping of language tags to messages.
    pub(crate) fn read(reader: &mut Reader<'_>, what: &str, node: &Node) -> Option<Self> {
        let Data::Map(entries) = &node.data else {
            return template(reader, what, node).map(|text| Self(OverrideTexts::Same(text.into())));
        };
        let mut words = Vec::new();
        for entry in entries {
            let Some(tag) = tag::canonical(&entry.key) else {
                tag::unknown(reader, &entry.key, entry.location, &format!("`{what}`"));
                continue;
            };
            let text = LocaleText::read(reader, what, &entry.value, &tag, &Plurals::of(&tag));
            words.extend(text.map(|text| (tag, entry.location, text)));
        }
        if entries.is_empty() {
            let what = format!("`{what}` is an empty mapping");
            let expected = "a string, or strings by language: `{en: …, de: …}`";
            reader.problems.add(ProblemCode::WrongShape, node.location, what, expected, None);
        }
        Some(Self(OverrideTexts::ByLanguage(words.into())))
    }

    /// Returns the template for all languages, or `None` if there is one per language.
    pub(crate) fn default_template(&self) -> Option<&str> {
        match &self.0 {
            OverrideTexts::Same(text) => Some(text),
            OverrideTexts::ByLanguage(_) => None,
        }
    }

    /// Returns the message of a language, if there is one.
    pub(crate) fn of_language(&self, tag: &str) -> Option<&LocaleText> {
        match &self.0 {
            OverrideTexts::Same(_) => None,
            OverrideTexts::ByLanguage(words) => {
                words.iter().find(|(known, ..)| &**known == tag).map(|(_, _, text)| text)
            }
        }
    }

    /// Returns the language tags and their locations.
    pub(crate) fn languages(&self) -> impl Iterator<Item = (&str, Location)> {
        let words = match &self.0 {
            OverrideTexts::Same(_) => &[][..],
            OverrideTexts::ByLanguage(words) => words,
        };
        words.iter().map(|(tag, location, _)| (&**tag, *location))
    }

    /// Returns whether a message contains the submitted value.
    pub(crate) fn uses_value(&self) -> bool {
        match &self.0 {
            OverrideTexts::Same(text) => text.contains("%{value}"),
            OverrideTexts::ByLanguage(words) => words.iter().any(|(_, _, text)| text.uses_value()),
        }
    }
}
