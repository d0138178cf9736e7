//! The filters, tests and functions of the expression language, and its limits.

use std::sync::LazyLock;

use minijinja::value::{Rest, ValueKind};
use minijinja::{
    Environment, Error, ErrorKind, UndefinedBehavior, Value, filters, functions, tests,
};
use sha2::{Digest, Sha256};

use super::template::MAX_OUTPUT_BYTES;
use super::value::to_dynamic;
use crate::id_format::IdFormat;

/// Maximum number of minijinja fuel units (about one per instruction) that an evaluation may use.
const MAX_FUEL: u64 = 20_000;
/// Maximum recursion depth.
const MAX_DEPTH: usize = 32;

/// Defines a list of names and the function that registers them, so that the two cannot differ.
macro_rules! words {
    ($list:ident, $fill:ident, $add:ident, [$(($name:literal, $function:expr)),+ $(,)?]) => {
        /// The names, sorted.
        pub(super) const $list: &[&str] = &[$($name),+];

        fn $fill(environment: &mut Environment<'static>) {
            $(environment.$add($name, $function);)+
        }
    };
}

words!(
    FILTERS,
    add_filters,
    add_filter,
    [
        ("abs", filters::abs),
        ("append", |text: String, more: String| concat_bounded(text, &more)),
        ("capitalize", filters::capitalize),
        ("count", filters::length),
        ("default", or_default),
        ("divided_by", |one: f64, other: f64| quotient(one, other)),
        ("downcase", filters::lower),
        ("first", filters::first),
        ("float", filters::float),
        ("id", format_id),
        ("int", filters::int),
        ("items", filters::items),
        ("join", join),
        ("last", filters::last),
        ("length", filters::length),
        ("list", filters::list),
        ("lower", filters::lower),
        ("lstrip", |text: String| text.trim_start().to_owned()),
        ("map", filters::map),
        ("max", filters::max),
        ("min", filters::min),
        ("minus", |one: Value, other: Value| arithmetic(&one, &other, i64::checked_sub, |a, b| a
            - b)),
        ("plus", |one: Value, other: Value| arithmetic(&one, &other, i64::checked_add, |a, b| a
            + b)),
        ("prepend", |text: String, more: String| concat_bounded(more, &text)),
        ("reject", filters::reject),
        ("rejectattr", filters::rejectattr),
        ("remove", |text: String, part: String| text.replace(&part, "")),
        ("replace", replace),
        ("reverse", filters::reverse),
        ("round", filters::round),
        ("rstrip", |text: String| text.trim_end().to_owned()),
        ("select", filters::select),
        ("selectattr", filters::selectattr),
        ("sha256", sha256),
        ("size", filters::length),
        ("sort", filters::sort),
        ("split", filters::split),
        ("squish", |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ")),
        ("string", filters::string),
        ("strip", |text: String| text.trim().to_owned()),
        ("sum", filters::sum),
        ("times", |one: Value, other: Value| arithmetic(&one, &other, i64::checked_mul, |a, b| a
            * b)),
        ("title", filters::title),
        ("trim", filters::trim),
        ("truncate", truncate),
        ("uniq", filters::unique),
        ("unique", filters::unique),
        ("upcase", filters::upper),
        ("upper", filters::upper),
    ]
);

words!(
    TESTS,
    add_tests,
    add_test,
    [
        ("blank", is_blank),
        ("boolean", tests::is_boolean),
        ("containing", is_containing),
        ("defined", tests::is_defined),
        ("divisibleby", tests::is_divisibleby),
        ("empty", is_empty),
        ("endingwith", tests::is_endingwith),
        ("even", tests::is_even),
        ("false", tests::is_false),
        ("float", tests::is_float),
        ("in", tests::is_in),
        ("integer", tests::is_integer),
        ("iterable", tests::is_iterable),
        ("mapping", tests::is_mapping),
        ("nil", |value: &Value| value.is_none() || value.is_undefined()),
        ("none", |value: &Value| value.is_none() || value.is_undefined()),
        ("number", tests::is_number),
        ("odd", tests::is_odd),
        ("sequence", tests::is_sequence),
        ("startingwith", tests::is_startingwith),
        ("string", tests::is_string),
        ("true", tests::is_true),
        ("undefined", tests::is_undefined),
    ]
);

words!(FUNCTIONS, add_functions, add_function, [("range", functions::range)]);

/// The environment shared by all expressions; it holds no templates.
pub(super) static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(environment);

fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_fuel(Some(MAX_FUEL));
    environment.set_recursion_limit(MAX_DEPTH);
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_formatter(|out, state, value| {
        minijinja::escape_formatter(out, state, &Value::from(to_text(value)))
    });
    add_filters(&mut environment);
    add_tests(&mut environment);
    add_functions(&mut environment);
    environment
}

/// Fails if the output of a filter exceeds both [`MAX_OUTPUT_BYTES`] and the length of its input.
fn check_length(length: usize, input_length: usize) -> Result<(), Error> {
    match length <= input_length.max(MAX_OUTPUT_BYTES) {
        true => Ok(()),
        false => Err(Error::new(ErrorKind::InvalidOperation, "the result is too long")),
    }
}

fn concat_bounded(text: String, more: &str) -> Result<String, Error> {
    check_length(text.len() + more.len(), text.len().max(more.len()))?;
    Ok(text + more)
}

fn replace(text: String, from: String, to: String) -> Result<String, Error> {
    if to.len() > from.len() {
        let found = text.matches(&from).count();
        check_length(text.len() + found * (to.len() - from.len()), text.len())?;
    }
    Ok(text.replace(&from, &to))
}

fn join(value: &Value, between: Option<String>) -> Result<String, Error> {
    let between = between.unwrap_or_default();
    let mut text = String::new();
    if value.is_undefined() || value.is_none() {
        return Ok(text);
    }
    let mut input_length = 0;
    for (index, item) in value.try_iter()?.enumerate() {
        if index > 0 {
            text.push_str(&between);
        }
        let item = to_text(&item);
        input_length += item.len();
        text.push_str(&item);
        check_length(text.len(), input_length)?;
    }
    Ok(text)
}

/// Returns a value as a string: empty for undefined and null; booleans in lower case, as in JSON
/// and Liquid.
pub(super) fn to_text(value: &Value) -> String {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => String::new(),
        ValueKind::Bool => if value.is_true() { "true" } else { "false" }.to_owned(),
        _ => value.to_string(),
    }
}

/// Liquid's `default`, which also replaces null, false and empty strings and collections.
fn or_default(value: Value, otherwise: Option<Value>) -> Value {
    let is_nothing = !value.is_true() && !value.is_number();
    if is_nothing { otherwise.unwrap_or_else(|| Value::from("")) } else { value }
}

fn quotient(one: f64, other: f64) -> Result<f64, Error> {
    if other == 0.0 {
        return Err(Error::new(ErrorKind::InvalidOperation, "division by zero"));
    }
    Ok(one / other)
}

fn arithmetic(
    one: &Value,
    other: &Value,
    integer: fn(i64, i64) -> Option<i64>,
    float: fn(f64, f64) -> f64,
) -> Result<Value, Error> {
    if let (Some(one), Some(other)) = (one.as_i64(), other.as_i64())
        && let Some(number) = integer(one, other)
    {
        return Ok(Value::from(number));
    }
    let number = |value: &Value| {
        let text = value.to_string();
        text.trim()
            .parse::<f64>()
            .map_err(|_| Error::new(ErrorKind::InvalidOperation, "a number was expected"))
    };
    let (one, other) = (number(one)?, number(other)?);
    Ok(Value::from(float(one, other)))
}

/// Returns the first `length` characters, with an ellipsis if there are more.
fn truncate(text: &str, length: usize) -> String {
    match text.char_indices().nth(length) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Blank as in Rails: undefined, null, false, empty or only whitespace.
fn is_blank(value: &Value) -> bool {
    match value.as_str() {
        Some(text) => text.chars().all(char::is_whitespace),
        None => !value.is_number() && !value.is_true(),
    }
}

fn is_empty(value: &Value) -> bool {
    matches!(value.len(), None | Some(0)) && !value.is_number() && value.kind() != ValueKind::Bool
}

/// Liquid's `contains`: a substring of a string, or an item of a list.
fn is_containing(value: &Value, parts: Rest<Value>) -> bool {
    let Some(part) = parts.first() else { return false };
    match (value.as_str(), part.as_str()) {
        (Some(text), Some(part)) => text.contains(part),
        (Some(text), None) => text.contains(&part.to_string()),
        _ => value.try_iter().is_ok_and(|mut items| items.any(|item| item == *part)),
    }
}

/// Implements the filter `sha256`: the digest of a string in lower-case hexadecimal.
pub fn sha256(text: &str) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(text.as_bytes()))
}

/// Implements the filter `id`: formats the number of a user or record as an id of a contract.
/// Returns undefined if `number` is not an integer or `format` is invalid.
fn format_id(number: &Value, format: &str, salt: &str) -> Value {
    let id =
        number.as_i64().and_then(|number| Some(IdFormat::parse(format)?.show(salt, number, "")));
    id.map_or(Value::UNDEFINED, |id| to_dynamic(&id))
}
