//! Bounds of numbers for `numericality` and `comparison`: literals or other fields, compared as
//! decimals.

use std::cmp::Ordering;

use super::{CompileContext, RuleInput};
use crate::config::{Data, Node};
use crate::decimal::Decimal;
use crate::messages::Message;
use crate::submission::SiblingRef;
use crate::value::Value;

/// A comparison option: its name, its test and the message of its violation.
#[derive(Debug)]
pub(super) struct BoundOption {
    pub(super) name: &'static str,
    pub(super) message: Message,
    pub(super) holds: fn(Ordering) -> bool,
}

/// All comparison options. Source of the messages: Active Model's `en.yml`.
pub(super) static BOUND_OPTIONS: [BoundOption; 6] = [
    BoundOption {
        name: "greater_than",
        message: Message::new("greater_than", "must be greater than %{count}"),
        holds: Ordering::is_gt,
    },
    BoundOption {
        name: "greater_than_or_equal_to",
        message: Message::new(
            "greater_than_or_equal_to",
            "must be greater than or equal to %{count}",
        ),
        holds: Ordering::is_ge,
    },
    BoundOption {
        name: "equal_to",
        message: Message::new("equal_to", "must be equal to %{count}"),
        holds: Ordering::is_eq,
    },
    BoundOption {
        name: "less_than",
        message: Message::new("less_than", "must be less than %{count}"),
        holds: Ordering::is_lt,
    },
    BoundOption {
        name: "less_than_or_equal_to",
        message: Message::new("less_than_or_equal_to", "must be less than or equal to %{count}"),
        holds: Ordering::is_le,
    },
    BoundOption {
        name: "other_than",
        message: Message::new("other_than", "must be other than %{count}"),
        holds: Ordering::is_ne,
    },
];

/// The right-hand side of a bound.
#[derive(Debug)]
pub(super) enum BoundOperand {
    Number(Decimal),
    Field(SiblingRef),
}

/// A compiled bound of a rule.
#[derive(Debug)]
pub(super) struct DecimalBound {
    pub(super) comparison: &'static BoundOption,
    operand: BoundOperand,
}

impl DecimalBound {
    /// Returns the bound in plain notation if the number violates it, or `None` if the number
    /// satisfies it or the other field is not a number.
    pub(super) fn violated_bound(
        &self,
        number: &Decimal,
        input: &RuleInput<'_, '_>,
    ) -> Option<String> {
        let other;
        let limit = match &self.operand {
            BoundOperand::Number(limit) => limit,
            BoundOperand::Field(field) => {
                other = number_of(input.scope.slot(*field).value())?;
                &other
            }
        };
        (!(self.comparison.holds)(number.cmp(limit))).then(|| limit.to_plain_string())
    }
}

impl DecimalBound {
    /// Returns the bound as a keyword of JSON Schema, or `None` if it cannot be expressed.
    pub(super) fn keyword(&self) -> Option<(String, serde_json::Value)> {
        let BoundOperand::Number(limit) = &self.operand else { return None };
        let keyword = match self.comparison.name {
            "greater_than" => "exclusiveMinimum",
            "greater_than_or_equal_to" => "minimum",
            "less_than" => "exclusiveMaximum",
            "less_than_or_equal_to" => "maximum",
            _ => return None,
        };
        Some((keyword.to_owned(), super::value_set::json_number(limit)?))
    }

    /// Returns whether the bound is another field.
    pub(super) fn depends_on_context(&self) -> bool {
        matches!(self.operand, BoundOperand::Field(_))
    }
}

/// Returns the value as a number, or `None` if it is neither a number nor a numeric string.
pub(super) fn number_of(value: &Value<'_>) -> Option<Decimal> {
    match value {
        Value::Number(text) | Value::String(text) => Decimal::parse(text),
        _ => None,
    }
}

/// Parses the bounds among a rule's options. Reports contradictory ones.
pub(super) fn read_bounds(compile: &mut CompileContext<'_, '_>) -> Vec<DecimalBound> {
    let mut bounds = Vec::new();
    for comparison in &BOUND_OPTIONS {
        let Some(node) = compile.get(comparison.name) else { continue };
        bounds.extend(
            operand(compile, comparison.name, node)
                .map(|operand| DecimalBound { comparison, operand }),
        );
    }
    contradictions(compile, &bounds);
    bounds
}

fn operand(compile: &mut CompileContext<'_, '_>, name: &str, node: &Node) -> Option<BoundOperand> {
    match &node.data {
        Data::Text(field) => compile.visible_sibling(field, node.location).map(BoundOperand::Field),
        _ => compile.number(node, name).map(BoundOperand::Number),
    }
}

fn contradictions(compile: &mut CompileContext<'_, '_>, bounds: &[DecimalBound]) {
    let limit = |name: &str| {
        bounds.iter().find(|bound| bound.comparison.name == name).and_then(|bound| {
            match &bound.operand {
                BoundOperand::Number(number) => Some(number.clone()),
                BoundOperand::Field(_) => None,
            }
        })
    };
    let lower = [("greater_than", true), ("greater_than_or_equal_to", false), ("equal_to", false)];
    let upper = [("less_than", true), ("less_than_or_equal_to", false), ("equal_to", false)];
    for (low_name, low_strict) in lower {
        for (high_name, high_strict) in upper {
            let (Some(low), Some(high)) = (limit(low_name), limit(high_name)) else { continue };
            let is_empty = if low_strict || high_strict { low >= high } else { low > high };
            if is_empty {
                let what = format!(
                    "no number is `{low_name}: {}` and `{high_name}: {}`",
                    low.to_plain_string(),
                    high.to_plain_string()
                );
                compile.contradiction(
                    compile.location,
                    what,
                    "limits that at least one number satisfies",
                );
            }
        }
    }
}
