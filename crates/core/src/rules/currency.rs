//! `currency`: the value must be a currency code.

use super::notation::{INVALID, WordList, check_text, lines_of, sorted};
use super::{Applicability, Check, CompileContext, Reporter, Rule, RuleInput, RuleOption};

static CODES: WordList = WordList::new(|| sorted(lines_of(include_str!("data/currencies.txt"))));

pub(super) static RULE: Rule = Rule {
    name: "currency",
    aliases: &[],
    summary: "The value must be the ISO 4217 code of an active currency. Blank values pass.",
    options: &[RuleOption::new(
        "case_sensitive",
        "true or false",
        "Accept upper case only. Default: true.",
    )],
    main_option: None,
    messages: &[&INVALID],
    applies_to: Applicability::VALUES,
    accepts: &[("true", "\"NOK\""), ("{case_sensitive: false}", "\"eur\""), ("true", "\"\"")],
    rejects: &[
        ("true", "\"nok\"", "invalid"),
        ("true", "\"ABC\"", "invalid"),
        ("true", "\"DEM\"", "invalid"),
        ("true", "\"$\"", "invalid"),
    ],
    compile,
};

fn compile(compile: &mut CompileContext<'_, '_>) -> Option<Box<dyn Check>> {
    Some(Box::new(Currency { case_sensitive: compile.boolean("case_sensitive", true) }))
}

#[derive(Debug)]
struct Currency {
    case_sensitive: bool,
}

impl Check for Currency {
    fn check(&self, input: &RuleInput<'_, '_>, reporter: &mut Reporter<'_, '_>) {
        check_text(input, reporter, |text| {
            CODES.contains(text)
                || (!self.case_sensitive && CODES.contains(&text.to_ascii_uppercase()))
        });
    }
}
