//! Builds the complete aggregate: a user, or an otherwise empty [`NewUser`] with the one record of
//! the form's resource.

use super::assemble::{customization, fill, properties, relationship_user, stored_properties};
use super::assemble::{transactable, user};
use crate::aggregate::{
    Claim, Customizable, NewClaim, NewRelationship, NewRelationshipTransactable, NewUser, Reference,
};
use crate::built_ins::{CUSTOMIZABLE, Container, ParentRefs, Setter};
use crate::canonical::{bounded_key, canonical_text};
use crate::form::{FieldBody, FieldTarget, Form, Group};
use crate::record_kind::RecordKind;
use crate::submission::{GroupSlots, Slot};
use crate::value::Value;

/// Returns the aggregate of a valid submission.
pub(super) fn assemble(
    form: &Form,
    slots: GroupSlots<'_>,
    claims: Vec<NewClaim>,
    references: Vec<Reference>,
) -> NewUser {
    let root = &form.root;
    let mut aggregate = match root.kind {
        None | Some(RecordKind::User | RecordKind::Session) => user(form, slots),
        Some(kind) => record(root, kind, slots),
    };
    (aggregate.claims, aggregate.references) = (claims, references);
    aggregate
}

fn record(root: &Group, kind: RecordKind, slots: GroupSlots<'_>) -> NewUser {
    let belonging = parent_refs(root, kind, &slots);
    let mut aggregate = NewUser { owner: belonging.owner, ..NewUser::default() };
    match kind {
        RecordKind::Transactable => aggregate.transactables.push(transactable(root, slots)),
        RecordKind::RelationshipUser => {
            aggregate.relationship_users.extend(relationship_user(root, slots))
        }
        RecordKind::Customization => {
            aggregate.customizable = customizable(&belonging);
            aggregate.customizations.push(customization(root, slots));
        }
        RecordKind::Relationship => {
            let (id, type_name, key) = (slots.id(), root.type_name.clone(), key(root, &slots));
            let properties = own_properties(root, slots);
            aggregate.relationships.push(NewRelationship { id, type_name, key, properties });
        }
        RecordKind::RelationshipTransactable => {
            // Both ids are present: validation requires them.
            let ids = belonging.relationship.zip(belonging.transactable);
            aggregate.relationship_transactables.extend(ids.map(
                |(relationship_id, transactable_id)| NewRelationshipTransactable {
                    id: slots.id(),
                    type_name: root.type_name.clone(),
                    relationship_id,
                    transactable_id,
                    properties: own_properties(root, slots),
                },
            ));
        }
        _ => {}
    }
    aggregate
}

/// Returns the parent references of a record: the submitted ones, otherwise the stored ones.
fn parent_refs(root: &Group, kind: RecordKind, slots: &GroupSlots<'_>) -> ParentRefs {
    let mut belonging = ParentRefs::default();
    for built_in in kind.parent_fields() {
        let Setter::ParentRef(set) = built_in.set else { continue };
        let slot = root.index_of(built_in.name).and_then(|index| slots.slots.get(index));
        let sent = slot.map(Slot::value).filter(|value| !value.is_blank());
        let stored = slots.stored.and_then(|stored| stored.get(built_in.name));
        if let Some(value) = sent.or(stored) {
            set(&mut belonging, value.clone());
        }
    }
    belonging
}

fn customizable(belonging: &ParentRefs) -> Option<Customizable> {
    let word = belonging.customizable_type.as_deref()?;
    let (_, resource) = CUSTOMIZABLE.into_iter().find(|(name, _)| *name == word)?;
    Some(Customizable { resource, id: belonging.customizable? })
}

fn own_properties(root: &Group, slots: GroupSlots<'_>) -> String {
    let mut properties_json = stored_properties(slots.stored);
    fill(root, slots, |_, _| {}, |_, field, inner| properties_json = properties(field, inner));
    properties_json
}

/// Returns the claim on a relationship's key, or `None` if its type has no key or the key is blank.
fn key(root: &Group, slots: &GroupSlots<'_>) -> Option<Claim> {
    let property = root.key.as_deref()?;
    let container = root.fields.iter().zip(&slots.slots).find_map(|(field, slot)| {
        let is_properties = matches!(field.target, FieldTarget::Container(Container::Properties));
        match (&field.body, slot) {
            (FieldBody::Container(group), Slot::Group(inner)) if is_properties => {
                Some((group, inner))
            }
            _ => None,
        }
    });
    let slot = container.and_then(|(group, inner)| inner.slots.get(group.index_of(property)?));
    let stored = || slots.stored?.get("properties")?.get(property);
    let value = match slot {
        Some(slot) if !slot.keeps_stored() => slot.value(),
        _ => stored()?,
    };
    let key = match value {
        Value::String(text) if !text.trim().is_empty() => canonical_text(text, true),
        _ => return None,
    };
    let scope = bounded_key(format!("user.relationships.{}.properties.{property}", root.type_name));
    Some(Claim { scope: scope.into(), value_key: key })
}
