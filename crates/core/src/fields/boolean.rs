//! Booleans, in the notations of HTML forms and Rails. Anything else is rejected, where Rails would
//! treat it as true.
//!
//! Source of the notations: Active Model, `ActiveModel::Type::Boolean::FALSE_VALUES`.

use crate::value::Value;

pub(super) fn coerce(value: Value<'_>) -> Result<Value<'_>, Value<'_>> {
    let flag = match &value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(text) | Value::String(text) => parse(text.trim()),
        _ => None,
    };
    flag.map(Value::Bool).ok_or(value)
}

fn parse(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "True" | "TRUE" | "on" | "On" | "ON" | "yes" => Some(true),
        "0" | "f" | "F" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" | "no" => Some(false),
        _ => None,
    }
}
