//! `inclusion`: the value must be in a list or a range.

use super::value_set::{ValueSet, read_values};
use super::{Applicability, Check, CompileContext, Reporter, Rule, RuleInput, RuleOption};
use crate::fields::FieldType;
use crate::messages::{Message, Params};

static INCLUSION: Message = Message::new("inclusion", "is not included in the list");

pub(super) static RULE: Rule = Rule {
    name: "inclusion",
    aliases: &[],
    summary: "The value must be in a list or a range. If the value is a list, this applies to each \
              of its items.",
    options: &[RuleOption::new("in", "a list, or a range such as 1..5", "The allowed values.")
        .with_alias(&["within"])],
    main_option: None,
    messages: &[&INCLUSION],
    applies_to: Applicability::VALUES,
    accepts: &[
        ("{in: [small, large]}", "\"small\""),
        ("[1, 2]", "1.0"),
        ("1..5", "5"),
        ("[a, b]", "[\"a\", \"b\"]"),
    ],
    rejects: &[
        ("{in: [small, large]}", "\"Small\"", "inclusion"),
        ("1...5", "5", "inclusion"),
        ("[a, b]", "[\"a\", \"c\"]", "inclusion"),
        ("[a, b]", "null", "inclusion"),
    ],
    compile,
};

fn compile(compile: &mut CompileContext<'_, '_>) -> Option<Box<dyn Check>> {
    Some(Box::new(Inclusion(read_values(compile)?)))
}

#[derive(Debug)]
struct Inclusion(ValueSet);

impl Check for Inclusion {
    fn check(&self, input: &RuleInput<'_, '_>, reporter: &mut Reporter<'_, '_>) {
        if !self.0.contains_all(input.value()) {
            reporter.fail(&INCLUSION, Params::new());
        }
    }

    fn keywords(&self, of: FieldType) -> Option<serde_json::Value> {
        self.0.keywords(of, true)
    }
}
