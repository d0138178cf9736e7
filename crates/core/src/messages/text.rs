//! A message in one language: a template, or one for each plural category.

use icu_plurals::PluralCategory;

use super::plural::{CATEGORIES, Plurals};
use crate::config::{Data, Node, ProblemCode, Reader};

/// The placeholders allowed in `%{…}`.
const PLACEHOLDERS: [&str; 7] =
    ["attribute", "count", "restriction", "value", "type", "format", "property"];

/// A message in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LocaleText {
    /// One template for all counts.
    Same(Box<str>),
    /// By the plural category of the parameter `count`.
    ByCount(Box<[(PluralCategory, Box<str>)]>),
}

impl LocaleText {
    /// Returns the template for a count; that of `other` if there is no count.
    pub(crate) fn template(&self, count: Option<&str>, plurals: &Plurals) -> &str {
        let forms = match self {
            Self::Same(text) => return text,
            Self::ByCount(forms) => forms,
        };
        let category = count.map_or(PluralCategory::Other, |count| plurals.category(count));
        let of = |wanted: PluralCategory| forms.iter().find(|(known, _)| *known == wanted);
        of(category).or_else(|| of(PluralCategory::Other)).map_or("", |(_, text)| text)
    }

    /// Returns all templates.
    pub(crate) fn templates(&self) -> Vec<&str> {
        match self {
            Self::Same(text) => vec![text],
            Self::ByCount(forms) => forms.iter().map(|(_, text)| &**text).collect(),
        }
    }

    /// Returns whether a template contains the submitted value.
    pub(crate) fn uses_value(&self) -> bool {
        let has_value = |text: &str| text.contains("%{value}");
        match self {
            Self::Same(text) => has_value(text),
            Self::ByCount(forms) => forms.iter().any(|(_, text)| has_value(text)),
        }
    }

    /// Reads a string, or a mapping of the language's plural categories to strings.
    pub(crate) fn read(
        reader: &mut Reader<'_>,
        what: &str,
        node: &Node,
        tag: &str,
        plurals: &Plurals,
    ) -> Option<Self> {
        let Data::Map(entries) = &node.data else {
            return template(reader, what, node).map(|text| Self::Same(text.into()));
        };
        let known = plurals.categories();
        let mut forms = Vec::new();
        for entry in entries {
            if !known.contains(&entry.key.as_str()) {
                let within = format!("`{what}`, of the plural forms of `{tag}`");
                reader.unknown_key(entry, &within, &known);
                continue;
            }
            let text = template(reader, what, &entry.value);
            let category = CATEGORIES.into_iter().find(|(name, _)| *name == entry.key);
            if let (Some(text), Some((_, category))) = (text, category) {
                forms.push((category, Box::from(text)));
            }
        }
        if !entries.iter().any(|entry| entry.key == "other") {
            let what = format!("`{what}` has no `other`");
            let expected = "`other:` with the text for all other numbers";
            reader.problems.add(ProblemCode::MissingKey, node.location, what, expected, None);
            return None;
        }
        Some(Self::ByCount(forms.into()))
    }
}

/// Reads a template and reports unknown placeholders.
pub(crate) fn template<'n>(reader: &mut Reader<'_>, what: &str, node: &'n Node) -> Option<&'n str> {
    let text = reader.text(node, what)?;
    for placeholder in text.split("%{").skip(1) {
        let placeholder = placeholder.split('}').next().unwrap_or_default();
        if !PLACEHOLDERS.contains(&placeholder) {
            let (code, location) = (ProblemCode::BadOption, node.location);
            reader.unknown(code, "placeholder", placeholder, location, "a message", &PLACEHOLDERS);
        }
    }
    Some(text)
}
