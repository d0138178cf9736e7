//! Shared by `required_if`, `required_unless`, `required_with`, `required_without` and
//! `prohibited_if`: conditions on other fields of the same object, or on an expression.

use super::value_set::equal;
use super::{Check, CompileContext, Reporter, RuleInput};
use crate::config::{Data, Entry, Node};
use crate::decimal::Decimal;
use crate::messages::{Message, Params};
use crate::submission::SiblingRef;
use crate::value::Value;

/// A condition on other fields.
#[derive(Debug)]
enum SiblingCondition {
    /// All fields are present.
    Present(Vec<SiblingRef>),
    /// Each field has one of its values.
    Holds(Vec<(SiblingRef, Vec<Value<'static>>)>),
}

impl SiblingCondition {
    /// Parses a field name, a list of field names, or a mapping of fields to values. Reports
    /// problems.
    fn read(compile: &mut CompileContext<'_, '_>, node: &Node) -> Option<Self> {
        match &node.data {
            Data::Map(entries) if !entries.is_empty() => {
                let mut expected = Vec::new();
                for entry in entries {
                    let field = compile.sibling(&entry.key, entry.location)?;
                    let values = match &entry.value.data {
                        Data::List(items) => items.iter().map(Node::to_value).collect(),
                        _ => vec![entry.value.to_value()],
                    };
                    expected.push((field, values));
                }
                Some(Self::Holds(expected))
            }
            Data::Text(_) | Data::List(_) => fields(compile, node).map(Self::Present),
            _ => {
                let what = format!("the condition of `{}` is {}", compile.rule, node.describe());
                compile.bad(
                    node.location,
                    what,
                    "a field, a list of fields, `field: value`, or an expression",
                );
                None
            }
        }
    }

    /// Returns whether the condition is met.
    fn holds(&self, input: &RuleInput<'_, '_>) -> bool {
        match self {
            Self::Present(fields) => fields.iter().all(|field| is_present(input, *field)),
            Self::Holds(expected) => expected.iter().all(|(field, values)| {
                let value = input.scope.slot(*field).value();
                values.iter().any(|expected| values_match(value, expected))
            }),
        }
    }
}

/// Parses a field name or a list of field names. Reports problems.
fn fields(compile: &mut CompileContext<'_, '_>, node: &Node) -> Option<Vec<SiblingRef>> {
    let nodes = match &node.data {
        Data::List(items) => &items[..],
        _ => std::slice::from_ref(node),
    };
    if nodes.is_empty() {
        let what = format!("`{}` names no field", compile.rule);
        compile.bad(node.location, what, "at least one field");
        return None;
    }
    let mut fields = Vec::new();
    for node in nodes {
        let name = compile.reader.text(node, "field")?;
        fields.push(compile.sibling(name, node.location)?);
    }
    Some(fields)
}

/// Returns whether a field is not blank.
fn is_present(input: &RuleInput<'_, '_>, field: SiblingRef) -> bool {
    !input.scope.slot(field).is_blank()
}

/// Returns whether a value equals the expected one. Strings equal the numbers and booleans they
/// spell, as HTML forms submit strings.
fn values_match(value: &Value<'_>, expected: &Value<'_>) -> bool {
    let text = |value: &Value<'_>| match value {
        Value::String(text) | Value::Number(text) => Some(text.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    };
    equal(value, expected)
        || text(value).zip(text(expected)).is_some_and(|(value, expected)| {
            value == expected
                || Decimal::parse(&value).is_some_and(|number| {
                    Decimal::parse(&expected).is_some_and(|expected| expected == number)
                })
        })
}

/// Compiles a rule that requires or prohibits a value under the condition given by `option`.
pub(super) fn compile(
    compile: &mut CompileContext<'_, '_>,
    option: &'static str,
    read: fn(&mut CompileContext<'_, '_>, &Node) -> Option<When>,
    verdict: ConditionalEffect,
) -> Option<Box<dyn Check>> {
    let Some(node) = compile.get(option) else {
        let what = format!("`{}` has no condition: the option `{option}` is missing", compile.rule);
        compile.bad(compile.location, what, "the name of a field");
        return None;
    };
    let when = read(compile, node)?;
    Some(Box::new(Conditional { when, verdict }))
}

/// The condition under which a rule applies.
#[derive(Debug)]
pub(super) struct When(AppliesWhen);

#[derive(Debug)]
enum AppliesWhen {
    /// Always; the condition is an expression, checked with the rule's `if` and `unless`.
    Always,
    Met(SiblingCondition),
    NotMet(SiblingCondition),
    AnyPresent(Vec<SiblingRef>),
    AnyBlank(Vec<SiblingRef>),
}

impl When {
    /// Parses a condition that must be met.
    pub(super) fn met(compile: &mut CompileContext<'_, '_>, node: &Node) -> Option<Self> {
        if is_expression(node) {
            return Some(Self::from_expression(compile, node, "if"));
        }
        SiblingCondition::read(compile, node).map(AppliesWhen::Met).map(Self)
    }

    /// Parses a condition that must not be met.
    pub(super) fn not_met(compile: &mut CompileContext<'_, '_>, node: &Node) -> Option<Self> {
        if is_expression(node) {
            return Some(Self::from_expression(compile, node, "unless"));
        }
        SiblingCondition::read(compile, node).map(AppliesWhen::NotMet).map(Self)
    }

    /// Parses fields of which at least one must be present.
    pub(super) fn any_present(compile: &mut CompileContext<'_, '_>, node: &Node) -> Option<Self> {
        fields(compile, node).map(AppliesWhen::AnyPresent).map(Self)
    }

    /// Parses fields of which at least one must be blank.
    pub(super) fn any_blank(compile: &mut CompileContext<'_, '_>, node: &Node) -> Option<Self> {
        fields(compile, node).map(AppliesWhen::AnyBlank).map(Self)
    }

    /// Adds an expression to the rule's `if` or `unless` conditions.
    fn from_expression(compile: &mut CompileContext<'_, '_>, node: &Node, key: &str) -> Self {
        let entry = Entry { key: key.to_owned(), location: node.location, value: node.clone() };
        compile.conditions.add(compile.reader, &entry);
        Self(AppliesWhen::Always)
    }
}

/// Returns whether a string is an expression rather than a field name.
fn is_expression(node: &Node) -> bool {
    let is_name_character = |character: char| character.is_alphanumeric() || character == '_';
    matches!(&node.data, Data::Text(text) if !text.trim().chars().all(is_name_character))
}

/// What a rule reports when it applies, and whether for a blank value or for any other.
#[derive(Debug, Clone, Copy)]
pub(super) struct ConditionalEffect {
    pub(super) refuses_blank: bool,
    pub(super) message: &'static Message,
}

#[derive(Debug)]
struct Conditional {
    when: When,
    verdict: ConditionalEffect,
}

impl Check for Conditional {
    fn check(&self, input: &RuleInput<'_, '_>, reporter: &mut Reporter<'_, '_>) {
        if input.is_blank() != self.verdict.refuses_blank {
            return;
        }
        let applies = match &self.when.0 {
            AppliesWhen::Always => true,
            AppliesWhen::Met(condition) => condition.holds(input),
            AppliesWhen::NotMet(condition) => !condition.holds(input),
            AppliesWhen::AnyPresent(fields) => fields.iter().any(|field| is_present(input, *field)),
            AppliesWhen::AnyBlank(fields) => fields.iter().any(|field| !is_present(input, *field)),
        };
        if applies {
            reporter.fail(self.verdict.message, Params::new());
        }
    }

    fn depends_on_context(&self) -> bool {
        true
    }
}
