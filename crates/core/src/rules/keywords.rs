//! What the rule `schema` says for each keyword of JSON Schema: own texts, for those of the library
//! quote the submitted value.

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use serde_json::Value as Json;

use crate::violation::{Message, Param, Params};

macro_rules! messages {
    ($($name:ident = $code:literal $(as $key:literal)? $text:literal $(, 1: $one:literal)?;)+) => {
        $(static $name: Message = messages!(@of $code, $text $(, $one)?)$(.keyed($key))?;)+
        /// All of them.
        pub(super) static MESSAGES: &[&Message] = &[$(&$name),+];
    };
    (@of $code:literal, $text:literal) => { Message::new($code, $text) };
    (@of $code:literal, $text:literal, $one:literal) => { Message::counted($code, $text, $one) };
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
    OTHER = "schema" "is invalid";
}

/// What to say of a violation of the keyword at a pointer into the schema.
pub(super) fn message_of(kind: &Kind, keyword: &str) -> (&'static Message, Params) {
    let count = |count: String| Params::from([("count", Param::Number(count))]);
    let text = |name, text: String| Params::from([(name, Param::Text(text.into()))]);
    match kind {
        Kind::Type { kind } => (&TYPE, text("type", type_names(kind))),
        Kind::Enum { .. } => (&ENUM, Params::new()),
        Kind::Constant { .. } => (&CONST, Params::new()),
        Kind::Minimum { limit } => (&MINIMUM, count(limit.to_string())),
        Kind::Maximum { limit } => (&MAXIMUM, count(limit.to_string())),
        Kind::ExclusiveMinimum { limit } => (&EXCLUSIVE_MINIMUM, count(limit.to_string())),
        Kind::ExclusiveMaximum { limit } => (&EXCLUSIVE_MAXIMUM, count(limit.to_string())),
        Kind::MultipleOf { multiple_of } => (&MULTIPLE_OF, count(multiple_of.to_string())),
        Kind::MinLength { limit } => (&MIN_LENGTH, count(limit.to_string())),
        Kind::MaxLength { limit } => (&MAX_LENGTH, count(limit.to_string())),
        Kind::Pattern { .. } => (&PATTERN, Params::new()),
        Kind::Format { format } => (&FORMAT, text("format", format.clone())),
        Kind::MinItems { limit } => (&MIN_ITEMS, count(limit.to_string())),
        Kind::MaxItems { limit } => (&MAX_ITEMS, count(limit.to_string())),
        Kind::UniqueItems => (&UNIQUE_ITEMS, Params::new()),
        Kind::Contains => (&CONTAINS, Params::new()),
        Kind::AdditionalItems { .. } => (&ITEMS, Params::new()),
        Kind::UnevaluatedItems { .. } => (&UNEVALUATED_ITEMS, Params::new()),
        Kind::MinProperties { limit } => (&MIN_PROPERTIES, count(limit.to_string())),
        Kind::MaxProperties { limit } => (&MAX_PROPERTIES, count(limit.to_string())),
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            (&REQUIRED, text("property", name.to_owned()))
        }
        Kind::AdditionalProperties { .. } => (&ADDITIONAL_PROPERTIES, Params::new()),
        Kind::UnevaluatedProperties { .. } => (&UNEVALUATED_PROPERTIES, Params::new()),
        Kind::PropertyNames { .. } => (&PROPERTY_NAMES, Params::new()),
        Kind::AnyOf { .. } => (&ANY_OF, Params::new()),
        Kind::OneOfNotValid { .. } | Kind::OneOfMultipleValid { .. } => (&ONE_OF, Params::new()),
        Kind::Not { .. } => (&NOT, Params::new()),
        // `additionalProperties: false` and its like are told of each entry, as of the keyword.
        Kind::FalseSchema => {
            let said = match keyword.rsplit('/').next() {
                Some("additionalProperties") => &ADDITIONAL_PROPERTIES,
                Some("unevaluatedProperties") => &UNEVALUATED_PROPERTIES,
                Some("items") => &ITEMS,
                Some("unevaluatedItems") => &UNEVALUATED_ITEMS,
                _ => &FALSE,
            };
            (said, Params::new())
        }
        _ => (&OTHER, Params::new()),
    }
}

fn type_names(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(name) => name.to_string(),
        TypeKind::Multiple(names) => {
            let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
            names.join(" or ")
        }
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
/// Those whose value is a list of schemas.
const OF_LIST: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
/// Those whose value is a mapping of names to schemas.
const OF_NAMES: [&str; 4] = ["$defs", "dependentSchemas", "patternProperties", "properties"];
/// All others.
const OTHERS: [&str; 38] = [
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

/// How the value of a keyword holds further schemas; nothing for a word that is no keyword.
pub(super) enum Holds {
    Nothing,
    Schema,
    List,
    Names,
}

impl Holds {
    /// Of a keyword. What begins with `x-` is the author's own.
    pub(super) fn of(keyword: &str) -> Option<Self> {
        if OF_SCHEMA.contains(&keyword) {
            Some(Self::Schema)
        } else if OF_LIST.contains(&keyword) {
            Some(Self::List)
        } else if OF_NAMES.contains(&keyword) {
            Some(Self::Names)
        } else {
            (OTHERS.contains(&keyword) || keyword.starts_with("x-")).then_some(Self::Nothing)
        }
    }
}

/// All keywords.
pub(super) fn known() -> Vec<&'static str> {
    [&OTHERS[..], &OF_SCHEMA, &OF_NAMES, &OF_LIST].concat()
}

/// A value as the library reads it; numbers keep their digits.
pub(super) fn to_json(value: &crate::value::Value<'_>) -> Json {
    serde_json::to_value(value).unwrap_or(Json::Null)
}
