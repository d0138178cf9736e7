//! Language tags (BCP 47), by which locale files and forms name languages.

use language_tags::LanguageTag;

use crate::config::{Location, ProblemCode, Reader};

/// The language to which all others fall back.
pub(crate) const ENGLISH: &str = "en";

/// Returns the canonical form of a tag (`pt-BR` for `pt-br`), or `None` if it has an unregistered
/// subtag.
pub(crate) fn canonical(text: &str) -> Option<Box<str>> {
    let tag = LanguageTag::parse(text).ok()?;
    tag.validate().ok()?;
    Some(tag.canonicalize().ok()?.as_str().into())
}

/// Returns a tag and its parents, nearest first: `zh-Hant-TW`, `zh-Hant`, `zh`.
/// Source: RFC 4647 section 3.4.
pub(crate) fn with_parents(tag: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(tag), |tag| {
        let parent = tag.rsplit_once('-')?.0;
        // A singleton subtag introduces an extension and is removed with it.
        let is_single = parent.len() > 2 && parent[parent.len() - 2..].starts_with('-');
        Some(if is_single { &parent[..parent.len() - 2] } else { parent })
    })
}

/// Reports a name that is not a language tag.
pub(crate) fn unknown(reader: &mut Reader<'_>, name: &str, location: Location, within: &str) {
    let what = format!("unknown language `{name}` in {within}");
    let expected = "a language tag such as `en`, `de` or `pt-BR`";
    let hint = name
        .contains('_')
        .then(|| canonical(&name.replace('_', "-")))
        .flatten()
        .map(|tag| format!("did you mean `{tag}`?"));
    reader.problems.add(ProblemCode::UnknownLanguage, location, what, expected, hint);
}

#[cfg(test)]
mod tests {
    use super::{canonical, with_parents};

    #[test]
    fn language_tags_are_canonicalized_and_unknown_ones_rejected() {
        assert_eq!(canonical("pt-br").as_deref(), Some("pt-BR"));
        assert_eq!(canonical("ZH-hant-tw").as_deref(), Some("zh-Hant-TW"));
        for unknown in ["german", "xx", "de_AT", "", "messages"] {
            assert_eq!(canonical(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn parent_tags_are_ordered_most_specific_first() {
        let parents = |tag| with_parents(tag).collect::<Vec<_>>();
        assert_eq!(parents("zh-Hant-TW"), ["zh-Hant-TW", "zh-Hant", "zh"]);
        assert_eq!(parents("de-x-wien"), ["de-x-wien", "de"]);
        assert_eq!(parents("en"), ["en"]);
    }
}
