//! Templates: strings with expressions, such as `{{ form.first_name }} {{ form.last_name }}`.

use std::borrow::Cow;
use std::collections::BTreeSet;

use minijinja::{AutoEscape, Environment, Value as Dynamic};

use super::dependencies::Dependencies;
use super::tokens::{TextBlock, text_blocks};
use super::value::{TooLong, from_dynamic};
use super::{
    EvalScope, NameScope, Program, check_names, is_short, language, liquid, report_syntax, tokens,
};
use crate::config::{Node, ProblemCode, Reader};
use crate::eval_error::EvalError;
use crate::value::Value;

/// Maximum size of the result of a form's template or expression, in bytes.
pub(super) const MAX_OUTPUT_BYTES: usize = 64 * 1024;
/// Maximum size of the result of a contract's template or expression, in bytes. Larger than
/// [`MAX_OUTPUT_BYTES`] because it renders stored records, and one large record must not make a
/// list of them fail.
const MAX_RENDERED_BYTES: usize = 4 * 1024 * 1024;
/// Name of the only template in an environment.
const ONLY: &str = "text";

/// A compiled template.
#[derive(Debug)]
pub enum Template {
    /// A single expression; its result keeps its type.
    Sole(Program),
    /// Literal strings and expressions, concatenated.
    Pieces(Vec<TemplatePart>),
    /// A template with `{% %}` tags.
    Blocks(Box<Blocks>),
}

#[derive(Debug)]
pub enum TemplatePart {
    Text(String),
    Program(Program),
}

#[derive(Debug)]
pub struct Blocks {
    environment: Environment<'static>,
    reads: Dependencies,
}

impl Blocks {
    fn escape_html(&mut self) {
        self.environment.set_auto_escape_callback(|_| AutoEscape::Html);
        // Whether a template escapes is decided when it is added, so it is added again.
        let text = self.environment.get_template(ONLY).map(|only| only.source().to_owned());
        let added = text.and_then(|text| self.environment.add_template_owned(ONLY, text));
        debug_assert!(added.is_ok(), "the template compiled before");
    }
}

impl Template {
    /// Whether a text has anything to fill in.
    pub fn is_in(text: &str) -> bool {
        text.contains("{{") || text.contains("{%")
    }

    /// Compiles it; a mistake in it is noted at `node`.
    pub fn compile(reader: &mut Reader<'_>, node: &Node, text: &str) -> Option<Self> {
        let Some(parts) = text_blocks(text) else {
            let what = "a `{{` or `{%` in the text has no end";
            let code = ProblemCode::BadExpression;
            reader.problems.add(code, node.location, what, "`}}` or `%}`", None);
            return None;
        };
        if parts.iter().any(|piece| matches!(piece, TextBlock::Block(_))) {
            return Self::blocks(reader, node, text);
        }
        if let [TextBlock::Output(text)] = parts[..] {
            return Some(Self::Sole(Program::compile(reader, node, text)?));
        }
        let parts = parts.into_iter().map(|piece| match piece {
            TextBlock::Output(text) => {
                Program::compile(reader, node, text).map(TemplatePart::Program)
            }
            TextBlock::Text(text) | TextBlock::Block(text) => {
                Some(TemplatePart::Text(text.to_owned()))
            }
        });
        Some(Self::Pieces(parts.collect::<Option<_>>()?))
    }

    fn blocks(reader: &mut Reader<'_>, node: &Node, text: &str) -> Option<Self> {
        let text = liquid::template(text)?;
        let steps = text_blocks(&text)?.into_iter().map(|piece| match piece {
            TextBlock::Output(inner) | TextBlock::Block(inner) => tokens::count_steps(inner),
            TextBlock::Text(_) => 0,
        });
        if !is_short(reader, node, steps.sum()) {
            return None;
        }
        for piece in text_blocks(&text)? {
            let (TextBlock::Output(inner) | TextBlock::Block(inner)) = piece else { continue };
            if let Err(problem) = check_names(inner) {
                problem.note(reader, node);
                return None;
            }
        }
        let mut environment = language::ENVIRONMENT.clone();
        if let Err(error) = environment.add_template_owned(ONLY, text) {
            report_syntax(reader, node, &error);
            return None;
        }
        let names: BTreeSet<String> =
            environment.get_template(ONLY).ok()?.undeclared_variables(true).into_iter().collect();
        let reads = Dependencies::of(names, node.location);
        Some(Self::Blocks(Box::new(Blocks { environment, reads })))
    }

    /// Escapes values for HTML in a template with `{% %}` tags, but not its own text. Other templates
    /// are unchanged.
    #[must_use]
    pub fn escape_html(mut self) -> Self {
        if let Self::Blocks(blocks) = &mut self {
            blocks.escape_html();
        }
        self
    }

    /// Resolves the names in the template; see [`Dependencies::resolve`].
    pub(crate) fn resolve(
        &mut self,
        reader: &mut Reader<'_>,
        form: &NameScope,
        this: &NameScope,
        allow_secrets: bool,
    ) {
        match self {
            Self::Sole(program) => program.resolve(reader, form, this, allow_secrets),
            Self::Blocks(blocks) => blocks.reads.resolve(reader, form, this, allow_secrets),
            Self::Pieces(parts) => {
                for part in parts {
                    if let TemplatePart::Program(program) = part {
                        program.resolve(reader, form, this, allow_secrets);
                    }
                }
            }
        }
    }

    /// Returns the names that the template reads, as written. For contracts, whose templates are
    /// not resolved against a form.
    pub fn names(&self) -> Vec<&str> {
        let reads: Vec<&Dependencies> = match self {
            Self::Sole(program) => vec![&program.reads],
            Self::Blocks(blocks) => vec![&blocks.reads],
            Self::Pieces(parts) => parts
                .iter()
                .filter_map(|part| match part {
                    TemplatePart::Program(program) => Some(&*program.reads),
                    TemplatePart::Text(_) => None,
                })
                .collect(),
        };
        reads.into_iter().flat_map(Dependencies::names).map(String::as_str).collect()
    }

    /// Evaluates the template of a contract over `context`. Returns the value of a single
    /// expression, or `None` if that is undefined; otherwise the rendered string.
    pub fn value_in(&self, context: &Dynamic) -> Result<Option<Value<'static>>, EvalError> {
        let text = match self {
            Self::Sole(program) => {
                return bounded(&program.eval_in(context)?, MAX_RENDERED_BYTES);
            }
            Self::Blocks(blocks) => {
                let template = blocks.environment.get_template(ONLY);
                let filled = template.and_then(|text| text.render(context.clone()));
                filled?
            }
            Self::Pieces(parts) => {
                let mut text = String::new();
                for part in parts {
                    match part {
                        TemplatePart::Text(more) => text.push_str(more),
                        TemplatePart::Program(program) => {
                            text.push_str(&language::to_text(&program.eval_in(context)?));
                        }
                    }
                    if text.len() > MAX_RENDERED_BYTES {
                        break;
                    }
                }
                text
            }
        };
        if text.len() > MAX_RENDERED_BYTES {
            return Err(EvalError::ResultTooLarge(MAX_RENDERED_BYTES));
        }
        Ok(Some(Value::String(Cow::Owned(text))))
    }

    /// Evaluates the template of a form. Returns the value of a single expression, or `None` if
    /// that is undefined; otherwise the rendered string.
    pub(crate) fn value(
        &self,
        view: &EvalScope<'_, '_>,
    ) -> Result<Option<Value<'static>>, EvalError> {
        match self {
            Self::Sole(program) => bounded(&program.eval(view)?, MAX_OUTPUT_BYTES),
            _ => Ok(Some(Value::String(Cow::Owned(self.text(view)?)))),
        }
    }

    /// Renders the template of a form to a string.
    pub(crate) fn text(&self, view: &EvalScope<'_, '_>) -> Result<String, EvalError> {
        let mut text = String::new();
        let mut push = |more: &str| {
            if text.len() + more.len() > MAX_OUTPUT_BYTES {
                return Err(EvalError::ResultTooLarge(MAX_OUTPUT_BYTES));
            }
            text.push_str(more);
            Ok(())
        };
        match self {
            Self::Sole(program) => push(&language::to_text(&program.eval(view)?))?,
            Self::Pieces(parts) => {
                for part in parts {
                    match part {
                        TemplatePart::Text(more) => push(more)?,
                        TemplatePart::Program(program) => {
                            push(&language::to_text(&program.eval(view)?))?
                        }
                    }
                }
            }
            Self::Blocks(blocks) => {
                let template = blocks.environment.get_template(ONLY);
                let filled = template.and_then(|text| text.render(blocks.reads.context(view)));
                push(&filled?)?;
            }
        }
        Ok(text)
    }
}

/// Converts the result of an expression, which may have at most `limit` bytes, written as JSON.
fn bounded(value: &Dynamic, limit: usize) -> Result<Option<Value<'static>>, EvalError> {
    let mut left = limit;
    from_dynamic(value, &mut left).map_err(|TooLong| EvalError::ResultTooLarge(limit))
}
