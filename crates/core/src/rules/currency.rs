//! `currency`: the value must be a currency code.

use super::texts::{INVALID, Words, judge_text, sorted, words_of};
use super::{Check, Compile, Judges, Report, Rule, RuleOption, Subject};

static CODES: Words = Words::new(|| sorted(words_of(include_str!("data/currencies.txt"))));

pub(super) static RULE: Rule = Rule {
    name: "currency",
    aliases: &[],
    summary: "The value must be an active code of ISO 4217. Blank values pass.",
    options: &[RuleOption::new("case_sensitive", "true or false", "Upper case only: true.")],
    main_option: None,
    messages: &[&INVALID],
    judges: Judges::VALUES,
    accepts: &[("true", "\"NOK\""), ("{case_sensitive: false}", "\"eur\""), ("true", "\"\"")],
    rejects: &[
        ("true", "\"nok\"", "invalid"),
        ("true", "\"ABC\"", "invalid"),
        ("true", "\"DEM\"", "invalid"),
        ("true", "\"$\"", "invalid"),
    ],
    compile,
};

fn compile(compile: &mut Compile<'_, '_>) -> Option<Box<dyn Check>> {
    Some(Box::new(Currency { case_sensitive: compile.flag("case_sensitive", true) }))
}

#[derive(Debug)]
struct Currency {
    case_sensitive: bool,
}

impl Check for Currency {
    fn check(&self, subject: &Subject<'_, '_>, report: &mut Report<'_, '_>) {
        judge_text(subject, report, |text| {
            CODES.contains(text)
                || (!self.case_sensitive && CODES.contains(&text.to_ascii_uppercase()))
        });
    }
}
