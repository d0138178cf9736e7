//! `required_with`: the value must not be blank if another field is present.

use super::condition::{self, ConditionalEffect, When};
use super::presence::BLANK;
use super::{Applicability, Rule, RuleOption};

pub(super) static RULE: Rule = Rule {
    name: "required_with",
    aliases: &[],
    summary: "The value must not be blank if any of the fields is present.",
    options: &[RuleOption::new(
        "fields",
        "a field or a list of fields",
        "`company`, `[street, city]`.",
    )],
    main_option: Some("fields"),
    messages: &[&BLANK],
    applies_to: Applicability { absent: true, nodes: true, lists: true, ..Applicability::VALUES },
    accepts: &[("other", "1"), ("value_confirmation", "null")],
    rejects: &[("other", "null", "blank"), ("[value_confirmation, other]", "\"\"", "blank")],
    compile: |compile| {
        let verdict = ConditionalEffect { refuses_blank: true, message: &BLANK };
        condition::compile(compile, "fields", When::any_present, verdict)
    },
};
