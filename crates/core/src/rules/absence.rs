//! `absence`: the value must be blank.

use super::{Applicability, Check, CompileContext, Reporter, Rule, RuleInput};
use crate::messages::{Message, Params};

pub(crate) static PRESENT: Message = Message::new("present", "must be blank");

pub(super) static RULE: Rule = Rule {
    name: "absence",
    aliases: &[],
    summary: "The value must be blank: the opposite of `presence`.",
    options: &[],
    main_option: None,
    messages: &[&PRESENT],
    applies_to: Applicability { absent: true, nodes: true, ..Applicability::VALUES },
    accepts: &[("true", "null"), ("true", "\" \""), ("true", "false"), ("true", "[]")],
    rejects: &[
        ("true", "\"Ann\"", "present"),
        ("true", "0", "present"),
        ("true", "true", "present"),
    ],
    compile,
};

fn compile(_: &mut CompileContext<'_, '_>) -> Option<Box<dyn Check>> {
    Some(Box::new(Absence))
}

#[derive(Debug)]
struct Absence;

impl Check for Absence {
    fn check(&self, input: &RuleInput<'_, '_>, reporter: &mut Reporter<'_, '_>) {
        if !input.is_blank() {
            reporter.fail(&PRESENT, Params::new());
        }
    }
}
