//! `acceptance`: terms must be accepted.

use super::{Applicability, Check, CompileContext, Reporter, Rule, RuleInput, RuleOption};
use crate::config::Data;
use crate::fields::FieldType;
use crate::messages::{Message, Params};
use crate::value::Value;

static ACCEPTED: Message = Message::new("accepted", "must be accepted");

pub(super) static RULE: Rule = Rule {
    name: "acceptance",
    aliases: &[],
    summary: "The value must be one of the values in `accept`, for fields such as terms of \
              service. A missing or null value passes: add `presence` to require it.",
    options: &[RuleOption::new(
        "accept",
        "a value or a list",
        "The accepted values. Default: \"1\" and true.",
    )],
    main_option: Some("accept"),
    messages: &[&ACCEPTED],
    applies_to: Applicability { wrong_type: true, ..Applicability::VALUES },
    accepts: &[("true", "\"1\""), ("true", "true"), ("true", "null"), ("{accept: yes}", "\"yes\"")],
    rejects: &[
        ("true", "\"0\"", "accepted"),
        ("true", "false", "accepted"),
        ("true", "\"\"", "accepted"),
        ("{accept: [agreed]}", "\"1\"", "accepted"),
    ],
    compile,
};

fn compile(compile: &mut CompileContext<'_, '_>) -> Option<Box<dyn Check>> {
    let accepted = match compile.get("accept") {
        None => vec![Value::String("1".into()), Value::Bool(true)],
        Some(node) => match &node.data {
            Data::List(items) => items.iter().map(|item| item.to_value()).collect(),
            _ => vec![node.to_value()],
        },
    };
    // Coerced like submitted values: a boolean field turns "1" into true before rules run.
    let field_type = compile.field.field_type.unwrap_or(FieldType::Any);
    let accepted = accepted
        .into_iter()
        .map(|value| field_type.coerce(value).unwrap_or_else(|value| value))
        .collect();
    Some(Box::new(Acceptance { accepted }))
}

#[derive(Debug)]
struct Acceptance {
    accepted: Vec<Value<'static>>,
}

impl Check for Acceptance {
    fn check(&self, input: &RuleInput<'_, '_>, reporter: &mut Reporter<'_, '_>) {
        if !input.is_nil() && !self.accepted.contains(input.value()) {
            reporter.fail(&ACCEPTED, Params::new());
        }
    }
}
