//! `required_if`: the value must not be blank under a condition on other fields.

use super::condition::{self, ConditionalEffect, When};
use super::presence::BLANK;
use super::{Applicability, Rule, RuleOption};

pub(super) static RULE: Rule = Rule {
    name: "required_if",
    aliases: &[],
    summary: "The value must not be blank if all named fields are present or have the given \
              values, or if the expression is true. The fields are of the same object or of an \
              enclosing one.",
    options: &[RuleOption::new(
        "when",
        "a field, a list of fields, a mapping of fields to values, or an expression",
        "`company`, `[company, vat]`, `{plan: [pro, team]}`, `form.company_size > 1`.",
    )
    .taking_mappings()],
    main_option: Some("when"),
    messages: &[&BLANK],
    applies_to: Applicability { absent: true, nodes: true, lists: true, ..Applicability::VALUES },
    accepts: &[("other", "\"Ann\""), ("{other: 6}", "null"), ("{when: {other: [6, 7]}}", "\"\"")],
    rejects: &[
        ("other", "\" \"", "blank"),
        ("{other: 5}", "null", "blank"),
        ("{other: [4, 5]}", "false", "blank"),
    ],
    compile: |compile| {
        let verdict = ConditionalEffect { refuses_blank: true, message: &BLANK };
        condition::compile(compile, "when", When::met, verdict)
    },
};
