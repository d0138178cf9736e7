//! A form's own words: one text for everybody, or a text for each language.

use std::sync::Arc;

use super::plural::Plurals;
use super::tag;
use super::text::{LocaleText, template};
use crate::config::{Data, Location, Node, ProblemCode, Reader};

/// What a form says instead of what the rule says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageOverride(OverrideTexts);

#[derive(Debug, Clone, PartialEq, Eq)]
enum OverrideTexts {
    /// Whatever the language.
    Same(Arc<str>),
    /// By language; where it has none, the look-up goes on.
    ByLanguage(Arc<[(Box<str>, Location, LocaleText)]>),
}

impl MessageOverride {
    /// Reads a text, or a mapping of language tags to texts.
    pub(crate) fn read(reader: &mut Reader<'_>, what: &str, node: &Node) -> Option<Self> {
        let Data::Map(entries) = &node.data else {
            return template(reader, what, node).map(|text| Self(OverrideTexts::Same(text.into())));
        };
        let mut words = Vec::new();
        for entry in entries {
            let Some(tag) = tag::canonical(&entry.key) else {
                tag::unknown(reader, &entry.key, entry.place, &format!("`{what}`"));
                continue;
            };
            let text = LocaleText::read(reader, what, &entry.value, &tag, &Plurals::of(&tag));
            words.extend(text.map(|text| (tag, entry.place, text)));
        }
        if entries.is_empty() {
            let what = format!("`{what}` is an empty mapping");
            let expected = "a text, or texts by language: `{en: …, de: …}`";
            reader.problems.add(ProblemCode::WrongShape, node.place, what, expected, None);
        }
        Some(Self(OverrideTexts::ByLanguage(words.into())))
    }

    /// The text that counts in every language.
    pub(super) fn default_template(&self) -> Option<&str> {
        match &self.0 {
            OverrideTexts::Same(text) => Some(text),
            OverrideTexts::ByLanguage(_) => None,
        }
    }

    /// The text of a language.
    pub(super) fn of_language(&self, tag: &str) -> Option<&LocaleText> {
        match &self.0 {
            OverrideTexts::Same(_) => None,
            OverrideTexts::ByLanguage(words) => {
                words.iter().find(|(known, ..)| &**known == tag).map(|(_, _, text)| text)
            }
        }
    }

    /// Its languages, with their places.
    pub(super) fn languages(&self) -> impl Iterator<Item = (&str, Location)> {
        let words = match &self.0 {
            OverrideTexts::Same(_) => &[][..],
            OverrideTexts::ByLanguage(words) => words,
        };
        words.iter().map(|(tag, place, _)| (&**tag, *place))
    }

    /// Whether it shows the submitted value.
    pub(crate) fn uses_value(&self) -> bool {
        match &self.0 {
            OverrideTexts::Same(text) => text.contains("%{value}"),
            OverrideTexts::ByLanguage(words) => words.iter().any(|(_, _, text)| text.uses_value()),
        }
    }
}
