//! `timezone`: the value must name a time zone.

use super::texts::{INVALID, Words, judge_text, sorted, words_of};
use super::{Check, Compile, Judges, Report, Rule, Subject};

static NAMES: Words = Words::new(|| sorted(words_of(include_str!("data/timezones.txt"))));

pub(super) static RULE: Rule = Rule {
    name: "timezone",
    aliases: &[],
    summary: "The value must be a name of the IANA time zone database, links among them, spelled \
              as there. Blank values pass.",
    options: &[],
    main_option: None,
    messages: &[&INVALID],
    judges: Judges::VALUES,
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
    compile: |_: &mut Compile<'_, '_>| Some(Box::new(Timezone)),
};

#[derive(Debug)]
struct Timezone;

impl Check for Timezone {
    fn check(&self, subject: &Subject<'_, '_>, report: &mut Report<'_, '_>) {
        judge_text(subject, report, |text| NAMES.contains(text));
    }
}
