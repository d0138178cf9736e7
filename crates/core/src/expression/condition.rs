//! `if:` and `unless:` of a field, a nested form or a rule.

use super::{EvalError, EvalScope, NameScope, Program, Template, liquid};
use crate::config::{Data, Entry, Node, ProblemCode, Reader};

/// All conditions of one thing: they must all hold.
#[derive(Debug, Default)]
pub(crate) struct Conditions(Vec<(ConditionSource, bool)>);

/// What the conditions say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ConditionResult {
    Holds,
    Fails,
    /// It could not be found out.
    Broken(EvalError),
}

#[derive(Debug)]
enum ConditionSource {
    Program(Program),
    /// A text that is `true` or not once its expressions are filled in, as Liquid has it.
    Template(Template),
    Literal(bool),
}

impl Conditions {
    /// Whether there are none, so that they always hold.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds what an `if:` or `unless:` says.
    pub(crate) fn add(&mut self, reader: &mut Reader<'_>, entry: &Entry) {
        let negated = entry.key == "unless";
        self.0.extend(
            read_condition(reader, &entry.key, &entry.value).map(|(one, not)| (one, not ^ negated)),
        );
    }

    /// Adds a condition that must hold.
    pub(crate) fn require(&mut self, reader: &mut Reader<'_>, key: &str, node: &Node) {
        self.0.extend(read_condition(reader, key, node));
    }

    /// Finds the fields that they name.
    pub(crate) fn resolve(&mut self, reader: &mut Reader<'_>, form: &NameScope, this: &NameScope) {
        for (asked, _) in &mut self.0 {
            match asked {
                ConditionSource::Program(program) => program.resolve(reader, form, this, true),
                ConditionSource::Template(template) => template.resolve(reader, form, this, true),
                ConditionSource::Literal(_) => {}
            }
        }
    }

    /// Whether every one of them holds.
    pub(crate) fn verdict(&self, view: &EvalScope<'_, '_>) -> ConditionResult {
        for (asked, negated) in &self.0 {
            match asked.holds(view) {
                Ok(holds) if holds != *negated => {}
                Ok(_) => return ConditionResult::Fails,
                Err(failure) => return ConditionResult::Broken(failure),
            }
        }
        ConditionResult::Holds
    }

    /// Whether a field that they read holds a value that is not of its type.
    pub(crate) fn reads_invalid_value(&self, view: &EvalScope<'_, '_>) -> bool {
        self.0.iter().any(|(asked, _)| match asked {
            ConditionSource::Program(program) => program.reads.reads_invalid_value(view),
            ConditionSource::Template(_) | ConditionSource::Literal(_) => false,
        })
    }
}

impl ConditionSource {
    fn holds(&self, view: &EvalScope<'_, '_>) -> Result<bool, EvalError> {
        match self {
            Self::Literal(flag) => Ok(*flag),
            Self::Program(program) => {
                let value = program.eval(view)?;
                // A text that says no is a no: `{{ form.wants }}` gives a text.
                Ok(value.as_str().map_or_else(|| value.is_true(), is_truthy_text))
            }
            Self::Template(template) => {
                let text = template.text(view)?;
                Ok(is_truthy_text(&text))
            }
        }
    }
}

fn is_truthy_text(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty() && text != "false"
}

fn read_condition(
    reader: &mut Reader<'_>,
    key: &str,
    node: &Node,
) -> Option<(ConditionSource, bool)> {
    let text = match &node.data {
        Data::Bool(flag) => return Some((ConditionSource::Literal(*flag), false)),
        Data::Text(text) if !text.trim().is_empty() => text,
        _ => {
            let expected = "an expression such as `form.company_size > 1`";
            let what = format!("`{key}` is {}", node.describe());
            reader.problems.add(ProblemCode::WrongShape, node.place, what, expected, None);
            return None;
        }
    };
    if let Some((condition, negated)) = liquid::lone_condition(text) {
        return Some((
            ConditionSource::Program(Program::compile(reader, node, condition)?),
            negated,
        ));
    }
    if text.contains("{{") || text.contains("{%") {
        return Some((ConditionSource::Template(Template::compile(reader, node, text)?), false));
    }
    Some((ConditionSource::Program(Program::compile(reader, node, text)?), false))
}
