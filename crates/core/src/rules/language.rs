//! `language`: the value must be a language tag.

use language_tags::LanguageTag;

use super::texts::{INVALID, judge_text};
use super::{Check, Compile, Judges, Report, Rule, Subject};

/// The longest tag that is looked at, in bytes; RFC 5646 section 4.4.1 finds 35 enough.
const LONGEST: usize = 100;

pub(super) static RULE: Rule = Rule {
    name: "language",
    aliases: &[],
    summary: "The value must be a valid language tag of BCP 47 (RFC 5646 section 2.2.9), in any \
              case. Blank values pass.",
    options: &[],
    main_option: None,
    messages: &[&INVALID],
    judges: Judges::VALUES,
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
    compile: |_: &mut Compile<'_, '_>| Some(Box::new(Language)),
};

#[derive(Debug)]
struct Language;

impl Check for Language {
    fn check(&self, subject: &Subject<'_, '_>, report: &mut Report<'_, '_>) {
        judge_text(subject, report, |text| {
            text.len() <= LONGEST
                && LanguageTag::parse(text).is_ok_and(|tag| tag.validate().is_ok() && !is_odd(&tag))
        });
    }
}

/// The crate takes `qa` to `qt` for the private codes `qaa` to `qtz`.
fn is_odd(tag: &LanguageTag) -> bool {
    let language = tag.primary_language();
    language.len() == 2 && language.starts_with('q') && language != "qu"
}
