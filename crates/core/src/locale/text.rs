//! One text of a language: a template, or one for each plural form.

use icu_plurals::PluralCategory;

use super::plural::{CATEGORIES, Plurals};
use crate::config::{Data, Node, ProblemCode, Reader};

/// What can stand in `%{…}`.
const PLACEHOLDERS: [&str; 7] =
    ["attribute", "count", "restriction", "value", "type", "format", "property"];

/// A text, perhaps by plural form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LocaleText {
    /// The same for every count.
    Same(Box<str>),
    /// By the plural form of the parameter `count`.
    ByCount(Box<[(PluralCategory, Box<str>)]>),
}

impl LocaleText {
    /// The template for a count, where there is one.
    pub(super) fn template(&self, count: Option<&str>, plurals: &Plurals) -> &str {
        let forms = match self {
            Self::Same(text) => return text,
            Self::ByCount(forms) => forms,
        };
        let category = count.map_or(PluralCategory::Other, |count| plurals.category(count));
        let of = |wanted: PluralCategory| forms.iter().find(|(known, _)| *known == wanted);
        of(category).or_else(|| of(PluralCategory::Other)).map_or("", |(_, text)| text)
    }

    /// All its templates.
    pub(super) fn templates(&self) -> Vec<&str> {
        match self {
            Self::Same(text) => vec![text],
            Self::ByCount(forms) => forms.iter().map(|(_, text)| &**text).collect(),
        }
    }

    /// Whether it shows the submitted value.
    pub(crate) fn uses_value(&self) -> bool {
        let asks = |text: &str| text.contains("%{value}");
        match self {
            Self::Same(text) => asks(text),
            Self::ByCount(forms) => forms.iter().any(|(_, text)| asks(text)),
        }
    }

    /// Reads one: a text, or a mapping of the language's plural forms to texts.
    pub(super) fn read(
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
            let what = format!("`{what}` does not say `other`");
            let expected = "`other:` with the text for all other numbers";
            reader.problems.add(ProblemCode::MissingKey, node.place, what, expected, None);
            return None;
        }
        Some(Self::ByCount(forms.into()))
    }
}

/// Reads a text in which only known placeholders stand.
pub(crate) fn template<'n>(reader: &mut Reader<'_>, what: &str, node: &'n Node) -> Option<&'n str> {
    let text = reader.text(node, what)?;
    for placeholder in text.split("%{").skip(1) {
        let placeholder = placeholder.split('}').next().unwrap_or_default();
        if !PLACEHOLDERS.contains(&placeholder) {
            let (code, place) = (ProblemCode::BadOption, node.place);
            reader.unknown(code, "placeholder", placeholder, place, "a message", &PLACEHOLDERS);
        }
    }
    Some(text)
}
