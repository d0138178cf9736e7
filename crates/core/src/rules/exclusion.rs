//! `exclusion`: the value must not be in a list or a range.

use super::value_set::{ValueSet, read_values};
use super::{Applicability, Check, CompileContext, Reporter, Rule, RuleInput, RuleOption};
use crate::fields::FieldType;
use crate::messages::{Message, Params};

static EXCLUSION: Message = Message::new("exclusion", "is reserved");

pub(super) static RULE: Rule = Rule {
    name: "exclusion",
    aliases: &[],
    summary: "The value must not be in a list or a range. If the value is a list, this applies to \
              each of its items.",
    options: &[RuleOption::new("in", "a list, or a range such as 1..5", "The excluded values.")
        .with_alias(&["within"])],
    main_option: None,
    messages: &[&EXCLUSION],
    applies_to: Applicability::VALUES,
    accepts: &[("[admin, root]", "\"ann\""), ("{within: 1..5}", "6"), ("[admin]", "null")],
    rejects: &[
        ("[admin, root]", "\"root\"", "exclusion"),
        ("{in: 1..5}", "1", "exclusion"),
        ("[admin]", "[\"ann\", \"admin\"]", "exclusion"),
    ],
    compile,
};

fn compile(compile: &mut CompileContext<'_, '_>) -> Option<Box<dyn Check>> {
    Some(Box::new(Exclusion(read_values(compile)?)))
}

#[derive(Debug)]
struct Exclusion(ValueSet);

impl Check for Exclusion {
    fn check(&self, input: &RuleInput<'_, '_>, reporter: &mut Reporter<'_, '_>) {
        if self.0.contains_any(input.value()) {
            reporter.fail(&EXCLUSION, Params::new());
        }
    }

    fn keywords(&self, of: FieldType) -> Option<serde_json::Value> {
        self.0.keywords(of, false)
    }
}
