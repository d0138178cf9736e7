//! `required_unless`: something must be there unless other fields say otherwise.

use super::condition::{self, ConditionalEffect, When};
use super::presence::BLANK;
use super::{Applicability, Rule, RuleOption};

pub(super) static RULE: Rule = Rule {
    name: "required_unless",
    aliases: &[],
    summary: "The value must not be blank unless the fields named are all present, or hold the values given, or the expression holds.",
    options: &[RuleOption::new(
        "when",
        "a field, a list of fields, a mapping of fields to values, or an expression",
        "`company`, `[company, vat]`, `{plan: free}`, `form.company_size > 1`.",
    )
    .taking_mappings()],
    main_option: Some("when"),
    messages: &[&BLANK],
    judges: Applicability { absent: true, nodes: true, lists: true, ..Applicability::VALUES },
    accepts: &[("other", "null"), ("{other: 6}", "\"Ann\"")],
    rejects: &[("{other: 6}", "null", "blank"), ("{other: [6, 7]}", "[]", "blank")],
    compile: |compile| {
        let verdict = ConditionalEffect { refuses_blank: true, message: &BLANK };
        condition::compile(compile, "when", When::not_met, verdict)
    },
};
