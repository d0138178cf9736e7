//! `numericality`: the value must be a number, within bounds.

use super::decimal_bounds::{BOUND_OPTIONS, DecimalBound, number_of, read_bounds};
use super::value_set::{Range, range};
use super::{Applicability, Check, CompileContext, Reporter, Rule, RuleInput, RuleOption};
use crate::config::Data;
use crate::fields::FieldType;
use crate::messages::{Message, Param, Params};
use crate::value::Value;

static NOT_A_NUMBER: Message = Message::new("not_a_number", "is not a number");
static NOT_AN_INTEGER: Message = Message::new("not_an_integer", "must be an integer");
static ODD: Message = Message::new("odd", "must be odd");
static EVEN: Message = Message::new("even", "must be even");
static IN: Message = Message::new("in", "must be in %{count}");

const LIMIT: &str = "a number or a field of the same object";

pub(super) static RULE: Rule = Rule {
    name: "numericality",
    aliases: &[],
    summary: "The value must be a number or a numeric string (\"0090\", \"+0\", \"90.1e1\"; not \
              hexadecimal). Numbers are compared as decimals. A value that is not a number \
              violates only `not_a_number`.",
    options: &[
        RuleOption::new(
            "only_integer",
            "true or false",
            "Require an integer without a decimal point or exponent: 1.0 is rejected.",
        ),
        RuleOption::new("only_numeric", "true or false", "Reject numeric strings."),
        RuleOption::new("odd", "true or false", "Require an odd number."),
        RuleOption::new("even", "true or false", "Require an even number."),
        RuleOption::new("in", "a range such as 1..5", "Minimum and maximum value.")
            .with_alias(&["within"]),
        RuleOption::new("greater_than", LIMIT, "The value must be greater."),
        RuleOption::new("greater_than_or_equal_to", LIMIT, "The value must be greater or equal."),
        RuleOption::new("equal_to", LIMIT, "The value must be equal."),
        RuleOption::new("less_than", LIMIT, "The value must be less."),
        RuleOption::new("less_than_or_equal_to", LIMIT, "The value must be less or equal."),
        RuleOption::new("other_than", LIMIT, "The value must be different."),
    ],
    main_option: None,
    messages: &[
        &NOT_A_NUMBER,
        &NOT_AN_INTEGER,
        &ODD,
        &EVEN,
        &IN,
        &BOUND_OPTIONS[0].message,
        &BOUND_OPTIONS[1].message,
        &BOUND_OPTIONS[2].message,
        &BOUND_OPTIONS[3].message,
        &BOUND_OPTIONS[4].message,
        &BOUND_OPTIONS[5].message,
    ],
    applies_to: Applicability { wrong_type: true, ..Applicability::VALUES },
    accepts: &[
        ("true", "7"),
        ("true", "\"0090\""),
        ("true", "\"+0\""),
        ("true", "\"90.1e1\""),
        ("{only_integer: true}", "\"-12\""),
        ("{odd: true}", "3"),
        ("{in: 1..5}", "5"),
        ("{greater_than: 0.1}", "0.10000000000000000001"),
    ],
    rejects: &[
        ("true", "null", "not_a_number"),
        ("true", "\"\"", "not_a_number"),
        ("true", "\"0x1F\"", "not_a_number"),
        ("true", "\"12\\nx\"", "not_a_number"),
        ("true", "true", "not_a_number"),
        ("{only_numeric: true}", "\"7\"", "not_a_number"),
        ("{only_integer: true}", "1.5", "not_an_integer"),
        ("{only_integer: true}", "\"1.0\"", "not_an_integer"),
        ("{odd: true}", "2", "odd"),
        ("{even: true}", "3", "even"),
        ("{in: 1...5}", "5", "in"),
        ("{greater_than: 10}", "10", "greater_than"),
        ("{less_than_or_equal_to: 10}", "10.01", "less_than_or_equal_to"),
        ("{other_than: 0}", "0.0", "other_than"),
    ],
    compile,
};

fn compile(compile: &mut CompileContext<'_, '_>) -> Option<Box<dyn Check>> {
    let range = match compile.get("in") {
        Some(node) => {
            let text = match &node.data {
                Data::Text(text) => text.as_str().into(),
                _ => Default::default(),
            };
            range(compile, node).map(|range| (range, text))
        }
        None => None,
    };
    let numericality = Numericality {
        only_integer: compile.boolean("only_integer", false),
        only_numeric: compile.boolean("only_numeric", false),
        odd: compile.boolean("odd", false),
        even: compile.boolean("even", false),
        range,
        limits: read_bounds(compile),
    };
    if numericality.odd && numericality.even {
        compile.contradiction(compile.location, "no number is odd and even", "one of them");
    }
    Some(Box::new(numericality))
}

#[derive(Debug)]
struct Numericality {
    only_integer: bool,
    only_numeric: bool,
    odd: bool,
    even: bool,
    range: Option<(Range, Box<str>)>,
    limits: Vec<DecimalBound>,
}

impl Check for Numericality {
    fn check(&self, input: &RuleInput<'_, '_>, reporter: &mut Reporter<'_, '_>) {
        let value = input.value();
        let is_text = input.from_text || matches!(value, Value::String(_));
        let number = number_of(value).filter(|_| !(self.only_numeric && is_text));
        let Some(number) = number else { return reporter.fail(&NOT_A_NUMBER, Params::new()) };
        if self.only_integer && !is_spelled_whole(value) {
            return reporter.fail(&NOT_AN_INTEGER, Params::new());
        }
        if let Some((range, text)) = &self.range
            && !range.contains(&number)
        {
            let count = Param::Text(text.clone().into_string().into());
            reporter.fail(&IN, Params::from([("count", count)]));
        }
        for limit in &self.limits {
            if let Some(count) = limit.violated_bound(&number, input) {
                let params = Params::from([("count", Param::Number(count))]);
                reporter.fail(&limit.comparison.message, params);
            }
        }
        if self.odd && !number.is_odd() {
            reporter.fail(&ODD, Params::new());
        }
        if self.even && !number.is_even() {
            reporter.fail(&EVEN, Params::new());
        }
    }

    fn keywords(&self, _: FieldType) -> Option<serde_json::Value> {
        let mut keywords = serde_json::Map::new();
        if let Some((range, _)) = &self.range
            && let serde_json::Value::Object(limits) = range.keywords()
        {
            keywords.extend(limits);
        }
        // If a range and a limit give the same keyword, either of them is correct.
        keywords.extend(self.limits.iter().filter_map(DecimalBound::keyword));
        Some(keywords.into())
    }

    fn depends_on_context(&self) -> bool {
        self.limits.iter().any(DecimalBound::depends_on_context)
    }
}

/// Returns whether a number is spelled as an integer, as in Rails: `1.0` and `1e3` are not.
/// Source: Active Model, `NumericalityValidator::INTEGER_REGEX`.
fn is_spelled_whole(value: &Value<'_>) -> bool {
    let (Value::String(text) | Value::Number(text)) = value else { return false };
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}
