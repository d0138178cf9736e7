//! Builds the aggregate from the slots of a valid submission.
//!
//! Only fields that the form lists have a slot and can change. In an update all other fields keep
//! their stored values, and nested records are included only if values were submitted for them.

use std::borrow::Cow;
use std::sync::Arc;

use crate::aggregate::{
    Attachments, NewAddress, NewCustomization, NewFile, NewProfile, NewRelationshipUser,
    NewTransactable, NewUser, RelationshipLink,
};
use crate::built_ins::{Container, RelationshipFields, Setter};
use crate::canonical::canonical_text;
use crate::form::{Field, FieldBody, FieldTarget, Form, Group};
use crate::record_kind::RecordKind;
use crate::submission::object;
use crate::submission::{GroupSlots, ListItem, Slot};
use crate::types::KeyedRelationship;
use crate::value::Value;

/// Default currency of a transactable (ISO 4217).
const DEFAULT_CURRENCY: &str = "USD";

/// Returns a user without its claims and references.
pub(super) fn user(form: &Form, slots: GroupSlots<'_>) -> NewUser {
    let mut user = NewUser {
        properties: slots.stored.map(|stored| stored_properties(Some(stored))),
        ..NewUser::default()
    };
    // The first closure borrows the user, so containers are handled afterwards.
    let mut containers = Vec::new();
    fill(
        &form.root,
        slots,
        |set, value| {
            if let Setter::User(set) = set {
                set(&mut user, value);
            }
        },
        |container, field, inner| containers.push((container, field, inner)),
    );
    for (container, field, inner) in containers {
        user_container(&mut user, container, field, inner);
    }
    user
}

fn user_container(user: &mut NewUser, container: Container, field: &Field, slots: GroupSlots<'_>) {
    match container {
        Container::Properties => user.properties = Some(properties(field, slots)),
        Container::Profiles => records(field, slots, |group, inner| {
            user.profiles.push(profile(group, inner));
        }),
        Container::RelationshipUsers => records(field, slots, |group, inner| {
            user.relationship_users.extend(relationship_user(group, inner));
        }),
        Container::Transactables => records(field, slots, |group, inner| {
            user.transactables.push(transactable(group, inner));
        }),
        Container::Customizations => records(field, slots, |group, inner| {
            user.customizations.push(customization(group, inner));
        }),
        Container::CustomAddresses | Container::CustomImages | Container::CustomAttachments => {}
    }
}

/// Calls `take` for each submitted record, in the order of the form, then of the submission.
fn records<'v>(field: &Field, slots: GroupSlots<'v>, mut take: impl FnMut(&Group, GroupSlots<'v>)) {
    let FieldBody::Container(container) = &field.body else { return };
    for (field, slot) in container.fields.iter().zip(slots.slots) {
        match (&field.body, slot) {
            (FieldBody::Record(group), Slot::Group(inner)) if !inner.is_untouched() => {
                take(group, inner)
            }
            (FieldBody::Records(group), Slot::Items(items)) => {
                items
                    .into_iter()
                    .filter_map(|ListItem { group, .. }| group)
                    .filter(|inner| inner.sent)
                    .for_each(|inner| take(group, inner));
            }
            _ => {}
        }
    }
}

/// Passes the built-in fields of a record to `set` and its containers to `contain`.
pub(super) fn fill<'f, 'v>(
    group: &'f Group,
    slots: GroupSlots<'v>,
    mut set: impl FnMut(Setter, Value<'v>),
    mut contain: impl FnMut(Container, &'f Field, GroupSlots<'v>),
) {
    if let (Some(stored), Some(kind)) = (slots.stored, group.kind) {
        for built_in in kind.built_ins().iter().chain(kind.parent_fields()) {
            match stored.get(built_in.name) {
                None | Some(Value::Null) => {}
                Some(_) if is_sent(group, &slots, built_in.name) => {}
                Some(value) => set(built_in.set, value.clone()),
            }
        }
    }
    for (field, mut slot) in group.fields.iter().zip(slots.slots) {
        match field.target {
            FieldTarget::BuiltIn(built_in) => {
                if let Some(value) = slot.take() {
                    set(built_in.set, value);
                }
            }
            FieldTarget::Container(container) => {
                if let Slot::Group(inner) = slot {
                    contain(container, field, inner);
                }
            }
            FieldTarget::Property | FieldTarget::Virtual | FieldTarget::Record => {}
        }
    }
}

/// Returns whether the field's slot replaces the stored value.
fn is_sent(group: &Group, slots: &GroupSlots<'_>, name: &str) -> bool {
    let slot = group.index_of(name).and_then(|index| slots.slots.get(index));
    slot.is_some_and(|slot| !slot.keeps_stored())
}

/// Returns the stored properties of a record, `{}` if there are none.
pub(super) fn stored_properties(record: Option<&Value<'_>>) -> String {
    match record.and_then(|record| record.get("properties")) {
        Some(Value::Object(entries)) => object(entries),
        _ => object(&[]),
    }
}

pub(super) fn properties(field: &Field, slots: GroupSlots<'_>) -> String {
    let FieldBody::Container(group) = &field.body else { return object(&[]) };
    let mut entries = Vec::new();
    if let Some(Value::Object(stored)) = slots.stored {
        let left = stored.iter().filter(|(name, _)| !is_sent(group, &slots, name));
        entries.extend(left.map(|(name, value)| (Cow::Borrowed(&**name), value.clone())));
    }
    for (field, mut slot) in group.fields.iter().zip(slots.slots) {
        if let (FieldTarget::Property, Some(value)) = (field.target, slot.take()) {
            entries.push((Cow::Borrowed(&*field.name), value));
        }
    }
    object(&entries)
}

/// Sets the properties or the attached records that a container of a profile, transactable or
/// customization holds.
fn attach(
    (properties_json, attached): (&mut String, &mut Attachments),
    container: Container,
    field: &Field,
    slots: GroupSlots<'_>,
) {
    match container {
        Container::Properties => *properties_json = properties(field, slots),
        Container::CustomAddresses => records(field, slots, |group, inner| {
            attached.addresses.push(address(group, inner));
        }),
        Container::CustomImages | Container::CustomAttachments => {
            records(field, slots, |group, inner| attached.files.push(file(group, inner)));
        }
        Container::Customizations => records(field, slots, |group, inner| {
            attached.customizations.push(customization(group, inner));
        }),
        Container::Profiles | Container::RelationshipUsers | Container::Transactables => {}
    }
}

fn profile(group: &Group, slots: GroupSlots<'_>) -> NewProfile {
    let (id, stored) = (slots.id(), slots.stored);
    let mut profile = NewProfile {
        id,
        type_name: group.type_name.clone(),
        enabled: true,
        properties: object(&[]),
        attached: Attachments::default(),
    };
    let (mut properties, mut attached) = (stored_properties(stored), Attachments::default());
    fill(
        group,
        slots,
        |set, value| {
            if let Setter::Profile(set) = set {
                set(&mut profile, value);
            }
        },
        |container, field, inner| attach((&mut properties, &mut attached), container, field, inner),
    );
    NewProfile { properties, attached, ..profile }
}

pub(super) fn transactable(group: &Group, slots: GroupSlots<'_>) -> NewTransactable {
    let (id, stored) = (slots.id(), slots.stored);
    let mut transactable = NewTransactable {
        id,
        type_name: group.type_name.clone(),
        name: None,
        description: None,
        currency: DEFAULT_CURRENCY.to_owned(),
        enabled: true,
        properties: String::new(),
        attached: Attachments::default(),
    };
    let (mut properties, mut attached) = (stored_properties(stored), Attachments::default());
    fill(
        group,
        slots,
        |set, value| {
            if let Setter::Transactable(set) = set {
                set(&mut transactable, value);
            }
        },
        |container, field, inner| attach((&mut properties, &mut attached), container, field, inner),
    );
    NewTransactable { properties, attached, ..transactable }
}

pub(super) fn customization(group: &Group, slots: GroupSlots<'_>) -> NewCustomization {
    let id = slots.id();
    let (mut properties, mut attached) = (stored_properties(slots.stored), Attachments::default());
    fill(
        group,
        slots,
        |_, _| {},
        |container, field, inner| attach((&mut properties, &mut attached), container, field, inner),
    );
    NewCustomization { id, type_name: group.type_name.clone(), properties, attached }
}

/// Returns a relationship user, or `None` if it has no relationship, which validation refuses.
pub(super) fn relationship_user(
    group: &Group,
    slots: GroupSlots<'_>,
) -> Option<NewRelationshipUser> {
    let mut fields = RelationshipFields::default();
    let (id, mut properties_json) = (slots.id(), stored_properties(slots.stored));
    fill(
        group,
        slots,
        |set, value| {
            if let Setter::RelationshipFields(set) = set {
                set(&mut fields, value);
            }
        },
        |_, field, inner| properties_json = properties(field, inner),
    );
    // A stored relationship user has only `relationship_id`; a key or a name was submitted.
    let key = fields.key.filter(|key| !key.trim().is_empty());
    let relationship = match (key.zip(group.keyed.as_ref()), fields.type_name, fields.id) {
        (Some((key, keyed)), _, _) => keyed_link(&key, keyed),
        (None, Some(name), _) => RelationshipLink::New { type_name: Arc::from(name) },
        (None, None, Some(id)) => RelationshipLink::Existing(id),
        (None, None, None) => return None,
    };
    let type_name = group.type_name.clone();
    Some(NewRelationshipUser { id, type_name, relationship, properties: properties_json })
}

fn keyed_link(key: &str, keyed: &KeyedRelationship) -> RelationshipLink {
    let named =
        || object(&[(Cow::Borrowed(&*keyed.property), Value::String(Cow::Borrowed(key.trim())))]);
    let make = keyed.makes.then(named);
    RelationshipLink::Keyed {
        type_name: keyed.type_name.clone(),
        key: canonical_text(key, true),
        make,
    }
}

fn address(group: &Group, slots: GroupSlots<'_>) -> NewAddress {
    let mut address =
        NewAddress { id: slots.id(), name: group.type_name.clone(), ..NewAddress::default() };
    fill(
        group,
        slots,
        |set, value| {
            if let Setter::Address(set) = set {
                set(&mut address, value);
            }
        },
        |_, _, _| {},
    );
    address
}

fn file(group: &Group, slots: GroupSlots<'_>) -> NewFile {
    let is_image = group.kind == Some(RecordKind::Image);
    let mut file =
        NewFile { id: slots.id(), name: group.type_name.clone(), is_image, ..NewFile::default() };
    fill(
        group,
        slots,
        |set, value| {
            if let Setter::File(set) = set {
                set(&mut file, value);
            }
        },
        |_, _, _| {},
    );
    file
}
