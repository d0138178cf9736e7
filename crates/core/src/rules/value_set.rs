//! Lists and ranges of values, shared by `inclusion`, `exclusion`, `numericality` and `length`.

use super::CompileContext;
use crate::config::{Data, Node};
use crate::decimal::Decimal;
use crate::fields::FieldType;
use crate::value::Value;

/// The value of the option `in`.
#[derive(Debug)]
pub(super) enum ValueSet {
    List(Vec<Value<'static>>),
    Range(Range),
    /// A range of strings, dates, datetimes or times, in the canonical spelling of the field's
    /// type.
    StringSet(StringSet),
}

/// A range of strings, compared by code points. Canonical spellings of dates and times have the
/// same order as their values.
#[derive(Debug)]
pub(super) struct StringSet {
    from: Option<Box<str>>,
    to: Option<Box<str>>,
    without_end: bool,
}

impl StringSet {
    fn contains(&self, text: &str) -> bool {
        self.from.as_deref().is_none_or(|from| text >= from)
            && self.to.as_deref().is_none_or(
                |to| {
                    if self.without_end { text < to } else { text <= to }
                },
            )
    }
}

/// A range of numbers: `1..5` includes its end, `1...5` excludes it, `1..` has none.
#[derive(Debug, Clone)]
pub(super) struct Range {
    pub(super) from: Option<Decimal>,
    pub(super) to: Option<Decimal>,
    pub(super) without_end: bool,
}

impl Range {
    /// Returns the range as keywords of JSON Schema for numbers.
    pub(super) fn keywords(&self) -> serde_json::Value {
        let mut keywords = serde_json::Map::new();
        let end = if self.without_end { "exclusiveMaximum" } else { "maximum" };
        for (limit, keyword) in [(&self.from, "minimum"), (&self.to, end)] {
            if let Some(number) = limit.as_ref().and_then(json_number) {
                keywords.insert(keyword.to_owned(), number);
            }
        }
        keywords.into()
    }

    /// Returns whether the range contains a number.
    pub(super) fn contains(&self, number: &Decimal) -> bool {
        let after_start = self.from.as_ref().is_none_or(|from| number >= from);
        let before_end = self
            .to
            .as_ref()
            .is_none_or(|to| if self.without_end { number < to } else { number <= to });
        after_start && before_end
    }
}

impl ValueSet {
    /// Returns keywords of JSON Schema that require membership, or exclude it unless `wanted`.
    /// Returns `None` if it cannot be expressed for fields of this type.
    pub(super) fn keywords(&self, of: FieldType, wanted: bool) -> Option<serde_json::Value> {
        use FieldType::{Decimal, Float, Integer, String, Text};
        let is_number = matches!(of, Integer | Float | Decimal);
        match self {
            Self::List(members) if is_number || matches!(of, String | Text) => {
                // A value of another JSON type may be coerced to a member.
                let kind = if is_number { "number" } else { "string" };
                let members = members.iter().map(serde_json::to_value);
                let members = members.collect::<Result<Vec<_>, _>>().ok()?;
                let is_one = serde_json::json!({ "enum": members });
                Some(if wanted {
                    serde_json::json!({ "anyOf": [{ "not": { "type": kind } }, is_one] })
                } else {
                    serde_json::json!({ "not": is_one })
                })
            }
            Self::Range(range) if wanted && is_number => Some(range.keywords()),
            _ => None,
        }
    }

    /// Returns whether the set contains a value. Numbers are equal by value: 1 and 1.0.
    pub(super) fn contains(&self, value: &Value<'_>) -> bool {
        match self {
            Self::List(members) => members.iter().any(|member| equal(member, value)),
            Self::Range(range) => match value {
                Value::Number(text) => Decimal::parse(text).is_some_and(|n| range.contains(&n)),
                _ => false,
            },
            Self::StringSet(range) => value.as_str().is_some_and(|text| range.contains(text)),
        }
    }

    /// Returns whether the set contains the value or, for a list, each of its items.
    pub(super) fn contains_all(&self, value: &Value<'_>) -> bool {
        match value {
            Value::Array(items) => items.iter().all(|item| self.contains(item)),
            value => self.contains(value),
        }
    }

    /// Returns whether the set contains the value or, for a list, any of its items.
    pub(super) fn contains_any(&self, value: &Value<'_>) -> bool {
        match value {
            Value::Array(items) => items.iter().any(|item| self.contains(item)),
            value => self.contains(value),
        }
    }
}

pub(super) fn equal(one: &Value<'_>, other: &Value<'_>) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one == other || Decimal::parse(one).is_some_and(|n| Decimal::parse(other) == Some(n))
        }
        (one, other) => one == other,
    }
}

/// Parses the option `in`. Reports a missing or invalid one and returns `None`.
pub(super) fn read_values(compile: &mut CompileContext<'_, '_>) -> Option<ValueSet> {
    let Some(node) = compile.get("in") else {
        let rule = compile.rule;
        compile.bad(
            compile.location,
            format!("the rule `{rule}` has no `in`"),
            "a list or a range",
        );
        return None;
    };
    if let Data::Text(text) = &node.data {
        return match compile.field.field_type {
            Some(
                kind @ (FieldType::String
                | FieldType::Text
                | FieldType::Date
                | FieldType::Datetime
                | FieldType::Time),
            ) => string_set(compile, kind, text, node).map(ValueSet::StringSet),
            _ => range(compile, node).map(ValueSet::Range),
        };
    }
    let items = compile.reader.list(node, "in");
    if items.is_empty() {
        if matches!(node.data, Data::List(_)) {
            compile.contradiction(node.location, "the list `in` is empty", "at least one member");
        }
        return None;
    }
    Some(ValueSet::List(items.iter().filter_map(|item| read_value(compile, item)).collect()))
}

/// Parses a member of `in`, coerced to the field's type. Reports one that no value of the field can
/// equal.
fn read_value(compile: &mut CompileContext<'_, '_>, item: &Node) -> Option<Value<'static>> {
    let field_type = match compile.field.field_type? {
        // For a list, the items are compared, which can be of any type.
        FieldType::Array => FieldType::Any,
        other => other,
    };
    let member = field_type.coerce(item.to_value());
    if member.is_err() {
        let what = format!("no {} value can equal this member of `in`", field_type.name());
        compile.bad(item.location, what, "members of the field's type");
    }
    member.ok()
}

/// Parses a range of strings, dates, datetimes or times.
fn string_set(
    compile: &mut CompileContext<'_, '_>,
    field_type: FieldType,
    text: &str,
    node: &Node,
) -> Option<StringSet> {
    let end = |text: &str| match text.trim() {
        "" => Some(None),
        text => match field_type.coerce(Value::String(text.to_owned().into())) {
            Ok(Value::String(text)) => Some(Some(text.into_owned().into_boxed_str())),
            _ => None,
        },
    };
    let range = text.split_once("..").and_then(|(from, to)| {
        let without_end = to.starts_with('.');
        let to = to.strip_prefix('.').unwrap_or(to);
        Some(StringSet { from: end(from)?, to: end(to)?, without_end })
    });
    let is_text = matches!(field_type, FieldType::String | FieldType::Text);
    let is_number = |end: &Option<Box<str>>| {
        is_text && end.as_deref().is_some_and(|end| Decimal::parse(end).is_some())
    };
    let range = range.filter(|range| {
        (range.from.is_some() || range.to.is_some())
            && !is_number(&range.from)
            && !is_number(&range.to)
    });
    let Some(range) = range else {
        let what = format!("`{text}` is not a range of the type {}", field_type.name());
        compile.bad(node.location, what, "two values of the field's type with `..` between them");
        return None;
    };
    if let (Some(from), Some(to)) = (&range.from, &range.to)
        && (from > to || (from == to && range.without_end))
    {
        let what = format!("the range `{text}` is empty");
        compile.contradiction(node.location, what, "a start below the end");
        return None;
    }
    Some(range)
}

/// Parses a range of numbers. Reports an invalid or empty one and returns `None`.
pub(super) fn range(compile: &mut CompileContext<'_, '_>, node: &Node) -> Option<Range> {
    let expected = "a range of numbers such as 1..5, 1...5 or 1..";
    let Data::Text(text) = &node.data else {
        compile.bad(node.location, format!("`in` is {}", node.describe()), expected);
        return None;
    };
    let range = text.split_once("..").and_then(|(from, to)| {
        let (to, without_end) = match to.strip_prefix('.') {
            Some(to) => (to, true),
            None => (to, false),
        };
        let end = |text: &str| match text.trim() {
            "" => Some(None),
            text => Decimal::parse(text).map(Some),
        };
        Some(Range { from: end(from)?, to: end(to)?, without_end })
    });
    let Some(range) = range.filter(|range| range.from.is_some() || range.to.is_some()) else {
        compile.bad(node.location, format!("`{text}` is not a range"), expected);
        return None;
    };
    if let (Some(from), Some(to)) = (&range.from, &range.to)
        && (from > to || (from == to && range.without_end))
    {
        compile.contradiction(
            node.location,
            format!("the range `{text}` is empty"),
            "a start below the end",
        );
        return None;
    }
    Some(range)
}

/// Returns a number as JSON, or `None` if it is not representable.
pub(super) fn json_number(number: &Decimal) -> Option<serde_json::Value> {
    serde_json::from_str(&number.to_plain_string()).ok()
}
