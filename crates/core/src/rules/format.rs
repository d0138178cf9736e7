//! `format`: the value must match a pattern, or must not match it.

use regex::Regex;

use super::pattern::compile_pattern;
use super::{Applicability, Check, CompileContext, Reporter, Rule, RuleInput, RuleOption};
use crate::fields::FieldType;
use crate::messages::{Message, Params};
use crate::value::Value;

static INVALID: Message = Message::new("invalid", "is invalid");

pub(super) static RULE: Rule = Rule {
    name: "format",
    aliases: &[],
    summary: "The value must match the pattern `with`, or must not match `without`. Patterns use \
              Ruby's syntax; `\\A` and `\\z` are the start and the end of the string.",
    options: &[
        RuleOption::new("with", "a pattern", "The pattern that must match."),
        RuleOption::new("without", "a pattern", "The pattern that must not match."),
        RuleOption::new(
            "multiline",
            "true or false",
            "Allow `^` and `$`, which match at the start and the end of a line.",
        ),
    ],
    main_option: Some("with"),
    messages: &[&INVALID],
    applies_to: Applicability::VALUES,
    accepts: &[
        ("'\\A[A-Z]{2}\\d+\\z'", "\"NO123\""),
        ("{without: '\\d'}", "\"Ann\""),
        ("{with: '\\A\\h+\\z'}", "\"00fF\""),
        ("{with: '^b$', multiline: true}", "\"a\\nb\""),
        ("'\\A\\d{5}\\z'", "90210"),
    ],
    rejects: &[
        ("'\\A[A-Z]{2}\\d+\\z'", "\"NO123\\n\"", "invalid"),
        ("{without: '\\d'}", "\"Ann2\"", "invalid"),
        ("'\\A\\d+\\z'", "null", "invalid"),
        ("'\\A\\d+\\z'", "\"\"", "invalid"),
    ],
    compile,
};

fn compile(compile: &mut CompileContext<'_, '_>) -> Option<Box<dyn Check>> {
    let (with, without) = (compile.get("with"), compile.get("without"));
    let (node, must_match) = match (with, without) {
        (Some(node), None) => (node, true),
        (None, Some(node)) => (node, false),
        (None, None) => {
            compile.bad(compile.location, "`format` has no pattern", "`with` or `without`");
            return None;
        }
        (Some(_), Some(node)) => {
            compile.contradiction(
                node.location,
                "`with` and `without` are both given",
                "one of them",
            );
            return None;
        }
    };
    let multiline = compile.boolean("multiline", false);
    let pattern = compile.reader.text(node, if must_match { "with" } else { "without" })?;
    let pattern = compile_pattern(compile.reader, pattern, node.location, multiline)?;
    Some(Box::new(Format { pattern, must_match }))
}

#[derive(Debug)]
struct Format {
    pattern: Regex,
    must_match: bool,
}

/// Translates a pattern to ECMA-262, the syntax of JSON Schema. Returns `None` if it may mean
/// something else there.
fn in_ecma(pattern: &str) -> Option<String> {
    let inner = pattern.strip_prefix("\\A").unwrap_or(pattern);
    let start = if inner.len() < pattern.len() { "^" } else { "" };
    let body = inner.strip_suffix("\\z").unwrap_or(inner);
    let end = if body.len() < inner.len() { "$" } else { "" };
    let mut characters = body.chars();
    while let Some(character) = characters.next() {
        let is_shared = match character {
            // Character classes such as `\d` differ between the two, escaped punctuation does not.
            '\\' => characters.next().is_some_and(|next| next.is_ascii_punctuation()),
            '(' => !characters.as_str().starts_with('?'),
            '[' => !characters.as_str().contains("&&") && !characters.as_str().contains("[:"),
            _ => true,
        };
        if !is_shared {
            return None;
        }
    }
    Some(format!("{start}{body}{end}"))
}

impl Check for Format {
    fn check(&self, input: &RuleInput<'_, '_>, reporter: &mut Reporter<'_, '_>) {
        // Rails matches the string form of a value; that of nil is empty.
        let matches = match input.value() {
            Value::String(text) | Value::Number(text) => self.pattern.is_match(text),
            Value::Null => self.pattern.is_match(""),
            Value::Bool(flag) => self.pattern.is_match(if *flag { "true" } else { "false" }),
            Value::Array(_) | Value::Object(_) => !self.must_match,
        };
        if matches != self.must_match {
            reporter.fail(&INVALID, Params::new());
        }
    }

    fn keywords(&self, of: FieldType) -> Option<serde_json::Value> {
        if !matches!(of, FieldType::String | FieldType::Text) {
            return None;
        }
        let pattern = serde_json::json!({ "pattern": in_ecma(self.pattern.as_str())? });
        Some(if self.must_match {
            pattern
        } else {
            serde_json::json!({ "not": { "type": "string", "allOf": [pattern] } })
        })
    }
}
