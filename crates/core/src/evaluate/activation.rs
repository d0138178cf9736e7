//! Applies computed defaults, then `default_payload`, then drops the fields whose condition does
//! not hold. Each step goes through the fields in the order of the form, so that an expression sees
//! the results of those before it.

use crate::eval_error::EvalError;
use std::cell::Cell;

use super::shape;
use crate::eval_context::EvalContext;
use crate::expression::{ConditionResult, EvalScope};
use crate::form::{Field, FieldBody, FieldTarget, Form, Group, PayloadValue};
use crate::submission::Findings;
use crate::submission::{GroupSlots, Slot};
use crate::value::Value;

/// Maximum total size of the values computed for one submission, in bytes.
const MAX_COMPUTED_BYTES: usize = 256 * 1024;

/// Remaining part of [`MAX_COMPUTED_BYTES`].
struct ComputedBudget(Cell<usize>);

impl ComputedBudget {
    /// Computes a value and subtracts its size.
    ///
    /// # Errors
    /// Returns an error if the computation fails or the budget is exhausted.
    fn take(
        &self,
        work: impl FnOnce() -> Result<Option<Value<'static>>, EvalError>,
    ) -> Result<Option<Value<'static>>, EvalError> {
        let too_much = || EvalError::ComputedTooLarge(MAX_COMPUTED_BYTES);
        if self.0.get() == 0 {
            return Err(too_much());
        }
        let value = work()?;
        let left = self.0.get().checked_sub(value.as_ref().map_or(0, Value::weight));
        self.0.set(left.unwrap_or_default());
        left.map(|_| value).ok_or_else(too_much)
    }
}

/// Applies computed defaults and the default payload, and drops inactive fields.
pub(super) fn apply_defaults<'v>(form: &Form, slots: &mut GroupSlots<'v>, findings: &mut Findings) {
    let eval_context = &findings.eval_context;
    let left = ComputedBudget(Cell::new(MAX_COMPUTED_BYTES));
    for way in &form.computed {
        each(&form.root, slots, way, eval_context, |field, (slot, is_stored), view| {
            match (&field.body, slot) {
                // An empty stored field gets no default in an update.
                (FieldBody::Scalar(scalar), Slot::Absent) if is_stored && !scalar.readonly => None,
                (FieldBody::Scalar(scalar), Slot::Absent) => {
                    let computed = scalar.computed.as_ref()?;
                    match left.take(|| computed.value(view)) {
                        Ok(value) => Some(shape::given(scalar, value?)),
                        Err(cause) => Some(Slot::Undecided { cause }),
                    }
                }
                _ => None,
            }
        });
    }
    if let Some(payload) = &form.payload {
        let view = EvalScope { form: &slots.slots, this: &slots.slots, eval_context };
        match object(&payload.0, &view, &left) {
            Ok(Value::Object(entries)) => {
                let is_update = slots.stored.is_some();
                shape::merge(form, &form.root, slots, entries, is_update);
            }
            Ok(_) => {}
            Err(cause) => findings.failure = Some(cause),
        }
    }
    drop_inactive(form, slots, eval_context);
}

/// Marks fields whose condition does not hold as [`Slot::Inactive`].
pub(super) fn drop_inactive(form: &Form, slots: &mut GroupSlots<'_>, eval_context: &EvalContext) {
    for way in &form.conditional {
        each(&form.root, slots, way, eval_context, |field, _, view| {
            match field.conditions.verdict(view) {
                ConditionResult::Holds => None,
                ConditionResult::Fails => Some(Slot::Inactive),
                ConditionResult::Broken(cause) => Some(Slot::Undecided { cause }),
            }
        });
    }
}

/// Replaces the slots of the field at `way` with what `decide` returns; `None` leaves a slot as it
/// is. A field within lists has one slot per item.
fn each<'v>(
    root: &Group,
    slots: &mut GroupSlots<'v>,
    way: &[usize],
    eval_context: &EvalContext,
    decide: impl Fn(&Field, (&Slot<'v>, bool), &EvalScope<'_, 'v>) -> Option<Slot<'v>>,
) {
    let mut choices = Vec::new();
    expand(slots, way, &mut Vec::new(), &mut choices);
    for items in choices {
        let Some((field, slot, is_stored, this)) = find(root, slots, way, &items) else { continue };
        let view = EvalScope { form: &slots.slots, this, eval_context };
        let Some(new) = decide(field, (slot, is_stored), &view) else { continue };
        if let Some(slot) = find_mut(slots, way, &items) {
            *slot = new;
        }
    }
}

/// Collects the item indexes, one per list along `way`, of each slot of the field there. Items of
/// which no value was submitted are skipped.
fn expand(
    slots: &GroupSlots<'_>,
    way: &[usize],
    items: &mut Vec<usize>,
    choices: &mut Vec<Vec<usize>>,
) {
    let Some((first, rest)) = way.split_first() else { return };
    if rest.is_empty() {
        return choices.push(items.clone());
    }
    match slots.slots.get(*first) {
        Some(Slot::Group(inner)) => expand(inner, rest, items, choices),
        Some(Slot::Items(list)) => {
            for (index, item) in list.iter().enumerate() {
                if let Some(inner) = item.group.as_ref().filter(|inner| inner.sent) {
                    items.push(index);
                    expand(inner, rest, items, choices);
                    items.pop();
                }
            }
        }
        _ => {}
    }
}

/// Returns the field at `way`, its slot, whether it has a stored counterpart (its object is stored
/// and it is not virtual), and the slots of the record that contains it.
fn find<'f, 's, 'v>(
    root: &'f Group,
    slots: &'s GroupSlots<'v>,
    way: &[usize],
    items: &[usize],
) -> Option<(&'f Field, &'s Slot<'v>, bool, &'s [Slot<'v>])> {
    let (mut group, mut slots, mut items) = (root, slots, items.iter());
    let mut this = slots.slots.as_slice();
    let (last, way) = way.split_last()?;
    for index in way {
        let body = &group.fields.get(*index)?.body;
        slots = match slots.slots.get(*index)? {
            Slot::Group(inner) => inner,
            Slot::Items(list) => list.get(*items.next()?)?.group.as_ref()?,
            _ => return None,
        };
        match body {
            FieldBody::Container(inner) => group = inner,
            FieldBody::Record(inner) | FieldBody::Records(inner) => {
                (group, this) = (inner, &slots.slots);
            }
            FieldBody::Scalar(_) => return None,
        }
    }
    let field = group.fields.get(*last)?;
    let is_stored = slots.stored.is_some() && !matches!(field.target, FieldTarget::Virtual);
    Some((field, slots.slots.get(*last)?, is_stored, this))
}

fn find_mut<'s, 'v>(
    slots: &'s mut GroupSlots<'v>,
    way: &[usize],
    items: &[usize],
) -> Option<&'s mut Slot<'v>> {
    let (mut slots, mut items) = (slots, items.iter());
    let (last, way) = way.split_last()?;
    for index in way {
        slots = match slots.slots.get_mut(*index)? {
            Slot::Group(inner) => inner,
            Slot::Items(list) => list.get_mut(*items.next()?)?.group.as_mut()?,
            _ => return None,
        };
    }
    slots.slots.get_mut(*last)
}

fn object(
    entries: &[(String, PayloadValue)],
    view: &EvalScope<'_, '_>,
    left: &ComputedBudget,
) -> Result<Value<'static>, EvalError> {
    let mut object = Vec::with_capacity(entries.len());
    for (name, given) in entries {
        if let Some(value) = value(given, view, left)? {
            object.push((name.clone().into(), value));
        }
    }
    Ok(Value::Object(object))
}

fn value(
    given: &PayloadValue,
    view: &EvalScope<'_, '_>,
    left: &ComputedBudget,
) -> Result<Option<Value<'static>>, EvalError> {
    Ok(Some(match given {
        PayloadValue::Literal(value) => value.clone(),
        PayloadValue::Template(template) => return left.take(|| template.value(view)),
        PayloadValue::Object(entries) => object(entries, view, left)?,
        PayloadValue::List(items) => {
            let items = items.iter().map(|item| Ok(value(item, view, left)?.unwrap_or_default()));
            Value::Array(items.collect::<Result<_, EvalError>>()?)
        }
    }))
}
