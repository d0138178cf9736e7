//! The expression language of forms: conditions, computed values and `{{ }}` templates.
//!
//! Expressions are minijinja (Jinja2) with Liquid syntax also accepted; they are compiled and their
//! names checked with the form, and run with bounded fuel. They read `form` (the decoded
//! submission), `this` (the record that contains the field), `now` and `today` (RFC 3339, UTC) and
//! `token.name` (the caller's). An absent field is undefined: falsy, empty, less than every value.

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
pub(crate) use dependencies::{Dependencies, EvalScope, NameScope, ScopeEntry};
pub use language::sha256;
pub(crate) use names::check as check_names;
pub use template::Template;
pub use value::to_dynamic;

use crate::config::{Location, Node, ProblemCode, Reader};
use crate::eval_context::EvalContext;
use crate::eval_error::EvalError;

/// Maximum number of words and signs in an expression, or in a template with `{% %}`. minijinja
/// handles a chain such as `a and b and …` by recursion, which overflows a thread's stack from
/// 1,000 steps on in a build without optimisation.
const MAX_STEPS: usize = 500;

/// One compiled expression and the names it reads.
pub struct Program {
    code: Expression<'static, 'static>,
    reads: Box<Dependencies>,
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Program").field("reads", &self.reads).finish_non_exhaustive()
    }
}

impl Program {
    /// Compiles an expression; returns `None` after reporting a problem at `node` if it is invalid.
    pub(crate) fn compile(reader: &mut Reader<'_>, node: &Node, text: &str) -> Option<Self> {
        if !is_short(reader, node, tokens::count_steps(text)) {
            return None;
        }
        if let Some(sign) = names::foreign(text) {
            let what = format!("invalid expression: `{sign}` is not an operator");
            let hint = Some("write `and`, `or` and `not`".to_owned());
            let (code, location) = (ProblemCode::BadExpression, node.location);
            reader.problems.add(code, location, what, "an expression", hint);
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
                Some(Self { code, reads: Box::new(Dependencies::of(names, node.location)) })
            }
            Err(error) => {
                report_syntax(reader, node, &error);
                None
            }
        }
    }

    /// Resolves the names in the expression, then evaluates it on an empty submission to report
    /// errors that no submission can avoid.
    pub(crate) fn resolve(
        &mut self,
        reader: &mut Reader<'_>,
        form: &NameScope,
        this: &NameScope,
        allow_secrets: bool,
    ) {
        self.reads.resolve(reader, form, this, allow_secrets);
        let eval_context = EvalContext::default();
        let empty = EvalScope { form: &[], this: &[], eval_context: &eval_context };
        if let Err(error) = self.code.eval(self.reads.context(&empty)) {
            report_misuse(reader, self.reads.location(), &error);
        }
    }

    /// Evaluates the expression over a given context.
    fn eval_in(&self, context: &minijinja::Value) -> Result<minijinja::Value, EvalError> {
        Ok(self.code.eval(context.clone())?)
    }

    fn eval(&self, view: &EvalScope<'_, '_>) -> Result<minijinja::Value, EvalError> {
        Ok(self.code.eval(self.reads.context(view))?)
    }
}

/// Reports an error that would occur for every submission; others depend on the submitted values.
fn report_misuse(reader: &mut Reader<'_>, location: Location, error: &minijinja::Error) {
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
        let what = format!("the expression fails for every submission: {}", error.kind());
        let expected = "filters and tests with the arguments they take";
        reader.problems.add(ProblemCode::BadExpression, location, what, expected, None);
    }
}

/// Returns whether an expression has at most [`MAX_STEPS`] steps; reports a problem if not.
fn is_short(reader: &mut Reader<'_>, node: &Node, steps: usize) -> bool {
    if steps > MAX_STEPS {
        let what =
            format!("the expression has {steps} words and operators; the maximum is {MAX_STEPS}");
        let hint = Some("use the rule `inclusion` for long lists".to_owned());
        let (code, location) = (ProblemCode::BadExpression, node.location);
        reader.problems.add(code, location, what, "a shorter expression", hint);
    }
    steps <= MAX_STEPS
}

/// Reports a syntax error.
fn report_syntax(reader: &mut Reader<'_>, node: &Node, error: &minijinja::Error) {
    let detail = error.detail().unwrap_or("syntax error").to_owned();
    reader.problems.add(
        ProblemCode::BadExpression,
        node.location,
        format!("invalid expression: {detail}"),
        "an expression such as `form.company_size > 1`",
        None,
    );
}
