//! `password`: the value must be a password that is hard to guess.
//!
//! Follows NIST SP 800-63B section 3.1.1.2: a minimum length and a blocklist instead of composition
//! rules, all of Unicode, and no truncation, neither here nor when hashing.

use std::collections::HashSet;
use std::sync::Arc;

use super::length::{TOO_LONG, TOO_SHORT};
use super::notation::{INVALID, WordList, lines_of, sorted};
use super::{Applicability, Check, CompileContext, Reporter, Rule, RuleInput, RuleOption};
use crate::canonical::{is_opaque_string, opaque_string};
use crate::config::Data;
use crate::messages::{Message, Param, Params};
use crate::submission::SiblingRef;
use crate::value::Value;

static TOO_SHORT_BYTES: Message = Message::pluralized(
    "too_short",
    "is too short (minimum is %{count} bytes)",
    "is too short (minimum is %{count} byte)",
)
.with_key("too_short_bytes");
static TOO_LONG_BYTES: Message = Message::pluralized(
    "too_long",
    "is too long (maximum is %{count} bytes)",
    "is too long (maximum is %{count} byte)",
)
.with_key("too_long_bytes");
static COMMON: Message = Message::new("common", "is too easy to guess");
static CONTAINS: Message = Message::new("contains", "must not contain %{attribute}");

static BLOCKLIST: WordList = WordList::new(|| sorted(lines_of(include_str!("data/passwords.txt"))));

/// Default minimum length in characters.
const DEFAULT_MIN_CHARS: u64 = 8;
/// Default maximum length in characters.
const MAX_CHARS: usize = 128;
/// Minimum length of another field's value to be searched for, in characters.
const MIN_CONTAINED_CHARS: usize = 3;

pub(super) static RULE: Rule = Rule {
    name: "password",
    aliases: &[],
    summary: "The value must be a password that is hard to guess: long enough, not one of the 3000 \
              most common passwords, and not containing the values of the fields in \
              `not_containing`. These are compared regardless of case, if they have at least 3 \
              characters; for an e-mail address, the part before the @ is compared too. All \
              characters are allowed except control characters. Passwords are normalized to NFC, \
              and all kinds of spaces are equal (RFC 8265). Null passes: `presence` rejects it. \
              Replaces the built-in length rule of the field `password`.",
    options: &[
        RuleOption::new("minimum", "a whole number", "Minimum number of characters. Default: 8."),
        RuleOption::new("maximum", "a whole number", "Maximum number of characters. Default: 128."),
        RuleOption::new(
            "minimum_bytes",
            "a whole number",
            "Minimum number of bytes in UTF-8. Default: none.",
        ),
        RuleOption::new(
            "maximum_bytes",
            "a whole number",
            "Maximum number of bytes in UTF-8. Default: none.",
        ),
        RuleOption::new(
            "not_containing",
            "a field or a list of fields",
            "Fields of the same object whose values the password must not contain.",
        ),
        RuleOption::new(
            "blocklist",
            "true, false or a list",
            "Whether common passwords are rejected. Default: true. The passwords of a list are \
             rejected in addition.",
        ),
        RuleOption::text("too_short"),
        RuleOption::text("too_long"),
    ],
    main_option: Some("minimum"),
    messages: &[
        &INVALID,
        &TOO_SHORT,
        &TOO_LONG,
        &TOO_SHORT_BYTES,
        &TOO_LONG_BYTES,
        &COMMON,
        &CONTAINS,
    ],
    applies_to: Applicability::VALUES,
    accepts: &[
        ("true", "\"correct horse battery staple\""),
        ("12", "\"пароль-из-букв\""),
        ("{blocklist: false}", "\"password\""),
        ("true", "null"),
    ],
    rejects: &[
        ("true", "\"short1!\"", "too_short"),
        ("{maximum: 10}", "\"far too long\"", "too_long"),
        ("{minimum: 4, minimum_bytes: 9}", "\"œufs4\"", "too_short"),
        ("true", "\"Password\"", "common"),
        ("true", "\"a\\u0007 loud password\"", "invalid"),
        ("{blocklist: [registrar]}", "\"Registrar\"", "common"),
    ],
    compile,
};

fn compile(compile: &mut CompileContext<'_, '_>) -> Option<Box<dyn Check>> {
    let mut not_containing = Vec::new();
    if let Some(node) = compile.get("not_containing") {
        for node in compile.one_or_list(node) {
            let name = compile.reader.text(node, "not_containing")?;
            not_containing.push((compile.sibling(name, node.location)?, name.into()));
        }
    }
    let mut blocklist = HashSet::new();
    let mut refuses_common = true;
    match compile.get("blocklist") {
        Some(node) if matches!(node.data, Data::List(_)) => {
            for word in compile.texts("blocklist")? {
                blocklist.insert(word.to_lowercase());
            }
        }
        Some(node) => refuses_common = compile.reader.boolean(node, "blocklist")?,
        None => {}
    }
    let minimum = compile.count("minimum").unwrap_or(DEFAULT_MIN_CHARS);
    let minimum = usize::try_from(minimum).ok()?;
    let given = compile.count("maximum").and_then(|count| count.try_into().ok());
    let maximum = given.unwrap_or(MAX_CHARS.max(minimum));
    let password = Password {
        minimum,
        maximum: Some(maximum),
        minimum_bytes: compile.count("minimum_bytes").and_then(|count| count.try_into().ok()),
        maximum_bytes: compile.count("maximum_bytes").and_then(|count| count.try_into().ok()),
        not_containing,
        refuses_common,
        blocklist,
    };
    let limits = [
        (Some(password.minimum), password.maximum),
        (password.minimum_bytes, password.maximum_bytes),
        // A character has at least one byte.
        (Some(password.minimum), password.maximum_bytes),
    ];
    for (least, most) in limits {
        if let (Some(least), Some(most)) = (least, most)
            && least > most
        {
            let what = format!("no password has at least {least} and at most {most}");
            compile.contradiction(
                compile.location,
                what,
                "a maximum that is not below the minimum",
            );
        }
    }
    Some(Box::new(password))
}

#[derive(Debug)]
struct Password {
    minimum: usize,
    maximum: Option<usize>,
    minimum_bytes: Option<usize>,
    maximum_bytes: Option<usize>,
    not_containing: Vec<(SiblingRef, Arc<str>)>,
    refuses_common: bool,
    /// The form's blocklist, in lower case.
    blocklist: HashSet<String>,
}

impl Check for Password {
    fn check(&self, input: &RuleInput<'_, '_>, reporter: &mut Reporter<'_, '_>) {
        let Value::String(password) = input.value() else { return };
        if !is_opaque_string(password) {
            return reporter.fail(&INVALID, Params::new());
        }
        let password = opaque_string(password);
        let mut fail = |message, limit: usize| {
            reporter.fail(message, Params::from([("count", Param::Number(limit.to_string()))]));
        };
        let characters = password.chars().count();
        if characters < self.minimum {
            fail(&TOO_SHORT, self.minimum);
        } else if let Some(minimum) = self.minimum_bytes.filter(|least| password.len() < *least) {
            fail(&TOO_SHORT_BYTES, minimum);
        }
        if let Some(maximum) = self.maximum.filter(|most| characters > *most) {
            fail(&TOO_LONG, maximum);
        } else if let Some(maximum) = self.maximum_bytes.filter(|most| password.len() > *most) {
            fail(&TOO_LONG_BYTES, maximum);
        }
        let folded = password.to_lowercase();
        if (self.refuses_common && BLOCKLIST.contains(&folded)) || self.blocklist.contains(&folded)
        {
            reporter.fail(&COMMON, Params::new());
        }
        for (field, attribute) in &self.not_containing {
            if contains_value(&folded, input.scope.slot(*field).value()) {
                let attribute = Param::Field(attribute.clone());
                reporter.fail(&CONTAINS, Params::from([("attribute", attribute)]));
            }
        }
    }

    fn depends_on_context(&self) -> bool {
        !self.not_containing.is_empty()
    }
}

/// Returns whether a lower-case password contains the value of a field, in any case, or the local
/// part if it is an e-mail address.
fn contains_value(password: &str, value: &Value<'_>) -> bool {
    let (Value::String(text) | Value::Number(text)) = value else { return false };
    let text = text.trim().to_lowercase();
    let is_in =
        |part: &str| part.chars().nth(MIN_CONTAINED_CHARS - 1).is_some() && password.contains(part);
    is_in(&text) || text.split_once('@').is_some_and(|(local, _)| is_in(local))
}
