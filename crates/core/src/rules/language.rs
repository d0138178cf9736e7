//! `language`: the value must be a language tag.

use language_tags::LanguageTag;

use super::notation::{INVALID, check_text};
use super::{Applicability, Check, CompileContext, Reporter, Rule, RuleInput};

/// Maximum length of a tag in bytes; RFC 5646 section 4.4.1 finds 35 sufficient.
const MAX_TAG_CHARS: usize = 100;

pub(super) static RULE: Rule = Rule {
    name: "language",
    aliases: &[],
    summary: "The value must be a valid BCP 47 language tag (RFC 5646 section 2.2.9), in upper or \
              lower case. Blank values pass.",
    options: &[],
    main_option: None,
    messages: &[&INVALID],
    applies_to: Applicability::VALUES,
    accepts: &[
        ("true", "\"nb\""),
        ("true", "\"en-GB\""),
        ("true", "\"zh-Hant-TW\""),
        ("true", "\"sr-Latn\""),
        ("true", "\"de-CH-1996\""),
        ("true", "\"es-419\""),
    ],
    rejects: &[
        ("true", "\"english\"", "invalid"),
        ("true", "\"xx\"", "invalid"),
        ("true", "\"en_US\"", "invalid"),
        ("true", "\"en-\"", "invalid"),
        ("true", "\"en-ZZZZZZ9-\"", "invalid"),
    ],
    compile: |_: &mut CompileContext<'_, '_>| Some(Box::new(Language)),
};

#[derive(Debug)]
struct Language;

impl Check for Language {
    fn check(&self, input: &RuleInput<'_, '_>, reporter: &mut Reporter<'_, '_>) {
        check_text(input, reporter, |text| {
            text.len() <= MAX_TAG_CHARS
                && LanguageTag::parse(text)
                    .is_ok_and(|tag| tag.validate().is_ok() && !is_irregular(&tag))
        });
    }
}

/// Returns whether a tag has an unassigned two-letter code from `qa` to `qt`, which the crate
/// accepts as if it were one of the private-use codes `qaa` to `qtz`.
fn is_irregular(tag: &LanguageTag) -> bool {
    let language = tag.primary_language();
    language.len() == 2 && language.starts_with('q') && language != "qu"
}
