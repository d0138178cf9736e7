//! `timezone`: the value must be the name of a time zone.

use super::notation::{INVALID, WordList, check_text, lines_of, sorted};
use super::{Applicability, Check, CompileContext, Reporter, Rule, RuleInput};

static NAMES: WordList = WordList::new(|| sorted(lines_of(include_str!("data/timezones.txt"))));

pub(super) static RULE: Rule = Rule {
    name: "timezone",
    aliases: &[],
    summary: "The value must be the name of a time zone or link in the IANA time zone database; \
              case is significant. Blank values pass.",
    options: &[],
    main_option: None,
    messages: &[&INVALID],
    applies_to: Applicability::VALUES,
    accepts: &[
        ("true", "\"Europe/Oslo\""),
        ("true", "\"America/Argentina/Buenos_Aires\""),
        ("true", "\"UTC\""),
        ("true", "\"Etc/GMT+5\""),
    ],
    rejects: &[
        ("true", "\"Europe/Nowhere\"", "invalid"),
        ("true", "\"europe/oslo\"", "invalid"),
        ("true", "\"+01:00\"", "invalid"),
        ("true", "\"CEST\"", "invalid"),
    ],
    compile: |_: &mut CompileContext<'_, '_>| Some(Box::new(Timezone)),
};

#[derive(Debug)]
struct Timezone;

impl Check for Timezone {
    fn check(&self, input: &RuleInput<'_, '_>, reporter: &mut Reporter<'_, '_>) {
        check_text(input, reporter, |text| NAMES.contains(text));
    }
}
