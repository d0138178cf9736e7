//! `unique`: no other user may have the value.
//!
//! The rule only adds a claim, which the database accepts or refuses when it writes the submission
//! (table `unique_claims`). Equal values within one submission are found before that.

use std::sync::Arc;

use super::{Applicability, Check, CompileContext, Reporter, Rule, RuleInput, RuleOption};
use crate::aggregate::Claim;
use crate::canonical::{bounded_key, canonical_text, email_key};
use crate::config::{Data, Node};
use crate::decimal::Decimal;
use crate::messages::Message;
use crate::submission::SiblingRef;
use crate::types::path_in_record;
use crate::value::{NULL, Value};

pub(crate) static TAKEN: Message = Message::new("taken", "has already been taken");

pub(super) static RULE: Rule = Rule {
    name: "unique",
    aliases: &["uniqueness"],
    summary: "No other user may have the value. Values are compared after Unicode normalization \
              (NFKC), without surrounding whitespace; e-mail addresses also regardless of case, \
              with the domain in ASCII form (IDNA). Null and blank strings pass. Checked against \
              the database in the transaction that writes the submission.",
    options: &[
        RuleOption::new(
            "scope",
            "a field or a list of fields",
            "Fields of the same object. A value is a duplicate only if these fields are equal too.",
        ),
        RuleOption::new(
            "case_sensitive",
            "true or false",
            "Whether case is significant. Default: true, but false for `email`.",
        ),
        RuleOption::new(
            "conditions",
            "a mapping of fields to values",
            "Compare only objects in which these fields have these values.",
        ),
    ],
    main_option: None,
    messages: &[&TAKEN],
    applies_to: Applicability::VALUES,
    accepts: &[("true", "\"ann\""), ("{case_sensitive: false}", "null")],
    rejects: &[],
    compile,
};

fn compile(compile: &mut CompileContext<'_, '_>) -> Option<Box<dyn Check>> {
    let is_email = compile.field.global_path == "email";
    let case_sensitive = compile.boolean("case_sensitive", !is_email);
    if is_email && case_sensitive {
        compile.contradiction(
            compile.location,
            "case is never significant in an e-mail address: `Ann@…` and `ann@…` are the same \
             mailbox",
            "`case_sensitive: false`, or no `case_sensitive`",
        );
    }
    let mut scope_name = format!("user.{}", compile.field.global_path);
    let mut scope = Vec::new();
    if let Some(node) = compile.get("scope") {
        let names: Vec<&Node> = match &node.data {
            Data::List(items) => items.iter().collect(),
            _ => vec![node],
        };
        for node in names {
            let name = compile.reader.text(node, "scope")?;
            scope.push(compile.sibling(name, node.location)?);
            scope_name.push('+');
            scope_name.push_str(name);
        }
    }
    let mut conditions = Vec::new();
    if let Some(node) = compile.get("conditions") {
        for entry in compile.reader.map(node, "conditions") {
            let value = entry.value.to_value();
            scope_name.push_str(&format!("?{}={}", entry.key, value_key(&value, true)));
            conditions.push((compile.sibling(&entry.key, entry.location)?, value));
        }
    }
    if !case_sensitive && !is_email {
        scope_name.push_str(Claim::CASE_INSENSITIVE);
    }
    let scope_name = bounded_key(scope_name).into();
    let path = path_in_record(compile.field.global_path).into();
    Some(Box::new(Unique { scope_name, path, scope, conditions, case_sensitive, is_email }))
}

#[derive(Debug)]
struct Unique {
    scope_name: Arc<str>,
    /// Path of the field within its record.
    path: Arc<str>,
    scope: Vec<SiblingRef>,
    conditions: Vec<(SiblingRef, Value<'static>)>,
    case_sensitive: bool,
    is_email: bool,
}

impl Check for Unique {
    fn check(&self, input: &RuleInput<'_, '_>, reporter: &mut Reporter<'_, '_>) {
        let value = input.value();
        let is_nothing = match value {
            Value::Null => true,
            Value::String(text) => text.trim().is_empty(),
            _ => false,
        };
        let is_compared = |(field, expected): &(SiblingRef, Value<'static>)| {
            value_key(input.scope.slot(*field).value(), true) == value_key(expected, true)
        };
        if is_nothing || !self.conditions.iter().all(is_compared) {
            return;
        }
        let mut value_key = match value {
            Value::String(text) if self.is_email => email_key(text),
            value => value_key(value, self.case_sensitive),
        };
        let parts = self.scope.iter().map(|field| input.scope.slot(*field).value());
        value_key = scope_value(value_key, parts, self.case_sensitive);
        let claim = Claim { scope: self.scope_name.clone(), value_key };
        reporter.claim(claim, &self.path, &TAKEN);
    }
}

/// Returns the key of a value combined with the keys of the scope's fields, if there are any.
fn scope_value<'v>(
    mut value_key: String,
    parts: impl Iterator<Item = &'v Value<'v>>,
    case_sensitive: bool,
) -> String {
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return value_key;
    }
    // Each part is preceded by its length, so that different lists of parts have different keys.
    value_key.insert_str(0, &format!("{}:", value_key.len()));
    for part in parts {
        let part = self::value_key(part, case_sensitive);
        value_key.push_str(&format!("\u{1f}{}:{part}", part.len()));
    }
    bounded_key(value_key)
}

/// Returns whether a claim matches a value of a stored object by its scope and key. `path` is the
/// address of the object, such as `transactables.boat.properties`; `parent` is the record whose
/// `properties` it is. Only for claims that were stored without their holder.
pub fn claim_matches(
    claim: &Claim,
    path: &str,
    object: &Value<'_>,
    parent: Option<&Value<'_>>,
) -> bool {
    let scope = claim.scope.strip_prefix("user.").and_then(|scope| scope.strip_prefix(path));
    let Some(scope) = scope.and_then(|scope| scope.strip_prefix('.')) else { return false };
    let (scope, case_sensitive) = match scope.strip_suffix(Claim::CASE_INSENSITIVE) {
        Some(scope) => (scope, false),
        None => (scope, true),
    };
    let Value::Object(entries) = object else { return false };
    let sibling = |name: &str| object.get(name).or_else(|| parent?.get(name)).unwrap_or(&NULL);
    entries.iter().any(|(name, value)| {
        let Some(narrowed) = scope.strip_prefix(&**name) else { return false };
        let mut conditions = narrowed.split('?');
        let others = conditions.next().unwrap_or_default();
        if !others.is_empty() && !others.starts_with('+') {
            return false;
        }
        let holds = |condition: &str| match condition.split_once('=') {
            Some((name, expected)) => value_key(sibling(name), true) == expected,
            None => false,
        };
        let parts = others.split('+').skip(1).map(sibling);
        conditions.all(holds)
            && scope_value(value_key(value, case_sensitive), parts, case_sensitive)
                == claim.value_key
    })
}

/// Returns the comparison key of a value. Equal values have equal keys.
pub(crate) fn value_key(value: &Value<'_>, case_sensitive: bool) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(text) => match Decimal::parse(text) {
            Some(number) => number.to_plain_string(),
            None => text.clone().into_owned(),
        },
        Value::String(text) => canonical_text(text, case_sensitive),
        structured => canonical_text(&crate::submission::stored_json(structured), case_sensitive),
    }
}
