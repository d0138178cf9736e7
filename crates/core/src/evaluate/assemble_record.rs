//! Builds the complete aggregate: a user, or the record of the form's resource.

use super::assemble::{customization, fill, properties, relationship_user, stored_properties};
use super::assemble::{transactable, user};
use crate::aggregate::{
    Aggregate, Claim, Customizable, NewClaim, NewEntity, NewRelationship,
    NewRelationshipTransactable, Reference,
};
use crate::built_ins::{CUSTOMIZABLE, Container, ParentRefs, Setter};
use crate::canonical::{bounded_key, canonical_text};
use crate::form::{FieldBody, FieldTarget, Form, Group};
use crate::record_kind::RecordKind;
use crate::submission::{GroupSlots, Slot};
use crate::value::Value;

/// Returns the aggregate of a valid submission, or `None` if a record lacks a parent that it requires,
/// which validation refuses.
pub(super) fn assemble(
    form: &Form,
    slots: GroupSlots<'_>,
    claims: Vec<NewClaim>,
    references: Vec<Reference>,
) -> Option<Aggregate> {
    let root = &form.root;
    let parents = root.kind.map(|kind| parent_refs(root, kind, &slots)).unwrap_or_default();
    let owner = parents.owner;
    let entity = match root.kind {
        Some(RecordKind::Transactable) => {
            NewEntity::Transactable { owner, transactable: transactable(root, slots) }
        }
        Some(RecordKind::RelationshipUser) => {
            let relationship_user = relationship_user(root, slots)?;
            NewEntity::RelationshipUser { owner, relationship_user }
        }
        Some(RecordKind::Customization) => NewEntity::Customization {
            owner,
            parent: customizable(&parents),
            customization: customization(root, slots),
        },
        Some(RecordKind::Relationship) => {
            let (id, type_name, key) = (slots.id(), root.type_name.clone(), key(root, &slots));
            let properties = own_properties(root, slots);
            let relationship = NewRelationship { id, type_name, key, properties };
            NewEntity::Relationship { creator: owner, relationship }
        }
        Some(RecordKind::RelationshipTransactable) => {
            NewEntity::RelationshipTransactable(NewRelationshipTransactable {
                id: slots.id(),
                type_name: root.type_name.clone(),
                relationship_id: parents.relationship?,
                transactable_id: parents.transactable?,
                properties: own_properties(root, slots),
            })
        }
        _ => NewEntity::User(user(form, slots)),
    };
    Some(Aggregate { entity, claims, references })
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
