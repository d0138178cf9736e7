//! Messages and classification of the keywords of JSON Schema. The messages of the crate
//! `jsonschema` are not used because they quote the submitted value.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::assertions::FailedKeyword;
use super::program::Limit;
use crate::messages::{Message, Param, Params};
use crate::value::Value;

macro_rules! messages {
    ($($name:ident = $code:literal $(as $key:literal)? $text:literal $(, 1: $one:literal)?;)+) => {
        $(pub(super) static $name: Message = messages!(@of $code, $text $(, $one)?)$(.with_key($key))?;)+
        /// All messages of the rule `schema`.
        pub(super) static MESSAGES: &[&Message] = &[$(&$name),+];
    };
    (@of $code:literal, $text:literal) => { Message::new($code, $text) };
    (@of $code:literal, $text:literal, $one:literal) => { Message::pluralized($code, $text, $one) };
}

messages! {
    TYPE = "type" "must be of the type %{type}";
    ENUM = "enum" "is not one of the allowed values";
    CONST = "const" "is not the one allowed value";
    MINIMUM = "minimum" "must be greater than or equal to %{count}";
    MAXIMUM = "maximum" "must be less than or equal to %{count}";
    EXCLUSIVE_MINIMUM = "exclusiveMinimum" "must be greater than %{count}";
    EXCLUSIVE_MAXIMUM = "exclusiveMaximum" "must be less than %{count}";
    MULTIPLE_OF = "multipleOf" "must be a multiple of %{count}";
    MIN_LENGTH = "minLength" "is too short (minimum is %{count} characters)",
        1: "is too short (minimum is %{count} character)";
    MAX_LENGTH = "maxLength" "is too long (maximum is %{count} characters)",
        1: "is too long (maximum is %{count} character)";
    PATTERN = "pattern" "is invalid";
    FORMAT = "format" "is not in the format %{format}";
    MIN_ITEMS = "minItems" "has too few items (minimum is %{count})";
    MAX_ITEMS = "maxItems" "has too many items (maximum is %{count})";
    UNIQUE_ITEMS = "uniqueItems" "has duplicates";
    CONTAINS = "contains" as "schema_contains" "does not have the items that it must have";
    ITEMS = "items" "has items that are not allowed";
    UNEVALUATED_ITEMS = "unevaluatedItems" "has items that are not allowed";
    MIN_PROPERTIES = "minProperties" "has too few entries (minimum is %{count})";
    MAX_PROPERTIES = "maxProperties" "has too many entries (maximum is %{count})";
    REQUIRED = "required" as "schema_required" "must have an entry %{property}";
    ADDITIONAL_PROPERTIES = "additionalProperties" "is not a known entry";
    UNEVALUATED_PROPERTIES = "unevaluatedProperties" "is not a known entry";
    PROPERTY_NAMES = "propertyNames" "has an entry whose name is not allowed";
    ANY_OF = "anyOf" "has none of the allowed shapes";
    ONE_OF = "oneOf" "does not have exactly one of the allowed shapes";
    NOT = "not" "has a shape that is not allowed";
    FALSE = "false" "is not allowed";
    TOO_COMPLEX = "schema" "takes too long to check: send less, or nest it less deeply";
}

/// Returns the message and the parameters of a failed keyword.
pub(super) fn message_of(failed: FailedKeyword<'_>) -> (&'static Message, Params) {
    let number = |count: String| Params::from([("count", Param::Number(count))]);
    let count = |count: u64| number(count.to_string());
    let text = |name, text: String| Params::from([(name, Param::Text(text.into()))]);
    match failed {
        FailedKeyword::Type(names) => (&TYPE, text("type", names.join(" or "))),
        FailedKeyword::Const => (&CONST, Params::new()),
        FailedKeyword::Enum => (&ENUM, Params::new()),
        FailedKeyword::Limit(limit, argument) => {
            let message = match limit {
                Limit::Minimum => &MINIMUM,
                Limit::Maximum => &MAXIMUM,
                Limit::ExclusiveMinimum => &EXCLUSIVE_MINIMUM,
                Limit::ExclusiveMaximum => &EXCLUSIVE_MAXIMUM,
            };
            (message, number(argument.to_owned()))
        }
        FailedKeyword::MultipleOf(argument) => (&MULTIPLE_OF, number(argument.to_owned())),
        FailedKeyword::MinLength(least) => (&MIN_LENGTH, count(least)),
        FailedKeyword::MaxLength(most) => (&MAX_LENGTH, count(most)),
        FailedKeyword::Pattern => (&PATTERN, Params::new()),
        FailedKeyword::Format(name) => (&FORMAT, text("format", name.to_owned())),
        FailedKeyword::MinItems(least) => (&MIN_ITEMS, count(least)),
        FailedKeyword::MaxItems(most) => (&MAX_ITEMS, count(most)),
        FailedKeyword::UniqueItems => (&UNIQUE_ITEMS, Params::new()),
        FailedKeyword::MinProperties(least) => (&MIN_PROPERTIES, count(least)),
        FailedKeyword::MaxProperties(most) => (&MAX_PROPERTIES, count(most)),
        FailedKeyword::Required(name) => (&REQUIRED, text("property", name.to_owned())),
    }
}

/// Keywords of JSON Schema 2020-12 whose value is a schema.
const OF_SCHEMA: [&str; 11] = [
    "additionalProperties",
    "contains",
    "contentSchema",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];
/// Keywords whose value is a list of schemas.
const OF_LIST: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
/// Keywords whose value is a mapping of names to schemas.
const OF_NAMES: [&str; 4] = ["$defs", "dependentSchemas", "patternProperties", "properties"];
/// Keywords whose value holds no schema.
const OTHER_KEYWORDS: [&str; 38] = [
    "$anchor",
    "$comment",
    "$dynamicAnchor",
    "$dynamicRef",
    "$id",
    "$ref",
    "$schema",
    "$vocabulary",
    "const",
    "contentEncoding",
    "contentMediaType",
    "default",
    "dependentRequired",
    "deprecated",
    "description",
    "enum",
    "examples",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "readOnly",
    "required",
    "title",
    "type",
    "uniqueItems",
    "writeOnly",
];

/// How the value of a keyword contains subschemas.
pub(super) enum KeywordShape {
    Nothing,
    Schema,
    List,
    Names,
}

impl KeywordShape {
    /// Returns the shape of a keyword, or `None` for an unknown one. Keywords that begin with `x-`
    /// are extensions without subschemas.
    pub(super) fn of(keyword: &str) -> Option<Self> {
        if OF_SCHEMA.contains(&keyword) {
            Some(Self::Schema)
        } else if OF_LIST.contains(&keyword) {
            Some(Self::List)
        } else if OF_NAMES.contains(&keyword) {
            Some(Self::Names)
        } else {
            (OTHER_KEYWORDS.contains(&keyword) || keyword.starts_with("x-"))
                .then_some(Self::Nothing)
        }
    }
}

/// Returns all keywords.
pub(super) fn known() -> Vec<&'static str> {
    [&OTHER_KEYWORDS[..], &OF_SCHEMA, &OF_NAMES, &OF_LIST].concat()
}

/// Returns a schema, or a part of one, as `serde_json::Value`.
pub(super) fn to_json(value: &Value<'_>) -> Json {
    serde_json::to_value(value).unwrap_or(Json::Null)
}

/// Returns a part of a schema as a [`Value`], for comparison with submitted values.
pub(super) fn from_json(json: &Json) -> Value<'_> {
    match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => Value::Number(Cow::Owned(number.to_string())),
        Json::String(text) => Value::String(Cow::Borrowed(text)),
        Json::Array(items) => Value::Array(items.iter().map(from_json).collect()),
        Json::Object(entries) => {
            let entries = entries.iter();
            Value::Object(
                entries.map(|(key, value)| (Cow::Borrowed(&**key), from_json(value))).collect(),
            )
        }
    }
}
