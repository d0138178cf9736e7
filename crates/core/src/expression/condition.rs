//! Conditions: `if:` and `unless:` of a field, a nested form or a rule.

use super::{EvalScope, NameScope, Program, Template, liquid};
use crate::config::{Data, Entry, Node, ProblemCode, Reader};
use crate::eval_error::EvalError;

/// The conditions of a field, nested form or rule, with whether each is negated; all must hold.
#[derive(Debug, Default)]
pub(crate) struct Conditions(Vec<(ConditionSource, bool)>);

/// The result of evaluating [`Conditions`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ConditionResult {
    Holds,
    Fails,
    /// A condition could not be evaluated.
    Broken(EvalError),
}

#[derive(Debug)]
enum ConditionSource {
    Program(Program),
    /// A Liquid-style template; the condition holds if its output is neither blank nor `false`.
    Template(Template),
    Literal(bool),
}

impl Conditions {
    /// Returns whether there are no conditions, so that the result is always
    /// [`ConditionResult::Holds`].
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the condition of an `if:` or `unless:` entry.
    pub(crate) fn add(&mut self, reader: &mut Reader<'_>, entry: &Entry) {
        let negated = entry.key == "unless";
        self.0.extend(
            read_condition(reader, &entry.key, &entry.value)
                .map(|(source, not)| (source, not ^ negated)),
        );
    }

    /// Adds a condition that must hold.
    pub(crate) fn require(&mut self, reader: &mut Reader<'_>, key: &str, node: &Node) {
        self.0.extend(read_condition(reader, key, node));
    }

    /// Resolves the names in the conditions to fields; reports unknown names as problems.
    pub(crate) fn resolve(&mut self, reader: &mut Reader<'_>, form: &NameScope, this: &NameScope) {
        for (source, _) in &mut self.0 {
            match source {
                ConditionSource::Program(program) => program.resolve(reader, form, this, true),
                ConditionSource::Template(template) => template.resolve(reader, form, this, true),
                ConditionSource::Literal(_) => {}
            }
        }
    }

    /// Evaluates the conditions in order, up to the first one that fails.
    pub(crate) fn verdict(&self, view: &EvalScope<'_, '_>) -> ConditionResult {
        for (source, negated) in &self.0 {
            match source.holds(view) {
                Ok(holds) if holds != *negated => {}
                Ok(_) => return ConditionResult::Fails,
                Err(failure) => return ConditionResult::Broken(failure),
            }
        }
        ConditionResult::Holds
    }

    /// Returns whether a field that the conditions read holds a value of the wrong type, or could
    /// not be decided. Templates are not examined.
    pub(crate) fn reads_invalid_value(&self, view: &EvalScope<'_, '_>) -> bool {
        self.0.iter().any(|(source, _)| match source {
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
                // `{{ form.wants }}` may yield the string "false", which is falsy here.
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
            reader.problems.add(ProblemCode::WrongShape, node.location, what, expected, None);
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
