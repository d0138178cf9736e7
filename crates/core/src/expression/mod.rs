//! The expression language of forms: conditions, computed values, texts with `{{ }}` in them.
//!
//! It is minijinja's (Jinja2), with Liquid's spellings understood: an expression is compiled when
//! its form is, every name in it is checked against the form, and it runs with bounded fuel. It
//! can read `form` (the submission, shaped), `this` (the record that the field stands in), `now`
//! and `today` (RFC 3339, UTC) and `token.name` (the caller's). A field that was not sent is
//! undefined there, which is false, empty, and less than everything.

mod condition;
mod dependencies;
mod language;
mod liquid;
mod names;
mod template;
mod tokens;
mod value;

use std::collections::BTreeSet;

use minijinja::Expression;

pub(crate) use condition::{ConditionResult, Conditions};
pub(crate) use dependencies::{Dependencies, EvalScope, NameScope};
pub(crate) use names::check as check_names;
pub(crate) use template::Template;
pub(crate) use value::to_dynamic;

use crate::config::{Location, Node, ProblemCode, Reader};
use crate::eval_context::EvalContext;

/// The most steps of an expression, or of a text with `{% %}` in it. The library works a chain such
/// as `a and b and …` out by recursion, for which a thread's stack is too small from 1,000 steps on
/// where nothing is optimised.
const MAX_STEPS: usize = 500;

/// Why an expression gave nothing: its kind, never a value.
pub(crate) type EvalError = String;

/// One compiled expression and the names it reads.
pub(crate) struct Program {
    code: Expression<'static, 'static>,
    reads: Box<Dependencies>,
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Program").field("reads", &self.reads).finish_non_exhaustive()
    }
}

impl Program {
    /// Compiles an expression; a mistake in it is noted at `node`.
    pub(crate) fn compile(reader: &mut Reader<'_>, node: &Node, text: &str) -> Option<Self> {
        if !is_short(reader, node, tokens::count_steps(text)) {
            return None;
        }
        if let Some(sign) = names::foreign(text) {
            let what = format!("this is no expression: `{sign}` means nothing in it");
            let hint = Some("write `and`, `or` and `not`".to_owned());
            let (code, place) = (ProblemCode::BadExpression, node.place);
            reader.problems.add(code, place, what, "an expression", hint);
            return None;
        }
        let text = liquid::expression(text);
        if let Err(problem) = check_names(&text) {
            problem.note(reader, node);
            return None;
        }
        match language::ENVIRONMENT.compile_expression_owned(text) {
            Ok(code) => {
                let names: BTreeSet<String> = code.undeclared_variables(true).into_iter().collect();
                Some(Self { code, reads: Box::new(Dependencies::of(names, node.place)) })
            }
            Err(error) => {
                report_syntax(reader, node, &error);
                None
            }
        }
    }

    /// Finds the fields that it names, then tries it on a submission without any.
    pub(crate) fn resolve(
        &mut self,
        reader: &mut Reader<'_>,
        form: &NameScope,
        this: &NameScope,
        may_ask_secrets: bool,
    ) {
        self.reads.resolve(reader, form, this, may_ask_secrets);
        let surroundings = EvalContext::default();
        let nothing = EvalScope { form: &[], this: &[], surroundings: &surroundings };
        if let Err(error) = self.code.eval(self.reads.context(&nothing)) {
            report_misuse(reader, self.reads.place(), &error);
        }
    }

    /// Evaluates it over whatever the names in it are taken from.
    fn eval_in(&self, context: &minijinja::Value) -> Result<minijinja::Value, EvalError> {
        self.code.eval(context.clone()).map_err(|error| error.kind().to_string())
    }

    fn eval(&self, view: &EvalScope<'_, '_>) -> Result<minijinja::Value, EvalError> {
        self.code.eval(self.reads.context(view)).map_err(|error| error.kind().to_string())
    }
}

/// Notes what would fail for every submission; the rest depends on what is sent.
fn report_misuse(reader: &mut Reader<'_>, place: Location, error: &minijinja::Error) {
    use minijinja::ErrorKind as Kind;
    let is_misuse = matches!(
        error.kind(),
        Kind::MissingArgument
            | Kind::TooManyArguments
            | Kind::UnknownFilter
            | Kind::UnknownTest
            | Kind::UnknownFunction
            | Kind::UnknownMethod
    );
    if is_misuse {
        let what = format!("the expression can never be worked out: {}", error.kind());
        let expected = "filters and tests with the arguments they take";
        reader.problems.add(ProblemCode::BadExpression, place, what, expected, None);
    }
}

/// Notes that an expression has too many steps, where it has.
fn is_short(reader: &mut Reader<'_>, node: &Node, steps: usize) -> bool {
    if steps > MAX_STEPS {
        let what =
            format!("the expression has {steps} words and signs, which is more than {MAX_STEPS}");
        let hint = Some("the rule `inclusion` takes long lists".to_owned());
        let (code, place) = (ProblemCode::BadExpression, node.place);
        reader.problems.add(code, place, what, "a shorter one", hint);
    }
    steps <= MAX_STEPS
}

/// Notes that a text is no expression.
fn report_syntax(reader: &mut Reader<'_>, node: &Node, error: &minijinja::Error) {
    let detail = error.detail().unwrap_or("it cannot be read").to_owned();
    reader.problems.add(
        ProblemCode::BadExpression,
        node.place,
        format!("this is no expression: {detail}"),
        "an expression such as `form.company_size > 1`",
        None,
    );
}
