//! `required_unless`: the value must not be blank unless a condition on other fields is met.

use super::condition::{self, ConditionalEffect, When};
use super::presence::BLANK;
use super::{Applicability, Rule, RuleOption};

pub(super) static RULE: Rule = Rule {
    name: "required_unless",
    aliases: &[],
    summary: "The value must not be blank unless all named fields are present or have the given \
              values, or the expression is true.",
    options: &[RuleOption::new(
        "when",
        "a field, a list of fields, a mapping of fields to values, or an expression",
        "`company`, `[company, vat]`, `{plan: free}`, `form.company_size > 1`.",
    )
    .taking_mappings()],
    main_option: Some("when"),
    messages: &[&BLANK],
    applies_to: Applicability { absent: true, nodes: true, lists: true, ..Applicability::VALUES },
    accepts: &[("other", "null"), ("{other: 6}", "\"Ann\"")],
    rejects: &[("{other: 6}", "null", "blank"), ("{other: [6, 7]}", "[]", "blank")],
    compile: |compile| {
        let verdict = ConditionalEffect { refuses_blank: true, message: &BLANK };
        condition::compile(compile, "when", When::not_met, verdict)
    },
};
