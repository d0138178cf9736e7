//! `prohibited_if`: the value must be blank under a condition on other fields.

use super::absence::PRESENT;
use super::condition::{self, ConditionalEffect, When};
use super::{Applicability, Rule, RuleOption};

pub(super) static RULE: Rule = Rule {
    name: "prohibited_if",
    aliases: &[],
    summary: "The value must be blank if all named fields are present or have the given values, \
              or if the expression is true.",
    options: &[RuleOption::new(
        "when",
        "a field, a list of fields, a mapping of fields to values, or an expression",
        "`company`, `[company, vat]`, `{plan: free}`, `form.company_size > 1`.",
    )
    .taking_mappings()],
    main_option: Some("when"),
    messages: &[&PRESENT],
    applies_to: Applicability { absent: true, nodes: true, lists: true, ..Applicability::VALUES },
    accepts: &[("other", "null"), ("{other: 6}", "1")],
    rejects: &[("other", "1", "present"), ("{other: 5}", "\"Ann\"", "present")],
    compile: |compile| {
        let verdict = ConditionalEffect { refuses_blank: false, message: &PRESENT };
        condition::compile(compile, "when", When::met, verdict)
    },
};
