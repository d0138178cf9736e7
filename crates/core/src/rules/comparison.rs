//! `comparison`: compares the value with a literal or with another field, by the order of its type.

use std::cmp::Ordering;
use std::sync::Arc;

use super::decimal_bounds::{BOUND_OPTIONS, BoundOption};
use super::presence::BLANK;
use super::relative_time::TemporalKind;
use super::temporal_bound::TemporalBound;
use super::{Applicability, Check, CompileContext, Reporter, Rule, RuleInput, RuleOption};
use crate::config::{Data, Node};
use crate::decimal::Decimal;
use crate::fields::FieldType;
use crate::messages::{Param, Params};
use crate::submission::SiblingRef;
use crate::value::Value;

const WITH: &str = "a literal or a field of the same object";

pub(super) static RULE: Rule = Rule {
    name: "comparison",
    aliases: &[],
    summary: "Compares the value with a literal or with another field: numbers as decimals; \
              dates, datetimes and times chronologically (phrases such as `today` are allowed); \
              strings by code points. A blank value violates only `blank`. A comparison with a \
              blank field is skipped.",
    options: &[
        RuleOption::new("greater_than", WITH, "The value must be greater."),
        RuleOption::new("greater_than_or_equal_to", WITH, "The value must be greater or equal."),
        RuleOption::new("equal_to", WITH, "The value must be equal."),
        RuleOption::new("less_than", WITH, "The value must be less."),
        RuleOption::new("less_than_or_equal_to", WITH, "The value must be less or equal."),
        RuleOption::new("other_than", WITH, "The value must be different."),
    ],
    main_option: None,
    messages: &[
        &BLANK,
        &BOUND_OPTIONS[0].message,
        &BOUND_OPTIONS[1].message,
        &BOUND_OPTIONS[2].message,
        &BOUND_OPTIONS[3].message,
        &BOUND_OPTIONS[4].message,
        &BOUND_OPTIONS[5].message,
    ],
    applies_to: Applicability::VALUES,
    accepts: &[
        ("{greater_than: 0.1}", "0.10000000000000000001"),
        ("{other_than: admin}", "\"ann\""),
        ("{less_than: b}", "\"a\""),
    ],
    rejects: &[
        ("{greater_than: 5}", "\"\"", "blank"),
        ("{greater_than: 5}", "null", "blank"),
        ("{greater_than: 5}", "5", "greater_than"),
        ("{less_than_or_equal_to: 5}", "\"5.01\"", "less_than_or_equal_to"),
        ("{equal_to: yes}", "\"no\"", "equal_to"),
        ("{other_than: admin}", "\"admin\"", "other_than"),
    ],
    compile,
};

/// The right-hand side of a comparison.
#[derive(Debug)]
enum ComparisonOperand {
    Number(Decimal),
    Text(Box<str>),
    Point(TemporalKind, TemporalBound),
    /// Another field and its name, which messages show in place of a string value.
    Field(SiblingRef, Arc<str>),
}

fn compile(compile: &mut CompileContext<'_, '_>) -> Option<Box<dyn Check>> {
    let field_type = compile.field.field_type?;
    if let FieldType::Boolean | FieldType::Array = field_type {
        let what = format!("a field of the type {} has no order", field_type.name());
        compile.bad(compile.location, what, "`inclusion`, or a field of numbers, strings or dates");
        return None;
    }
    let mut comparisons = Vec::new();
    let mut is_given = false;
    for comparison in &BOUND_OPTIONS {
        let Some(node) = compile.get(comparison.name) else { continue };
        is_given = true;
        comparisons.extend(operand(compile, field_type, node).map(|operand| (comparison, operand)));
    }
    if !is_given {
        compile.bad(compile.location, "`comparison` has no comparison", "`greater_than: …`");
    }
    Some(Box::new(Comparison { comparisons }))
}

fn operand(
    compile: &mut CompileContext<'_, '_>,
    field_type: FieldType,
    node: &Node,
) -> Option<ComparisonOperand> {
    if let Some(kind) = TemporalKind::of(field_type) {
        return TemporalBound::read(compile, node, kind)
            .map(|read| ComparisonOperand::Point(kind, read));
    }
    let is_number =
        matches!(field_type, FieldType::Integer | FieldType::Float | FieldType::Decimal);
    let is_text = matches!(field_type, FieldType::String | FieldType::Text);
    match &node.data {
        Data::Text(text) if is_number || compile.field.names.find(text).is_some() => {
            let field = compile.visible_sibling(text, node.location)?;
            Some(ComparisonOperand::Field(field, text.as_str().into()))
        }
        Data::Text(text) => Some(ComparisonOperand::Text(text.as_str().into())),
        Data::Number(text) if !is_text => Decimal::parse(text).map(ComparisonOperand::Number),
        _ => {
            let what = format!(
                "a field of the type {} cannot be compared with {}",
                field_type.name(),
                node.describe()
            );
            compile.bad(node.location, what, "a literal of the field's type, or another field");
            None
        }
    }
}

#[derive(Debug)]
struct Comparison {
    comparisons: Vec<(&'static BoundOption, ComparisonOperand)>,
}

impl Check for Comparison {
    fn check(&self, input: &RuleInput<'_, '_>, reporter: &mut Reporter<'_, '_>) {
        if input.is_blank() {
            return reporter.fail(&BLANK, Params::new());
        }
        for (comparison, operand) in &self.comparisons {
            let (order, count) = match operand.compare(input) {
                ComparisonResult::Nothing => continue,
                ComparisonResult::Order(order, count) => (order, count),
            };
            if !order.is_some_and(|order| (comparison.holds)(order)) {
                reporter.fail(&comparison.message, Params::from([("count", count)]));
            }
        }
    }

    fn depends_on_context(&self) -> bool {
        self.comparisons.iter().any(|(_, operand)| match operand {
            ComparisonOperand::Number(_) | ComparisonOperand::Text(_) => false,
            ComparisonOperand::Point(_, restriction) => restriction.depends_on_context(),
            ComparisonOperand::Field(..) => true,
        })
    }
}

/// The result of comparing a value with an operand.
enum ComparisonResult {
    /// The other field has no value to compare with.
    Nothing,
    /// The order, or `None` if the values are not comparable, and the operand as a message
    /// parameter.
    Order(Option<Ordering>, Param),
}

impl ComparisonOperand {
    fn compare(&self, input: &RuleInput<'_, '_>) -> ComparisonResult {
        let value = input.value();
        match self {
            Self::Number(limit) => {
                let order = number_of(value).map(|number| number.cmp(limit));
                ComparisonResult::Order(order, Param::Number(limit.to_plain_string()))
            }
            Self::Text(text) => {
                let order = text_of(value).map(|value| value.cmp(text));
                ComparisonResult::Order(order, Param::Text(text.clone().into_string().into()))
            }
            Self::Point(kind, restriction) => {
                let Some(point) = restriction.point(input, *kind) else {
                    return ComparisonResult::Nothing;
                };
                let moment = value.as_str().and_then(|text| kind.read_part(text));
                let order = moment.map(|moment| moment.cmp(&point));
                ComparisonResult::Order(order, Param::Text(point.to_string().into()))
            }
            Self::Field(field, name) => {
                let other = input.scope.slot(*field).value();
                if other.is_blank() {
                    return ComparisonResult::Nothing;
                }
                match (number_of(value), number_of(other)) {
                    (Some(number), Some(limit)) => ComparisonResult::Order(
                        Some(number.cmp(&limit)),
                        Param::Number(limit.to_plain_string()),
                    ),
                    _ => {
                        let order = text_of(value).zip(text_of(other)).map(|(a, b)| a.cmp(b));
                        ComparisonResult::Order(order, Param::Field(name.clone()))
                    }
                }
            }
        }
    }
}

fn number_of(value: &Value<'_>) -> Option<Decimal> {
    super::decimal_bounds::number_of(value)
}

fn text_of<'t>(value: &'t Value<'_>) -> Option<&'t str> {
    match value {
        Value::String(text) | Value::Number(text) => Some(text),
        _ => None,
    }
}
