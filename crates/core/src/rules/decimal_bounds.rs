//! Comparisons of numbers with a literal or with another field, as decimals.

use std::cmp::Ordering;

use super::{CompileContext, RuleInput};
use crate::config::{Data, Node};
use crate::decimal::Decimal;
use crate::evaluate::SiblingRef;
use crate::value::Value;
use crate::violation::Message;

/// One comparison: how it is named, when it holds, what it says.
#[derive(Debug)]
pub(super) struct BoundOption {
    pub(super) name: &'static str,
    pub(super) message: Message,
    pub(super) holds: fn(Ordering) -> bool,
}

/// All of them. Source of the texts: Active Model's `en.yml`.
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

/// What a value is compared with.
#[derive(Debug)]
pub(super) enum BoundOperand {
    Number(Decimal),
    Field(SiblingRef),
}

/// A comparison that a form asks for.
#[derive(Debug)]
pub(super) struct DecimalBound {
    pub(super) comparison: &'static BoundOption,
    operand: BoundOperand,
}

impl DecimalBound {
    /// The limit that the number breaks, as text; nothing where it holds or there is no limit.
    pub(super) fn violated_bound(
        &self,
        number: &Decimal,
        subject: &RuleInput<'_, '_>,
    ) -> Option<String> {
        let other;
        let limit = match &self.operand {
            BoundOperand::Number(limit) => limit,
            BoundOperand::Field(field) => {
                other = number_of(subject.scope.slot(*field).value())?;
                &other
            }
        };
        (!(self.comparison.holds)(number.cmp(limit))).then(|| limit.to_plain_string())
    }
}

impl DecimalBound {
    /// The limit as JSON Schema says it.
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

    /// Whether the limit is another field.
    pub(super) fn depends_on_context(&self) -> bool {
        matches!(self.operand, BoundOperand::Field(_))
    }
}

/// The number of a value, where it is one or reads as one.
pub(super) fn number_of(value: &Value<'_>) -> Option<Decimal> {
    match value {
        Value::Number(text) | Value::String(text) => Decimal::parse(text),
        _ => None,
    }
}

/// Reads the comparisons among a rule's options.
pub(super) fn read_bounds(compile: &mut CompileContext<'_, '_>) -> Vec<DecimalBound> {
    let mut asked = Vec::new();
    for comparison in &BOUND_OPTIONS {
        let Some(node) = compile.get(comparison.name) else { continue };
        asked.extend(
            operand(compile, comparison.name, node)
                .map(|operand| DecimalBound { comparison, operand }),
        );
    }
    contradictions(compile, &asked);
    asked
}

fn operand(compile: &mut CompileContext<'_, '_>, name: &str, node: &Node) -> Option<BoundOperand> {
    match &node.data {
        Data::Text(field) => compile.visible_sibling(field, node.place).map(BoundOperand::Field),
        _ => compile.number(node, name).map(BoundOperand::Number),
    }
}

fn contradictions(compile: &mut CompileContext<'_, '_>, asked: &[DecimalBound]) {
    let limit = |name: &str| {
        asked.iter().find(|asked| asked.comparison.name == name).and_then(|asked| {
            match &asked.operand {
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
                compile.contradiction(compile.place, what, "limits that leave room between them");
            }
        }
    }
}
