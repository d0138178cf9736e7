//! Evaluates a submission that updates a stored user or record: it is merged over the stored values
//! and the result is validated as a whole.

use std::collections::HashSet;

use super::existing::Existing;
use super::findings::Findings;
use super::slot::{GroupSlots, Slot};
use super::{activation, assemble_record, shape, validate};
use crate::aggregate::Claim;
use crate::canonical::email_key;
use crate::changes::{PreviousValue, ReleasedClaims, UserUpdate};
use crate::eval_context::EvalContext;
use crate::form::{Field, FieldBody, FieldTarget, Form, Group};
use crate::rules::value_key;
use crate::value::Value;
use crate::violation::Violations;

/// Evaluates a submission that updates `stored`.
///
/// # Errors
/// Returns an error with all violations if the submission is invalid.
pub(crate) fn update<'v>(
    form: &Form,
    submitted: Value<'v>,
    stored: &'v Value<'v>,
    surroundings: &EvalContext,
) -> Result<UserUpdate, Violations> {
    let mut outcome = Findings::new(form, surroundings.clone());
    let slots = super::lay_out(form, submitted, Existing::new(Some(stored), true), &mut outcome);
    validate::validate(form, &slots, &mut outcome);
    if !outcome.violations.is_empty() {
        return Err(outcome.violations);
    }
    let mut values = Vec::new();
    old_values(&form.root, &slots, &FieldAddress::root(form), &mut values);
    let before = claims_before(form, stored, surroundings);
    let (claims, references) = outcome.take_database_checks();
    let mut held = outcome.seen_claims;
    held.extend(claims.iter().cloned());
    let released = ReleasedClaims { held, before, values };
    let user = assemble_record::assemble(form, slots, claims, references);
    Ok(UserUpdate { user, released })
}

/// Returns the claims that the stored user or record holds by the form's rules.
fn claims_before(form: &Form, stored: &Value<'_>, surroundings: &EvalContext) -> HashSet<Claim> {
    let mut outcome = Findings::new(form, surroundings.clone());
    let mut slots = shape::shape(form, Value::Null, Existing::new(Some(stored), true).untouched());
    activation::drop_inactive(form, &mut slots, surroundings);
    validate::claims(form, &slots, &mut outcome);
    outcome.seen_claims
}

/// Path of a group or field that is the same in every form.
struct FieldAddress {
    path: String,
    is_in_list: bool,
}

impl FieldAddress {
    /// Returns the address of the form itself. A record has the address that it has within a user,
    /// where it is in a list.
    fn root(form: &Form) -> Self {
        match (form.resource.type_kind(), &form.record_type) {
            (Some(kind), Some(of_type)) => {
                Self { path: format!("{}.{of_type}", kind.folder()), is_in_list: true }
            }
            _ => Self { path: String::new(), is_in_list: false },
        }
    }

    fn of(&self, field: &Field) -> Self {
        let name = &field.name;
        let path =
            if self.path.is_empty() { name.to_string() } else { format!("{}.{name}", self.path) };
        Self { path, is_in_list: self.is_in_list || matches!(field.body, FieldBody::List(_)) }
    }
}

/// Collects the stored values that the submission replaces or removes.
fn old_values(
    group: &Group,
    slots: &GroupSlots<'_>,
    place: &FieldAddress,
    values: &mut Vec<PreviousValue>,
) {
    for (field, slot) in group.fields.iter().zip(&slots.slots) {
        match (&field.body, slot) {
            (FieldBody::Scalar(_), slot) => {
                let stored = slots.stored.and_then(|stored| stored.get(&field.name));
                let stored = stored.filter(|value| !value.is_blank());
                if let Some(value) = stored
                    && !slot.keeps_stored()
                    && !matches!(field.target, FieldTarget::Virtual)
                    && slot.value() != value
                {
                    values.push(old_value(value, slot.value(), place.of(field)));
                }
            }
            (FieldBody::Container(inner), Slot::Group(slots)) => {
                let place = match field.target {
                    // Records of one type share their address, whichever record contains them.
                    FieldTarget::Container(container) if container.type_kind().is_some() => {
                        FieldAddress { path: container.name().to_owned(), ..*place }
                    }
                    _ => place.of(field),
                };
                old_values(inner, slots, &place, values);
            }
            (FieldBody::Node(inner), Slot::Group(slots)) if !slots.is_untouched() => {
                old_values(inner, slots, &typed(place, field, inner), values);
            }
            (FieldBody::List(inner), Slot::Items(items)) => {
                let place = typed(place, field, inner);
                let groups = items.iter().filter_map(|item| item.group.as_ref());
                for slots in groups.filter(|slots| !slots.is_untouched()) {
                    old_values(inner, slots, &place, values);
                }
            }
            _ => {}
        }
    }
}

/// Returns the address of a record, which uses the name of its type, however the form spells it.
fn typed(place: &FieldAddress, field: &Field, inner: &Group) -> FieldAddress {
    let is_in_list = place.of(field).is_in_list;
    FieldAddress { path: format!("{}.{}", place.path, inner.type_name), is_in_list }
}

fn old_value(value: &Value<'_>, new: &Value<'_>, place: FieldAddress) -> PreviousValue {
    let FieldAddress { path, is_in_list } = place;
    let is_email = path == "email";
    let key = |value: &Value<'_>| match value {
        Value::String(address) if is_email => email_key(address),
        value => value_key(value, true),
    };
    let folded = |value: &Value<'_>| value_key(value, false);
    let gone = |old: String, new: String| (old != new).then_some(old);
    let (key, folded) = (gone(key(value), key(new)), gone(folded(value), folded(new)));
    PreviousValue { path, is_in_list, key, folded }
}
