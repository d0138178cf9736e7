//! `presence`: the value must not be blank.

use super::{Applicability, Check, CompileContext, Reporter, Rule, RuleInput};
use crate::fields::FieldType;
use crate::messages::{Message, Params};

pub(super) static BLANK: Message = Message::new("blank", "can't be blank");

pub(super) static RULE: Rule = Rule {
    name: "presence",
    aliases: &[],
    summary: "The value must not be blank: null, false, an empty or all-whitespace string, `[]` \
              or `{}`. A nested form must be sent.",
    options: &[],
    main_option: None,
    messages: &[&BLANK],
    applies_to: Applicability { absent: true, nodes: true, ..Applicability::VALUES },
    accepts: &[("true", "\"Ann\""), ("{}", "0"), ("true", "true"), ("true", "[\"\"]")],
    rejects: &[
        ("true", "null", "blank"),
        ("true", "\"\"", "blank"),
        ("true", "\" \\t\\u3000\"", "blank"),
        ("true", "false", "blank"),
        ("true", "[]", "blank"),
        ("true", "{}", "blank"),
    ],
    compile,
};

fn compile(_: &mut CompileContext<'_, '_>) -> Option<Box<dyn Check>> {
    Some(Box::new(Presence))
}

#[derive(Debug)]
struct Presence;

impl Check for Presence {
    fn check(&self, input: &RuleInput<'_, '_>, reporter: &mut Reporter<'_, '_>) {
        if input.is_blank() {
            reporter.fail(&BLANK, Params::new());
        }
    }

    fn keywords(&self, _: FieldType) -> Option<serde_json::Value> {
        Some(serde_json::json!({
            "not": { "type": "null" },
            "minLength": 1,
            "minItems": 1,
            "minProperties": 1,
        }))
    }
}
