//! `distinct`: the items of a list must be different from each other.

use std::collections::HashSet;

use super::{
    Applicability, Check, CompileContext, GroupLayout, InputContent, Reporter, Rule, RuleInput,
    RuleOption,
};
use crate::config::ProblemCode;
use crate::fields::FieldType;
use crate::messages::{Message, Params};
use crate::submission::{GroupSlots, Slot, canonical_json};
use crate::value::{NULL, Value};

static DISTINCT: Message = Message::new("distinct", "has duplicates");

pub(super) static RULE: Rule = Rule {
    name: "distinct",
    aliases: &[],
    summary: "No two items of a list may be equal; numbers are equal by value. Nested forms are \
              compared by the values of their fields. Items in which the field `by` is blank are \
              skipped.",
    options: &[RuleOption::new(
        "by",
        "a field of the items",
        "The field to compare: `name`, `properties.berth`. Default: the whole item.",
    )],
    main_option: Some("by"),
    messages: &[&DISTINCT],
    applies_to: Applicability { lists: true, ..Applicability::VALUES },
    accepts: &[
        ("true", "[1, 2, \"1\"]"),
        ("true", "[]"),
        ("name", "[{\"name\": \"a\"}, {\"name\": \"b\"}, {}, {\"name\": null}]"),
    ],
    rejects: &[
        ("true", "[\"a\", \"b\", \"a\"]", "distinct"),
        ("true", "[1, 1.0]", "distinct"),
        ("true", "[{\"a\": 1, \"b\": 2}, {\"b\": 2, \"a\": 1}]", "distinct"),
        ("name", "[{\"name\": \"a\", \"n\": 1}, {\"name\": \"a\", \"n\": 2}]", "distinct"),
    ],
    compile,
};

fn compile(compile: &mut CompileContext<'_, '_>) -> Option<Box<dyn Check>> {
    let by = match compile.get("by") {
        Some(node) => Some((compile.reader.text(node, "by")?, node.location)),
        None => None,
    };
    let (Some(inner), None) = (compile.field.inner, compile.field.field_type) else {
        let field_type = compile.field.field_type?;
        if !matches!(field_type, FieldType::Any | FieldType::Array | FieldType::Json) {
            let what = format!("a field of the type {} is not a list", field_type.name());
            compile.bad(compile.location, what, "a field of the type array, or a list of records");
            return None;
        }
        let by = by.map(|(by, _)| by.split('.').map(str::to_owned).collect()).unwrap_or_default();
        return Some(Box::new(Distinct { by: DistinctKey::Keys(by) }));
    };
    let Some((by, index)) = by else { return Some(Box::new(Distinct { by: DistinctKey::All })) };
    let mut group = Some(inner);
    let mut slots = Vec::new();
    for name in by.split('.') {
        let Some(index) = group.and_then(|group| group.field_index(name)) else {
            let known = group.map(GroupLayout::field_names).unwrap_or_default();
            let within = format!("`{}`", compile.field.name);
            let code = ProblemCode::UnknownField;
            compile.reader.unknown(code, "field", name, index, &within, &known);
            return None;
        };
        slots.push(index);
        group = group.and_then(|group| group.object(index));
    }
    Some(Box::new(Distinct { by: DistinctKey::Slots(slots) }))
}

#[derive(Debug)]
struct Distinct {
    by: DistinctKey,
}

/// The part of each item that is compared.
#[derive(Debug)]
enum DistinctKey {
    /// Path of keys inside a JSON value; empty for the whole value.
    Keys(Vec<String>),
    /// Path of slot indexes inside a nested form.
    Slots(Vec<usize>),
    /// The whole nested form.
    All,
}

impl Check for Distinct {
    fn check(&self, input: &RuleInput<'_, '_>, reporter: &mut Reporter<'_, '_>) {
        let mut seen = HashSet::new();
        let are_distinct = match input.content {
            InputContent::Items(items) => {
                let groups = items.iter().filter_map(|item| item.group.as_ref());
                let mut there = groups.filter(|group| group.sent || group.is_untouched());
                there.all(|group| self.key_of_group(group).is_none_or(|key| seen.insert(key)))
            }
            InputContent::Value(Value::Array(items)) => {
                items.iter().all(|item| self.key_of_value(item).is_none_or(|key| seen.insert(key)))
            }
            _ => true,
        };
        if !are_distinct {
            reporter.fail(&DISTINCT, Params::new());
        }
    }
}

impl Distinct {
    fn key_of_value(&self, item: &Value<'_>) -> Option<String> {
        let DistinctKey::Keys(keys) = &self.by else { return None };
        if keys.is_empty() {
            return Some(canonical_json(item));
        }
        let value = keys.iter().try_fold(item, |value, key| value.get(key))?;
        (!value.is_blank()).then(|| canonical_json(value))
    }

    fn key_of_group(&self, group: &GroupSlots<'_>) -> Option<String> {
        let DistinctKey::Slots(slots) = &self.by else {
            let mut key = String::new();
            group.slots.iter().for_each(|slot| write_slot(slot, &mut key));
            return Some(key);
        };
        let (last, before) = slots.split_last()?;
        let mut group = group;
        for index in before {
            let Some(Slot::Group(inner)) = group.slots.get(*index) else { return None };
            group = inner;
        }
        let slot = group.slots.get(*last)?;
        if slot.is_blank() {
            return None;
        }
        let mut key = String::new();
        write_slot(slot, &mut key);
        Some(key)
    }
}

/// Appends the content of a slot to a comparison key. Only equal contents give equal keys.
fn write_slot(slot: &Slot<'_>, key: &mut String) {
    match slot {
        Slot::Absent | Slot::Inactive | Slot::Unchanged | Slot::Undecided { .. } => {
            key.push_str(&canonical_json(&NULL));
        }
        Slot::Value { value, .. } | Slot::Wrong { value } => key.push_str(&canonical_json(value)),
        Slot::Group(group) => {
            key.push('(');
            group.slots.iter().for_each(|slot| write_slot(slot, key));
            key.push(')');
        }
        Slot::Items(items) => {
            key.push('<');
            for group in items.iter().filter_map(|item| item.group.as_ref()) {
                group.slots.iter().for_each(|slot| write_slot(slot, key));
                key.push(';');
            }
            key.push('>');
        }
    }
    key.push('\u{1f}');
}
