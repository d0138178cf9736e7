//! `country`: the value must be a country code.

use super::notation::{INVALID, WordList, check_text, lines_of, sorted};
use super::{Applicability, Check, CompileContext, Reporter, Rule, RuleInput, RuleOption};

static ALPHA_2: WordList = WordList::new(|| codes(0));
static ALPHA_3: WordList = WordList::new(|| codes(1));

fn codes(part: usize) -> Vec<&'static str> {
    let pairs = lines_of(include_str!("data/countries.txt"));
    sorted(pairs.filter_map(|pair| pair.split('/').nth(part)))
}

pub(super) static RULE: Rule = Rule {
    name: "country",
    aliases: &[],
    summary: "The value must be an ISO 3166-1 country code. Blank values pass.",
    options: &[
        RuleOption::new(
            "code",
            "alpha2, alpha3 or any",
            "Two-letter codes (alpha2, the default), three-letter codes (alpha3), or both (any).",
        ),
        RuleOption::new(
            "case_sensitive",
            "true or false",
            "Accept upper case only. Default: true.",
        ),
    ],
    main_option: Some("code"),
    messages: &[&INVALID],
    applies_to: Applicability::VALUES,
    accepts: &[
        ("true", "\"NO\""),
        ("alpha3", "\"NOR\""),
        ("any", "\"NO\""),
        ("{case_sensitive: false}", "\"no\""),
    ],
    rejects: &[
        ("true", "\"XX\"", "invalid"),
        ("true", "\"UK\"", "invalid"),
        ("true", "\"no\"", "invalid"),
        ("true", "\"NOR\"", "invalid"),
        ("true", "\"Norway\"", "invalid"),
        ("alpha3", "\"NO\"", "invalid"),
    ],
    compile,
};

fn compile(compile: &mut CompileContext<'_, '_>) -> Option<Box<dyn Check>> {
    let (two, three) = match compile.get("code") {
        None => (true, false),
        Some(node) => match compile.reader.keyword(node, "code", &["alpha2", "alpha3", "any"])? {
            "alpha3" => (false, true),
            "any" => (true, true),
            _ => (true, false),
        },
    };
    let case_sensitive = compile.boolean("case_sensitive", true);
    Some(Box::new(Country { two, three, case_sensitive }))
}

#[derive(Debug)]
struct Country {
    two: bool,
    three: bool,
    case_sensitive: bool,
}

impl Country {
    fn accepts(&self, text: &str) -> bool {
        let is_known = |code: &str| match code.len() {
            2 => self.two && ALPHA_2.contains(code),
            3 => self.three && ALPHA_3.contains(code),
            _ => false,
        };
        is_known(text) || (!self.case_sensitive && is_known(&text.to_ascii_uppercase()))
    }
}

impl Check for Country {
    fn check(&self, input: &RuleInput<'_, '_>, reporter: &mut Reporter<'_, '_>) {
        check_text(input, reporter, |text| self.accepts(text));
    }
}
