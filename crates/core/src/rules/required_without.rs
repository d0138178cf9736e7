//! `required_without`: the value must not be blank if another field is blank.

use super::condition::{self, ConditionalEffect, When};
use super::presence::BLANK;
use super::{Applicability, Rule, RuleOption};

pub(super) static RULE: Rule = Rule {
    name: "required_without",
    aliases: &[],
    summary: "The value must not be blank if any of the fields is blank.",
    options: &[RuleOption::new(
        "fields",
        "a field or a list of fields",
        "`phone`, `[phone, email]`.",
    )],
    main_option: Some("fields"),
    messages: &[&BLANK],
    applies_to: Applicability { absent: true, nodes: true, lists: true, ..Applicability::VALUES },
    accepts: &[("other", "null"), ("value_confirmation", "1")],
    rejects: &[
        ("value_confirmation", "null", "blank"),
        ("[value_confirmation, other]", "null", "blank"),
    ],
    compile: |compile| {
        let verdict = ConditionalEffect { refuses_blank: true, message: &BLANK };
        condition::compile(compile, "fields", When::any_blank, verdict)
    },
};
