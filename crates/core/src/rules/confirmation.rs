//! `confirmation`: the field `<name>_confirmation` must have the same value.

use std::sync::Arc;

use super::{Applicability, Check, CompileContext, Reporter, Rule, RuleInput, RuleOption};
use crate::config::ProblemCode;
use crate::messages::{Message, Param, Params};
use crate::submission::SiblingRef;
use crate::value::Value;

static CONFIRMATION: Message = Message::new("confirmation", "doesn't match %{attribute}");

pub(super) static RULE: Rule = Rule {
    name: "confirmation",
    aliases: &[],
    summary: "The field `<name>_confirmation` must have the same value; a violation is reported \
              for that field. Skipped if that field is missing or null. The form must list that \
              field.",
    options: &[RuleOption::new(
        "case_sensitive",
        "true or false",
        "Whether case is significant. Default: true.",
    )],
    main_option: None,
    messages: &[&CONFIRMATION],
    applies_to: Applicability { absent: true, ..Applicability::VALUES },
    accepts: &[],
    rejects: &[],
    compile,
};

fn compile(compile: &mut CompileContext<'_, '_>) -> Option<Box<dyn Check>> {
    let name = format!("{}_confirmation", compile.field.name);
    let Some(confirmation) = compile.field.names.find(&name) else {
        compile.reader.problems.add(
            ProblemCode::MissingKey,
            compile.location,
            format!("`confirmation` of `{}` has nothing to compare with", compile.field.name),
            format!("a field `{name}` in the same object"),
            None,
        );
        return None;
    };
    let attribute = compile.field.name.into();
    let case_sensitive = compile.boolean("case_sensitive", true);
    Some(Box::new(Confirmation { confirmation, name, attribute, case_sensitive }))
}

#[derive(Debug)]
struct Confirmation {
    confirmation: SiblingRef,
    name: String,
    attribute: Arc<str>,
    case_sensitive: bool,
}

impl Confirmation {
    fn matches(&self, value: &Value<'_>, confirmation: &Value<'_>) -> bool {
        match (value, confirmation) {
            (Value::String(one), Value::String(other)) if !self.case_sensitive => {
                one.to_lowercase() == other.to_lowercase()
            }
            (one, other) => one == other,
        }
    }
}

impl Check for Confirmation {
    fn check(&self, input: &RuleInput<'_, '_>, reporter: &mut Reporter<'_, '_>) {
        let confirmation = input.scope.slot(self.confirmation).value();
        if *confirmation != Value::Null && !self.matches(input.value(), confirmation) {
            let attribute = Param::Field(self.attribute.clone());
            reporter.fail_sibling(
                &self.name,
                &CONFIRMATION,
                Params::from([("attribute", attribute)]),
            );
        }
    }
    fn depends_on_context(&self) -> bool {
        true
    }
}
