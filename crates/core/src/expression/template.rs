//! Texts with expressions in them: `{{ form.first_name }} {{ form.last_name }}`.

use std::borrow::Cow;
use std::collections::BTreeSet;

use minijinja::{Environment, Value as Dynamic};

use super::reads::Reads;
use super::tokens::{Piece, pieces};
use super::value::{TooLong, from_dynamic};
use super::{
    Failure, Names, Program, View, check_names, is_short, language, liquid, syntax, tokens,
};
use crate::config::{Node, ProblemCode, Reader};
use crate::value::Value;

/// The longest text that a template may make, in bytes, and the most that an expression of a form
/// may.
pub(super) const LONGEST: usize = 64 * 1024;
/// The most that an expression or a text of a contract may make, in bytes: it shows what is stored,
/// and a large record must not keep others from being shown.
const MOST_SHOWN: usize = 4 * 1024 * 1024;
/// The name of the only template of an environment.
const ONLY: &str = "text";

/// A text to be filled in.
#[derive(Debug)]
pub(crate) enum Template {
    /// One expression and nothing else: it keeps its type.
    Sole(Program),
    /// Texts and expressions in turn.
    Pieces(Vec<Part>),
    /// With `{% %}` in it.
    Blocks(Box<Blocks>),
}

#[derive(Debug)]
pub(crate) enum Part {
    Text(String),
    Program(Program),
}

#[derive(Debug)]
pub(crate) struct Blocks {
    environment: Environment<'static>,
    reads: Reads,
}

impl Template {
    /// Whether a text has anything to fill in.
    pub(crate) fn is_in(text: &str) -> bool {
        text.contains("{{") || text.contains("{%")
    }

    /// Compiles it; a mistake in it is noted at `node`.
    pub(crate) fn compile(reader: &mut Reader<'_>, node: &Node, text: &str) -> Option<Self> {
        let Some(parts) = pieces(text) else {
            let what = "a `{{` or `{%` in the text has no end";
            let code = ProblemCode::BadExpression;
            reader.problems.add(code, node.place, what, "`}}` or `%}`", None);
            return None;
        };
        if parts.iter().any(|piece| matches!(piece, Piece::Block(_))) {
            return Self::blocks(reader, node, text);
        }
        if let [Piece::Output(text)] = parts[..] {
            return Some(Self::Sole(Program::compile(reader, node, text)?));
        }
        let parts = parts.into_iter().map(|piece| match piece {
            Piece::Output(text) => Program::compile(reader, node, text).map(Part::Program),
            Piece::Text(text) | Piece::Block(text) => Some(Part::Text(text.to_owned())),
        });
        Some(Self::Pieces(parts.collect::<Option<_>>()?))
    }

    fn blocks(reader: &mut Reader<'_>, node: &Node, text: &str) -> Option<Self> {
        let text = liquid::template(text)?;
        let steps = pieces(&text)?.into_iter().map(|piece| match piece {
            Piece::Output(inner) | Piece::Block(inner) => tokens::steps(inner),
            Piece::Text(_) => 0,
        });
        if !is_short(reader, node, steps.sum()) {
            return None;
        }
        for piece in pieces(&text)? {
            let (Piece::Output(inner) | Piece::Block(inner)) = piece else { continue };
            if let Err(problem) = check_names(inner) {
                problem.note(reader, node);
                return None;
            }
        }
        let mut environment = language::ENVIRONMENT.clone();
        if let Err(error) = environment.add_template_owned(ONLY, text.clone()) {
            syntax(reader, node, &error);
            return None;
        }
        let names: BTreeSet<String> =
            environment.get_template(ONLY).ok()?.undeclared_variables(true).into_iter().collect();
        let reads = Reads::of(names, node.place);
        Some(Self::Blocks(Box::new(Blocks { environment, reads })))
    }

    /// Finds the fields that it names.
    pub(crate) fn link(
        &mut self,
        reader: &mut Reader<'_>,
        form: &Names,
        this: &Names,
        may_ask_secrets: bool,
    ) {
        match self {
            Self::Sole(program) => program.link(reader, form, this, may_ask_secrets),
            Self::Blocks(blocks) => blocks.reads.link(reader, form, this, may_ask_secrets),
            Self::Pieces(parts) => {
                for part in parts {
                    if let Part::Program(program) = part {
                        program.link(reader, form, this, may_ask_secrets);
                    }
                }
            }
        }
    }

    /// What it names, as it spells it, where it is not of a form: nobody links it.
    pub(crate) fn names(&self) -> Vec<&str> {
        let reads: Vec<&Reads> = match self {
            Self::Sole(program) => vec![&program.reads],
            Self::Blocks(blocks) => vec![&blocks.reads],
            Self::Pieces(parts) => parts
                .iter()
                .filter_map(|part| match part {
                    Part::Program(program) => Some(&*program.reads),
                    Part::Text(_) => None,
                })
                .collect(),
        };
        reads.into_iter().flat_map(Reads::names).map(String::as_str).collect()
    }

    /// What it gives over values by name: that of its only expression, else a text. Nothing where
    /// that is undefined.
    pub(crate) fn value_in(&self, context: &Dynamic) -> Result<Option<Value<'static>>, Failure> {
        let text = match self {
            Self::Sole(program) => {
                return bounded(&program.eval_in(context)?, MOST_SHOWN);
            }
            Self::Blocks(blocks) => {
                let template = blocks.environment.get_template(ONLY);
                let filled = template.and_then(|text| text.render(context.clone()));
                filled.map_err(|error| error.kind().to_string())?
            }
            Self::Pieces(parts) => {
                let mut text = String::new();
                for part in parts {
                    match part {
                        Part::Text(more) => text.push_str(more),
                        Part::Program(program) => {
                            text.push_str(&language::shown(&program.eval_in(context)?));
                        }
                    }
                    if text.len() > MOST_SHOWN {
                        break;
                    }
                }
                text
            }
        };
        if text.len() > MOST_SHOWN {
            return Err(format!("it makes a text longer than {MOST_SHOWN} bytes"));
        }
        Ok(Some(Value::String(Cow::Owned(text))))
    }

    /// What it gives: the value of its only expression, else a text. Nothing where that is
    /// undefined.
    pub(crate) fn value(&self, view: &View<'_, '_>) -> Result<Option<Value<'static>>, Failure> {
        match self {
            Self::Sole(program) => bounded(&program.eval(view)?, LONGEST),
            _ => Ok(Some(Value::String(Cow::Owned(self.text(view)?)))),
        }
    }

    /// The text it gives.
    pub(crate) fn text(&self, view: &View<'_, '_>) -> Result<String, Failure> {
        let mut text = String::new();
        let mut push = |more: &str| {
            if text.len() + more.len() > LONGEST {
                return Err(format!("it makes a text longer than {LONGEST} bytes"));
            }
            text.push_str(more);
            Ok(())
        };
        match self {
            Self::Sole(program) => push(&language::shown(&program.eval(view)?))?,
            Self::Pieces(parts) => {
                for part in parts {
                    match part {
                        Part::Text(more) => push(more)?,
                        Part::Program(program) => push(&language::shown(&program.eval(view)?))?,
                    }
                }
            }
            Self::Blocks(blocks) => {
                let template = blocks.environment.get_template(ONLY);
                let filled = template.and_then(|text| text.render(blocks.reads.context(view)));
                push(&filled.map_err(|error| error.kind().to_string())?)?;
            }
        }
        Ok(text)
    }
}

/// What an expression gave, where it has at most so many bytes.
fn bounded(value: &Dynamic, most: usize) -> Result<Option<Value<'static>>, Failure> {
    let mut left = most;
    let too_long = |TooLong| format!("it makes a value of more than {most} bytes");
    from_dynamic(value, &mut left).map_err(too_long)
}
