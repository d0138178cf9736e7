//! `if:` and `unless:` of a field, a nested form or a rule.

use super::{Failure, Names, Program, Template, View, liquid};
use crate::config::{Data, Entry, Node, ProblemCode, Reader};

/// All conditions of one thing: they must all hold.
#[derive(Debug, Default)]
pub(crate) struct Conditions(Vec<(Asked, bool)>);

/// What the conditions say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    Holds,
    Fails,
    /// It could not be found out.
    Broken(Failure),
}

#[derive(Debug)]
enum Asked {
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
        self.0
            .extend(asked(reader, &entry.key, &entry.value).map(|(one, not)| (one, not ^ negated)));
    }

    /// Adds a condition that must hold.
    pub(crate) fn require(&mut self, reader: &mut Reader<'_>, key: &str, node: &Node) {
        self.0.extend(asked(reader, key, node));
    }

    /// Finds the fields that they name.
    pub(crate) fn link(&mut self, reader: &mut Reader<'_>, form: &Names, this: &Names) {
        for (asked, _) in &mut self.0 {
            match asked {
                Asked::Program(program) => program.link(reader, form, this, true),
                Asked::Template(template) => template.link(reader, form, this, true),
                Asked::Literal(_) => {}
            }
        }
    }

    /// Whether every one of them holds.
    pub(crate) fn verdict(&self, view: &View<'_, '_>) -> Verdict {
        for (asked, negated) in &self.0 {
            match asked.holds(view) {
                Ok(holds) if holds != *negated => {}
                Ok(_) => return Verdict::Fails,
                Err(failure) => return Verdict::Broken(failure),
            }
        }
        Verdict::Holds
    }

    /// Whether a field that they read holds a value that is not of its type.
    pub(crate) fn meets_wrong(&self, view: &View<'_, '_>) -> bool {
        self.0.iter().any(|(asked, _)| match asked {
            Asked::Program(program) => program.reads.meets_wrong(view),
            Asked::Template(_) | Asked::Literal(_) => false,
        })
    }
}

impl Asked {
    fn holds(&self, view: &View<'_, '_>) -> Result<bool, Failure> {
        match self {
            Self::Literal(flag) => Ok(*flag),
            Self::Program(program) => {
                let value = program.eval(view)?;
                // A text that says no is a no: `{{ form.wants }}` gives a text.
                Ok(value.as_str().map_or_else(|| value.is_true(), is_yes))
            }
            Self::Template(template) => {
                let text = template.text(view)?;
                Ok(is_yes(&text))
            }
        }
    }
}

fn is_yes(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty() && text != "false"
}

fn asked(reader: &mut Reader<'_>, key: &str, node: &Node) -> Option<(Asked, bool)> {
    let text = match &node.data {
        Data::Bool(flag) => return Some((Asked::Literal(*flag), false)),
        Data::Text(text) if !text.trim().is_empty() => text,
        _ => {
            let expected = "an expression such as `form.company_size > 1`";
            let what = format!("`{key}` is {}", node.describe());
            reader.problems.add(ProblemCode::WrongShape, node.place, what, expected, None);
            return None;
        }
    };
    if let Some((condition, negated)) = liquid::lone_condition(text) {
        return Some((Asked::Program(Program::compile(reader, node, condition)?), negated));
    }
    if text.contains("{{") || text.contains("{%") {
        return Some((Asked::Template(Template::compile(reader, node, text)?), false));
    }
    Some((Asked::Program(Program::compile(reader, node, text)?), false))
}
