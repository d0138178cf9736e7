//! A submission to a stored user: laid over what is stored, judged as the whole that comes out.

use std::collections::HashSet;

use super::outcome::Outcome;
use super::slot::{GroupSlots, Slot};
use super::stored::Stored;
use super::{activity, bag, judge, shape};
use crate::aggregate::Claim;
use crate::changes::{ChangedUser, OldValue, Released};
use crate::form::{Body, Field, Form, Group, Target};
use crate::keys::email_key;
use crate::rules::key_of;
use crate::surroundings::Surroundings;
use crate::value::Value;
use crate::violation::Violations;

/// Shapes, judges and assembles.
pub(crate) fn update<'v>(
    form: &Form,
    submitted: Value<'v>,
    stored: &'v Value<'v>,
    surroundings: &Surroundings,
) -> Result<ChangedUser, Violations> {
    let mut outcome = Outcome::new(form, surroundings.clone());
    let slots = super::prepare(form, submitted, Stored::new(Some(stored), true), &mut outcome);
    judge::judge(form, &slots, &mut outcome);
    if !outcome.violations.is_empty() {
        return Err(outcome.violations);
    }
    let mut values = Vec::new();
    old_values(&form.root, &slots, &Place::root(form), &mut values);
    let before = claims_before(form, stored, surroundings);
    let (claims, references) = outcome.take();
    let mut held = outcome.claimed;
    held.extend(claims.iter().cloned());
    let released = Released { held, before, values };
    let user = bag::assemble(form, slots, claims, references);
    Ok(ChangedUser { user, released })
}

/// What the user holds by the form's rules, as it is stored.
fn claims_before(form: &Form, stored: &Value<'_>, surroundings: &Surroundings) -> HashSet<Claim> {
    let mut outcome = Outcome::new(form, surroundings.clone());
    let mut slots = shape::shape(form, Value::Null, Stored::new(Some(stored), true).alone());
    activity::take_away(form, &mut slots, surroundings);
    judge::claims(form, &slots, &mut outcome);
    outcome.claimed
}

/// Where a group stands in every form.
struct Place {
    path: String,
    is_in_list: bool,
}

impl Place {
    /// Where the whole form stands: a record is one of several, as it is within a user.
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
        Self { path, is_in_list: self.is_in_list || matches!(field.body, Body::List(_)) }
    }
}

/// Collects the values that are stored and not there any more.
fn old_values(group: &Group, slots: &GroupSlots<'_>, place: &Place, values: &mut Vec<OldValue>) {
    for (field, slot) in group.fields.iter().zip(&slots.slots) {
        match (&field.body, slot) {
            (Body::Scalar(_), slot) => {
                let stored = slots.stored.and_then(|stored| stored.get(&field.name));
                let stored = stored.filter(|value| !value.is_blank());
                if let Some(value) = stored
                    && !slot.keeps_stored()
                    && !matches!(field.target, Target::Virtual)
                    && slot.value() != value
                {
                    values.push(old_value(value, slot.value(), place.of(field)));
                }
            }
            (Body::Container(inner), Slot::Group(slots)) => {
                let place = match field.target {
                    // Of one type they are the same wherever they hang.
                    Target::Container(container) if container.type_kind().is_some() => {
                        Place { path: container.name().to_owned(), ..*place }
                    }
                    _ => place.of(field),
                };
                old_values(inner, slots, &place, values);
            }
            (Body::Node(inner), Slot::Group(slots)) if !slots.is_untouched() => {
                old_values(inner, slots, &typed(place, field, inner), values);
            }
            (Body::List(inner), Slot::Items(items)) => {
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

/// A record's place is named by its type, however the form spells that.
fn typed(place: &Place, field: &Field, inner: &Group) -> Place {
    let is_in_list = place.of(field).is_in_list;
    Place { path: format!("{}.{}", place.path, inner.type_name), is_in_list }
}

fn old_value(value: &Value<'_>, new: &Value<'_>, place: Place) -> OldValue {
    let Place { path, is_in_list } = place;
    let is_email = path == "email";
    let key = |value: &Value<'_>| match value {
        Value::String(address) if is_email => email_key(address),
        value => key_of(value, true),
    };
    let folded = |value: &Value<'_>| key_of(value, false);
    let gone = |old: String, new: String| (old != new).then_some(old);
    let (key, folded) = (gone(key(value), key(new)), gone(folded(value), folded(new)));
    OldValue { path, is_in_list, key, folded }
}
