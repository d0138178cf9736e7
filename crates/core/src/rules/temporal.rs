//! Options, compilation and check shared by the rules `date`, `datetime` and `time`.

use std::cmp::Ordering;

use super::relative_time::{TemporalKind, TemporalValue};
use super::temporal_bound::TemporalBound;
use super::{Check, CompileContext, Reporter, RuleInput, RuleOption};
use crate::config::{Data, Node, ProblemCode};
use crate::fields::FieldType;
use crate::messages::{Message, Param, Params};
use crate::value::Value;

pub(super) static IS_AT: Message = Message::new("is_at", "must be at %{restriction}");
pub(super) static BEFORE: Message = Message::new("before", "must be before %{restriction}");
pub(super) static AFTER: Message = Message::new("after", "must be after %{restriction}");
pub(super) static ON_OR_BEFORE: Message =
    Message::new("on_or_before", "must be on or before %{restriction}");
pub(super) static ON_OR_AFTER: Message =
    Message::new("on_or_after", "must be on or after %{restriction}");

const BOUND_EXPECTED: &str = "a literal, a field of the same object, or a phrase";

/// The options of the three rules.
pub(super) static OPTIONS: [RuleOption; 7] = [
    RuleOption::new("is_at", BOUND_EXPECTED, "The value must be equal.").with_alias(&["at"]),
    RuleOption::new("before", BOUND_EXPECTED, "The value must be earlier."),
    RuleOption::new("after", BOUND_EXPECTED, "The value must be later."),
    RuleOption::new("on_or_before", BOUND_EXPECTED, "The value must be equal or earlier.")
        .with_alias(&["at_or_before"]),
    RuleOption::new("on_or_after", BOUND_EXPECTED, "The value must be equal or later.")
        .with_alias(&["at_or_after"]),
    RuleOption::new(
        "between",
        "a pair or a range",
        "Earliest and latest value: `[2026-01-01, today]`, `2026-01-01..2026-12-31`; `...` \
         excludes the end.",
    ),
    RuleOption::new(
        "format",
        "a strptime format",
        "Format of the value instead of RFC 3339, such as `%d.%m.%Y`. Only for string fields.",
    ),
];

/// A comparison with a bound.
#[derive(Debug, Clone, Copy)]
enum OrderTest {
    At,
    Before,
    After,
    OnOrBefore,
    OnOrAfter,
}

impl OrderTest {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::At => order.is_eq(),
            Self::Before => order.is_lt(),
            Self::After => order.is_gt(),
            Self::OnOrBefore => order.is_le(),
            Self::OnOrAfter => order.is_ge(),
        }
    }

    fn message(self) -> &'static Message {
        match self {
            Self::At => &IS_AT,
            Self::Before => &BEFORE,
            Self::After => &AFTER,
            Self::OnOrBefore => &ON_OR_BEFORE,
            Self::OnOrAfter => &ON_OR_AFTER,
        }
    }
}

/// The compiled rule `date`, `datetime` or `time`.
#[derive(Debug)]
struct Temporal {
    kind: TemporalKind,
    invalid: &'static Message,
    format: Option<Box<str>>,
    /// Whether a datetime is accepted and reduced to its date or time of day.
    takes_part: bool,
    restrictions: Vec<(OrderTest, TemporalBound)>,
}

/// Compiles the rule for a kind; `invalid` is the violation of a value that is not of the kind.
pub(super) fn compile(
    compile: &mut CompileContext<'_, '_>,
    kind: TemporalKind,
    invalid: &'static Message,
) -> Option<Box<dyn Check>> {
    let field_type = compile.field.field_type?;
    let fits = match field_type {
        FieldType::Any | FieldType::String | FieldType::Text | FieldType::Json => true,
        FieldType::Datetime => true,
        FieldType::Date => kind != TemporalKind::Time,
        FieldType::Time => kind == TemporalKind::Time,
        _ => false,
    };
    if !fits {
        let what = format!("`{}` cannot validate a field of the type {}", kind.name(), {
            field_type.name()
        });
        compile.bad(compile.location, what, "a field of strings, dates or times");
        return None;
    }
    let mut restrictions = Vec::new();
    for (name, holds) in [
        ("is_at", OrderTest::At),
        ("before", OrderTest::Before),
        ("after", OrderTest::After),
        ("on_or_before", OrderTest::OnOrBefore),
        ("on_or_after", OrderTest::OnOrAfter),
    ] {
        if let Some(node) = compile.get(name) {
            restrictions.extend(TemporalBound::read(compile, node, kind).map(|read| (holds, read)));
        }
    }
    if let Some(node) = compile.get("between") {
        restrictions.extend(between(compile, node, kind).into_iter().flatten());
    }
    contradictions(compile, &restrictions);
    let format = match compile.get("format") {
        Some(node) => Some(format(compile, node, kind, field_type)?),
        None => None,
    };
    let takes_part = field_type == FieldType::Datetime;
    Some(Box::new(Temporal { kind, invalid, format, takes_part, restrictions }))
}

fn between(
    compile: &mut CompileContext<'_, '_>,
    node: &Node,
    kind: TemporalKind,
) -> Option<[(OrderTest, TemporalBound); 2]> {
    let (first, last, without_end) = match &node.data {
        Data::List(items) if let [first, last] = &items[..] => (
            TemporalBound::read(compile, first, kind)?,
            TemporalBound::read(compile, last, kind)?,
            false,
        ),
        Data::Text(text) if let Some((first, last)) = text.split_once("..") => {
            let without_end = last.starts_with('.');
            let last = last.trim_start_matches('.');
            (
                TemporalBound::read_text(compile, first, node.location, kind)?,
                TemporalBound::read_text(compile, last, node.location, kind)?,
                without_end,
            )
        }
        _ => {
            let what = format!("`between` is {}", node.describe());
            compile.bad(node.location, what, "a pair such as [today, tomorrow], or a range");
            return None;
        }
    };
    let end = if without_end { OrderTest::Before } else { OrderTest::OnOrBefore };
    Some([(OrderTest::OnOrAfter, first), (end, last)])
}

fn contradictions(
    compile: &mut CompileContext<'_, '_>,
    restrictions: &[(OrderTest, TemporalBound)],
) {
    for (low_holds, low) in restrictions {
        for (high_holds, high) in restrictions {
            let (TemporalBound::Literal(low), TemporalBound::Literal(high)) = (low, high) else {
                continue;
            };
            let is_empty = match (low_holds, high_holds) {
                (OrderTest::After, OrderTest::Before | OrderTest::OnOrBefore | OrderTest::At)
                | (OrderTest::OnOrAfter | OrderTest::At, OrderTest::Before) => low >= high,
                (OrderTest::OnOrAfter, OrderTest::OnOrBefore | OrderTest::At)
                | (OrderTest::At, OrderTest::OnOrBefore) => low > high,
                _ => false,
            };
            if is_empty {
                let (low_name, high_name) = (low_holds.message().code, high_holds.message().code);
                let what = format!("no value is `{low_name}: {low}` and `{high_name}: {high}`");
                compile.contradiction(
                    compile.location,
                    what,
                    "limits that at least one value satisfies",
                );
            }
        }
    }
}

fn format(
    compile: &mut CompileContext<'_, '_>,
    node: &Node,
    kind: TemporalKind,
    field_type: FieldType,
) -> Option<Box<str>> {
    let format = compile.reader.text(node, "format")?;
    if TemporalKind::of(field_type).is_some() {
        let what = format!("a field of the type {} is written as in RFC 3339", field_type.name());
        compile.contradiction(node.location, what, "`type: string`, or no `format`");
        return None;
    }
    // A format must be able to parse what it formats.
    let sample =
        jiff::civil::datetime(2026, 11, 22, 17, 30, 0, 0).to_zoned(jiff::tz::TimeZone::UTC);
    let written = sample.ok().and_then(|sample| {
        jiff::fmt::strtime::BrokenDownTime::from(&sample).to_string(format).ok()
    });
    if written.and_then(|text| kind.read_as(format, &text)).is_none() {
        compile.reader.problems.add(
            ProblemCode::BadDate,
            node.location,
            format!("`{format}` is not a format for a {}", kind.name()),
            "a strptime format such as `%d.%m.%Y` or `%H:%M`",
            None,
        );
        return None;
    }
    Some(format.into())
}

impl Temporal {
    fn read(&self, text: &str) -> Option<TemporalValue> {
        match &self.format {
            Some(format) => self.kind.read_as(format, text),
            None if self.takes_part => self.kind.read_part(text),
            None => self.kind.read(text),
        }
    }
}

impl Check for Temporal {
    fn check(&self, input: &RuleInput<'_, '_>, reporter: &mut Reporter<'_, '_>) {
        let moment = match input.value() {
            Value::String(text) => self.read(text),
            _ => None,
        };
        let Some(moment) = moment else { return reporter.fail(self.invalid, Params::new()) };
        for (holds, restriction) in &self.restrictions {
            let Some(point) = restriction.point(input, self.kind) else { continue };
            if !holds.holds(moment.cmp(&point)) {
                let restriction = Param::Text(point.to_string().into());
                reporter.fail(holds.message(), Params::from([("restriction", restriction)]));
            }
        }
    }

    fn depends_on_context(&self) -> bool {
        self.restrictions.iter().any(|(_, restriction)| restriction.depends_on_context())
    }
}
