//! `comparison`: the value compared with a literal or with another field, in its own order.

use std::cmp::Ordering;
use std::sync::Arc;

use super::compare::{COMPARISONS, Comparison};
use super::moment::Kind;
use super::presence::BLANK;
use super::restriction::Restriction;
use super::{Check, Compile, Judges, Report, Rule, RuleOption, Subject};
use crate::config::{Data, Node};
use crate::decimal::Decimal;
use crate::fields::FieldType;
use crate::submission::Sibling;
use crate::value::Value;
use crate::violation::{Param, Params};

const WITH: &str = "a literal or a field of the same object";

pub(super) static RULE: Rule = Rule {
    name: "comparison",
    aliases: &[],
    summary: "Compares numbers as decimals, dates, moments and times of day as such (phrases such \
              as `today` too), and texts by their code points. A blank value is told only `blank`. \
              Nothing is compared with a field that holds nothing.",
    options: &[
        RuleOption::new("greater_than", WITH, "Above it."),
        RuleOption::new("greater_than_or_equal_to", WITH, "It or above it."),
        RuleOption::new("equal_to", WITH, "It."),
        RuleOption::new("less_than", WITH, "Below it."),
        RuleOption::new("less_than_or_equal_to", WITH, "It or below it."),
        RuleOption::new("other_than", WITH, "Anything but it."),
    ],
    main_option: None,
    messages: &[
        &BLANK,
        &COMPARISONS[0].message,
        &COMPARISONS[1].message,
        &COMPARISONS[2].message,
        &COMPARISONS[3].message,
        &COMPARISONS[4].message,
        &COMPARISONS[5].message,
    ],
    judges: Judges::VALUES,
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

/// What a value is compared with.
#[derive(Debug)]
enum Operand {
    Number(Decimal),
    Text(Box<str>),
    Point(Kind, Restriction),
    /// A field; texts of it are told by its name.
    Field(Sibling, Arc<str>),
}

fn compile(compile: &mut Compile<'_, '_>) -> Option<Box<dyn Check>> {
    let field_type = compile.field.field_type?;
    if let FieldType::Boolean | FieldType::Array = field_type {
        let what = format!("a field of the type {} has no order", field_type.name());
        compile.bad(compile.place, what, "`inclusion`, or a field of numbers, texts or dates");
        return None;
    }
    let mut asked = Vec::new();
    let mut is_told = false;
    for comparison in &COMPARISONS {
        let Some(node) = compile.get(comparison.name) else { continue };
        is_told = true;
        asked.extend(operand(compile, field_type, node).map(|operand| (comparison, operand)));
    }
    if !is_told {
        compile.bad(compile.place, "`comparison` compares with nothing", "`greater_than: …`");
    }
    Some(Box::new(Compared { asked }))
}

fn operand(compile: &mut Compile<'_, '_>, field_type: FieldType, node: &Node) -> Option<Operand> {
    if let Some(kind) = Kind::of(field_type) {
        return Restriction::read(compile, node, kind).map(|read| Operand::Point(kind, read));
    }
    let is_number =
        matches!(field_type, FieldType::Integer | FieldType::Float | FieldType::Decimal);
    let is_text = matches!(field_type, FieldType::String | FieldType::Text);
    match &node.data {
        Data::Text(text) if is_number || compile.field.names.find(text).is_some() => {
            let field = compile.shown_sibling(text, node.place)?;
            Some(Operand::Field(field, text.as_str().into()))
        }
        Data::Text(text) => Some(Operand::Text(text.as_str().into())),
        Data::Number(text) if !is_text => Decimal::parse(text).map(Operand::Number),
        _ => {
            let what = format!("no {} compares with {}", field_type.name(), node.describe());
            compile.bad(node.place, what, "a literal of the field's own type, or a field");
            None
        }
    }
}

#[derive(Debug)]
struct Compared {
    asked: Vec<(&'static Comparison, Operand)>,
}

impl Check for Compared {
    fn check(&self, subject: &Subject<'_, '_>, report: &mut Report<'_, '_>) {
        if subject.is_blank() {
            return report.fail(&BLANK, Params::new());
        }
        for (comparison, operand) in &self.asked {
            let (order, count) = match operand.meets(subject) {
                Met::Nothing => continue,
                Met::Order(order, count) => (order, count),
            };
            if !order.is_some_and(|order| (comparison.holds)(order)) {
                report.fail(&comparison.message, Params::from([("count", count)]));
            }
        }
    }

    fn looks_around(&self) -> bool {
        self.asked.iter().any(|(_, operand)| match operand {
            Operand::Number(_) | Operand::Text(_) => false,
            Operand::Point(_, restriction) => restriction.looks_around(),
            Operand::Field(..) => true,
        })
    }
}

/// How a value stands to an operand.
enum Met {
    /// The other field holds nothing to compare with.
    Nothing,
    /// In which order, if in any, and how the other side is told.
    Order(Option<Ordering>, Param),
}

impl Operand {
    fn meets(&self, subject: &Subject<'_, '_>) -> Met {
        let value = subject.value();
        match self {
            Self::Number(limit) => {
                let order = number_of(value).map(|number| number.cmp(limit));
                Met::Order(order, Param::Number(limit.to_plain_string()))
            }
            Self::Text(text) => {
                let order = text_of(value).map(|value| value.cmp(text));
                Met::Order(order, Param::Text(text.clone().into_string().into()))
            }
            Self::Point(kind, restriction) => {
                let Some(point) = restriction.point(subject, *kind) else { return Met::Nothing };
                let moment = value.as_str().and_then(|text| kind.read_part(text));
                let order = moment.map(|moment| moment.cmp(&point));
                Met::Order(order, Param::Text(point.to_string().into()))
            }
            Self::Field(field, name) => {
                let other = subject.scope.slot(*field).value();
                if other.is_blank() {
                    return Met::Nothing;
                }
                match (number_of(value), number_of(other)) {
                    (Some(number), Some(limit)) => {
                        Met::Order(Some(number.cmp(&limit)), Param::Number(limit.to_plain_string()))
                    }
                    _ => {
                        let order = text_of(value).zip(text_of(other)).map(|(a, b)| a.cmp(b));
                        Met::Order(order, Param::Field(name.clone()))
                    }
                }
            }
        }
    }
}

fn number_of(value: &Value<'_>) -> Option<Decimal> {
    super::compare::number_of(value)
}

fn text_of<'t>(value: &'t Value<'_>) -> Option<&'t str> {
    match value {
        Value::String(text) | Value::Number(text) => Some(text),
        _ => None,
    }
}
