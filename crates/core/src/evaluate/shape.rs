//! Shapes the submitted values into the form's slots, in the documented order: `_attributes`
//! suffixes and index-hashes are resolved, unknown keys are set apart, read-only and absent fields
//! take their default, strings are normalised, values are coerced.
//!
//! In an update, fields that were not submitted take their stored values ([`super::existing`]).

use std::borrow::Cow;

use super::existing::{Existing, ExistingRecords};
use crate::form::{Field, FieldBody, Form, Group, ScalarField};
use crate::submission::{GroupSlots, ItemKey, ListItem, Slot};
use crate::value::Value;

/// Returns the slots of a submission.
pub(super) fn shape<'v>(form: &Form, submitted: Value<'v>, stored: Existing<'v>) -> GroupSlots<'v> {
    let entries = match submitted {
        Value::Object(entries) => entries,
        _ => Vec::new(),
    };
    group(form, &form.root, entries, stored)
}

pub(super) type Entries<'v> = Vec<(Cow<'v, str>, Value<'v>)>;

fn group<'v>(
    form: &Form,
    group: &Group,
    entries: Entries<'v>,
    stored: Existing<'v>,
) -> GroupSlots<'v> {
    let mut shaped = GroupSlots {
        stored: stored.object(),
        slots: std::iter::repeat_with(Slot::default).take(group.fields.len()).collect(),
        ..GroupSlots::default()
    };
    let mut seen = SeenFields::of(group.fields.len());
    for (key, value) in entries {
        let (index, suffixed) = place_of(group, &key);
        match index.filter(|index| !seen.has(*index)) {
            Some(index) => {
                seen.mark(index);
                shaped.sent |= has_value(&group.fields[index], &value);
                let of = &group.fields[index];
                shaped.slots[index] = field(form, of, value, suffixed, stored.at(&of.name));
            }
            None if form.refuses_unknown => shaped.unknown.push(key),
            None => {}
        }
    }
    for (index, field) in group.fields.iter().enumerate() {
        if !seen.has(index) {
            shaped.slots[index] = absent(form, field, stored.at(&field.name));
        }
    }
    shaped
}

/// Set of the fields of a group that were submitted. Few groups have more than 64 fields.
enum SeenFields {
    Few(u64),
    Many(Vec<bool>),
}

impl SeenFields {
    fn of(fields: usize) -> Self {
        if fields <= 64 { Self::Few(0) } else { Self::Many(vec![false; fields]) }
    }

    fn has(&self, index: usize) -> bool {
        match self {
            Self::Few(bits) => bits >> index & 1 == 1,
            Self::Many(all) => all[index],
        }
    }

    fn mark(&mut self, index: usize) {
        match self {
            Self::Few(bits) => *bits |= 1 << index,
            Self::Many(all) => all[index] = true,
        }
    }
}

/// Returns the index of the field that a key names, and whether the key had the suffix
/// `_attributes` of Rails' nested attributes.
fn place_of(group: &Group, key: &str) -> (Option<usize>, bool) {
    if let Some(index) = group.index_of(key) {
        return (Some(index), false);
    }
    let index = key
        .strip_suffix("_attributes")
        .and_then(|name| group.index_of(name))
        .filter(|index| !matches!(group.fields[*index].body, FieldBody::Scalar(_)));
    (index, true)
}

/// Returns whether a submitted key activates the nested form that contains it: any value of a
/// scalar does, even null; null, an empty object or an empty list of another field does not.
fn has_value(field: &Field, value: &Value<'_>) -> bool {
    match (&field.body, value) {
        (FieldBody::Scalar(_), _) => true,
        (_, Value::Null) => false,
        (_, Value::Object(entries)) => !entries.is_empty(),
        (FieldBody::Records(_), Value::Array(items)) => !items.is_empty(),
        _ => true,
    }
}

fn field<'v>(
    form: &Form,
    field: &Field,
    value: Value<'v>,
    suffixed: bool,
    stored: Existing<'v>,
) -> Slot<'v> {
    match &field.body {
        FieldBody::Scalar(scalar) if scalar.readonly || stored.is_kept_by(field, &value) => {
            unsent(field, scalar, stored)
        }
        FieldBody::Scalar(scalar) => given(scalar, value),
        FieldBody::Container(group) => container(form, group, value, suffixed, stored.container()),
        FieldBody::Record(inner) => match value {
            Value::Null => untouched(form, inner, stored),
            Value::Object(entries) => {
                let mut shaped = group(form, inner, entries, stored);
                shaped.suffixed = suffixed;
                // Unknown keys alone do not activate the nested form, but must be reported.
                if shaped.sent || !shaped.unknown.is_empty() {
                    Slot::Group(shaped)
                } else {
                    untouched(form, inner, stored)
                }
            }
            value => Slot::Wrong { value },
        },
        FieldBody::Records(group) => list(form, group, value, stored),
    }
}

/// Returns the slot of a nested form for which no value was submitted.
fn untouched<'v>(form: &Form, inner: &Group, stored: Existing<'v>) -> Slot<'v> {
    match stored.object() {
        Some(_) => Slot::Group(group(form, inner, Vec::new(), stored.untouched())),
        None => Slot::Absent,
    }
}

fn container<'v>(
    form: &Form,
    inner: &Group,
    value: Value<'v>,
    suffixed: bool,
    stored: Existing<'v>,
) -> Slot<'v> {
    match value {
        Value::Null => Slot::Group(group(form, inner, Vec::new(), stored)),
        Value::Object(entries) => {
            let mut shaped = group(form, inner, entries, stored);
            shaped.suffixed = suffixed;
            Slot::Group(shaped)
        }
        value => Slot::Wrong { value },
    }
}

/// Returns the stored value of a field or its default; submitted values are ignored.
fn unsent<'v>(field: &Field, scalar: &ScalarField, stored: Existing<'v>) -> Slot<'v> {
    stored.slot(field, scalar).unwrap_or_else(|| default(scalar))
}

/// Returns the slot of a value of the client or the form, normalised and coerced.
pub(super) fn given<'v>(scalar: &ScalarField, value: Value<'v>) -> Slot<'v> {
    let value = scalar.normalize.iter().fold(value, |value, step| step.apply(value));
    let from_text = matches!(value, Value::String(_));
    match scalar.field_type.coerce(value) {
        Ok(value) => Slot::Value { value, from_text },
        Err(value) => Slot::Wrong { value },
    }
}

/// Merges the default payload over the submitted values.
pub(super) fn merge<'v>(
    form: &Form,
    of: &Group,
    slots: &mut GroupSlots<'v>,
    entries: Entries<'v>,
    is_update: bool,
) {
    let existing = Existing::new(slots.stored, is_update);
    for (key, value) in entries {
        let Some(index) = of.index_of(&key) else { continue };
        let (Some(slot), of) = (slots.slots.get_mut(index), &of.fields[index]) else { continue };
        slots.sent |= has_value(of, &value);
        match (&of.body, value) {
            (FieldBody::Scalar(scalar), value) => *slot = given(scalar, value),
            (FieldBody::Container(inner) | FieldBody::Record(inner), Value::Object(entries)) => {
                if !matches!(slot, Slot::Group(_)) {
                    let stored = existing.at(&of.name);
                    *slot = Slot::Group(group(form, inner, Vec::new(), stored));
                }
                if let Slot::Group(slots) = slot {
                    merge(form, inner, slots, entries, is_update);
                }
            }
            (_, value) => *slot = field(form, of, value, false, existing.at(&of.name)),
        }
    }
}

/// Returns the slot of a field that was not submitted.
fn absent<'v>(form: &Form, field: &Field, stored: Existing<'v>) -> Slot<'v> {
    match &field.body {
        FieldBody::Scalar(scalar) => unsent(field, scalar, stored),
        FieldBody::Container(inner) => {
            Slot::Group(group(form, inner, Vec::new(), stored.container()))
        }
        FieldBody::Record(inner) => untouched(form, inner, stored),
        FieldBody::Records(inner) => list(form, inner, Value::Null, stored),
    }
}

fn default<'v>(scalar: &ScalarField) -> Slot<'v> {
    match &scalar.default {
        Some(value) => Slot::Value { value: value.clone(), from_text: false },
        None => Slot::Absent,
    }
}

/// Returns the slot of a list field, submitted as one object, a list, or an index-hash: an object
/// whose keys are all non-negative integers. Stored records that were not submitted come last.
fn list<'v>(form: &Form, inner: &Group, value: Value<'v>, stored: Existing<'v>) -> Slot<'v> {
    let mut records = stored.records();
    let mut item = |key: ItemKey<'v>, value: Value<'v>| match value {
        Value::Object(entries) => {
            Some(ListItem { key, group: Some(record(form, inner, entries, &mut records)) })
        }
        Value::Null => None,
        _ => Some(ListItem { key, group: None }),
    };
    let mut items: Vec<ListItem<'v>> = match value {
        Value::Null => Vec::new(),
        Value::Array(items) => {
            // A null keeps its position, so that the indexes of the other items stay correct.
            let index = |value| {
                item(ItemKey::Index, value)
                    .unwrap_or(ListItem { key: ItemKey::Index, group: Some(GroupSlots::default()) })
            };
            items.into_iter().map(index).collect()
        }
        Value::Object(entries) if is_index_hash(&entries) => {
            entries.into_iter().filter_map(|(key, value)| item(ItemKey::Key(key), value)).collect()
        }
        Value::Object(entries) => item(ItemKey::Only, Value::Object(entries)).into_iter().collect(),
        value => return Slot::Wrong { value },
    };
    items.extend(records.unmentioned().map(|stored| {
        let group = group(form, inner, Vec::new(), stored);
        ListItem { key: ItemKey::Stored, group: Some(group) }
    }));
    if items.iter().any(is_sent) { Slot::Items(items) } else { Slot::Absent }
}

/// Returns an object of a list: a new record, or an update of the stored record that its `id`
/// names.
fn record<'v>(
    form: &Form,
    inner: &Group,
    mut entries: Entries<'v>,
    records: &mut ExistingRecords<'v>,
) -> GroupSlots<'v> {
    match records.named_by(inner, &mut entries) {
        Ok(stored) if entries.is_empty() => group(form, inner, entries, stored.untouched()),
        Ok(stored) => group(form, inner, entries, stored),
        Err(message) => GroupSlots { id_fault: Some(message), ..GroupSlots::default() },
    }
}

fn is_sent(item: &ListItem<'_>) -> bool {
    item.group.as_ref().is_none_or(|group| {
        group.sent
            || !group.unknown.is_empty()
            || group.stored.is_some()
            || group.id_fault.is_some()
    })
}

fn is_index_hash(entries: &[(Cow<'_, str>, Value<'_>)]) -> bool {
    !entries.is_empty()
        && entries.iter().all(|(key, _)| {
            !key.is_empty() && key.len() <= 20 && key.bytes().all(|byte| byte.is_ascii_digit())
        })
}
