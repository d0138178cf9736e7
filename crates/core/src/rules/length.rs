//! `length`: bounds the length of a string or the number of items of a list.

use super::value_set::range;
use super::{
    Applicability, Check, CompileContext, InputContent, Reporter, Rule, RuleInput, RuleOption,
};
use crate::decimal::Decimal;
use crate::fields::FieldType;
use crate::messages::{Message, Param, Params};
use crate::value::Value;

pub(super) static TOO_SHORT: Message = Message::pluralized(
    "too_short",
    "is too short (minimum is %{count} characters)",
    "is too short (minimum is %{count} character)",
);
pub(super) static TOO_LONG: Message = Message::pluralized(
    "too_long",
    "is too long (maximum is %{count} characters)",
    "is too long (maximum is %{count} character)",
);
static WRONG_LENGTH: Message = Message::pluralized(
    "wrong_length",
    "is the wrong length (should be %{count} characters)",
    "is the wrong length (should be %{count} character)",
);

pub(super) static RULE: Rule = Rule {
    name: "length",
    aliases: &["size"],
    summary: "Limits the number of code points of a string, items of a list or entries of an \
              object. Null passes `maximum` and fails `minimum` and `is`.",
    options: &[
        RuleOption::new("minimum", "a whole number", "Minimum length."),
        RuleOption::new("maximum", "a whole number", "Maximum length."),
        RuleOption::new("is", "a whole number", "Exact length."),
        RuleOption::new("in", "a range such as 6..20", "Minimum and maximum length.")
            .with_alias(&["within"]),
        RuleOption::text("too_short"),
        RuleOption::text("too_long"),
        RuleOption::text("wrong_length"),
    ],
    main_option: Some("is"),
    messages: &[&TOO_SHORT, &TOO_LONG, &WRONG_LENGTH],
    applies_to: Applicability { absent: true, lists: true, ..Applicability::VALUES },
    accepts: &[
        ("{minimum: 2}", "\"ab\""),
        ("{maximum: 2}", "null"),
        ("{maximum: 2}", "\"🦀é\""),
        ("{in: 1..3}", "[1, 2, 3]"),
        ("2", "{\"a\": 1, \"b\": 2}"),
    ],
    rejects: &[
        ("{minimum: 2}", "\"a\"", "too_short"),
        ("{minimum: 2}", "null", "too_short"),
        ("{maximum: 1}", "\"ab\"", "too_long"),
        ("{is: 2}", "\"a\"", "wrong_length"),
        ("{is: 2}", "null", "wrong_length"),
        ("{in: 1...3}", "[1, 2, 3]", "too_long"),
    ],
    compile,
};

fn compile(compile: &mut CompileContext<'_, '_>) -> Option<Box<dyn Check>> {
    let mut length = Length {
        minimum: compile.count("minimum"),
        maximum: compile.count("maximum"),
        is: compile.count("is"),
    };
    if let Some(node) = compile.get("in") {
        if compile.has("minimum") || compile.has("maximum") || compile.has("is") {
            compile.contradiction(
                node.location,
                "`in` is combined with another limit",
                "one of them",
            );
        }
        let range = range(compile, node)?;
        let whole = |end: Option<&Decimal>| {
            end.and_then(Decimal::to_i64).and_then(|n| u64::try_from(n).ok())
        };
        length.minimum = whole(range.from.as_ref());
        length.maximum =
            whole(range.to.as_ref()).map(|to| to.saturating_sub(range.without_end.into()));
    }
    let location = compile.location;
    if let (Some(is), true) = (length.is, length.minimum.is_some() || length.maximum.is_some()) {
        compile.contradiction(
            location,
            format!("`is: {is}` is combined with another limit"),
            "one of them",
        );
    }
    if let (Some(minimum), Some(maximum)) = (length.minimum, length.maximum)
        && minimum > maximum
    {
        let what = format!("`minimum: {minimum}` is above `maximum: {maximum}`");
        compile.contradiction(location, what, "a minimum that is not above the maximum");
    }
    if length.minimum.is_none() && length.maximum.is_none() && length.is.is_none() {
        if compile.options.is_empty() {
            compile.bad(location, "`length` sets no limit", "`minimum`, `maximum`, `is` or `in`");
        }
        return None;
    }
    Some(Box::new(length))
}

#[derive(Debug)]
struct Length {
    minimum: Option<u64>,
    maximum: Option<u64>,
    is: Option<u64>,
}

impl Check for Length {
    fn check(&self, input: &RuleInput<'_, '_>, reporter: &mut Reporter<'_, '_>) {
        let length = length_of(input);
        let mut fail = |message, limit: u64| {
            reporter.fail(message, Params::from([("count", Param::Number(limit.to_string()))]));
        };
        if let Some(minimum) = self.minimum
            && length.is_none_or(|length| length < minimum)
        {
            fail(&TOO_SHORT, minimum);
        }
        if let Some(maximum) = self.maximum
            && length.is_some_and(|length| length > maximum)
        {
            fail(&TOO_LONG, maximum);
        }
        if let Some(is) = self.is
            && length != Some(is)
        {
            fail(&WRONG_LENGTH, is);
        }
    }

    fn keywords(&self, of: FieldType) -> Option<serde_json::Value> {
        use FieldType::{Any, Array, Json, String, Text};
        // Other types are counted in their canonical spelling, which may differ from the submitted
        // one.
        if !matches!(of, Any | Array | Json | String | Text) {
            return None;
        }
        let mut keywords = serde_json::Map::new();
        let kinds = ["Length", "Items", "Properties"];
        for (limit, word) in [(self.minimum.or(self.is), "min"), (self.maximum.or(self.is), "max")]
        {
            if let Some(limit) = limit {
                keywords.extend(kinds.map(|kind| (format!("{word}{kind}"), limit.into())));
            }
        }
        Some(keywords.into())
    }
}

fn length_of(input: &RuleInput<'_, '_>) -> Option<u64> {
    let length = match input.content {
        InputContent::Absent | InputContent::Value(Value::Null) => return None,
        InputContent::Items(items) => items.len(),
        InputContent::Node(_) => 1,
        InputContent::Value(value) => match value {
            Value::String(text) | Value::Number(text) => text.chars().count(),
            Value::Array(items) => items.len(),
            Value::Object(entries) => entries.len(),
            Value::Null => 0,
            Value::Bool(flag) => flag.to_string().len(),
        },
    };
    Some(length as u64)
}
