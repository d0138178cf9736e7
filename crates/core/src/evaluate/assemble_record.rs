//! The aggregate as a whole: a user, or a bag with the one record that the form is for.

use super::assemble::{customization, fill, properties, relationship_user, stored_properties};
use super::assemble::{transactable, user};
use super::slot::{GroupSlots, Slot};
use crate::aggregate::{
    Claim, Customizable, NewRelationship, NewRelationshipTransactable, NewUser, Reference,
};
use crate::canonical::{bounded_key, canonical_text};
use crate::form::{FieldBody, FieldTarget, Form, Group};
use crate::record_kind::{CUSTOMIZABLE, Container, Kind, ParentRefs, Setter};
use crate::value::Value;

/// Builds it.
pub(super) fn assemble(
    form: &Form,
    slots: GroupSlots<'_>,
    claims: Vec<Claim>,
    references: Vec<Reference>,
) -> NewUser {
    let root = &form.root;
    let mut bag = match root.kind {
        None | Some(Kind::User | Kind::Session) => user(form, slots),
        Some(kind) => record(root, kind, slots),
    };
    (bag.claims, bag.references) = (claims, references);
    bag
}

fn record(root: &Group, kind: Kind, slots: GroupSlots<'_>) -> NewUser {
    let belonging = parent_refs(root, kind, &slots);
    let mut bag = NewUser { owner: belonging.owner, ..NewUser::default() };
    match kind {
        Kind::Transactable => bag.transactables.push(transactable(root, slots)),
        Kind::RelationshipUser => bag.relationship_users.extend(relationship_user(root, slots)),
        Kind::Customization => {
            bag.customizable = customizable(&belonging);
            bag.customizations.push(customization(root, slots));
        }
        Kind::Relationship => {
            let (id, type_name, key) = (slots.id(), root.type_name.clone(), key(root, &slots));
            let properties = own_properties(root, slots);
            bag.relationships.push(NewRelationship { id, type_name, key, properties });
        }
        Kind::RelationshipTransactable => {
            // Both are there: judging refuses one without.
            let ids = belonging.relationship.zip(belonging.transactable);
            bag.relationship_transactables.extend(ids.map(|(relationship_id, transactable_id)| {
                NewRelationshipTransactable {
                    id: slots.id(),
                    type_name: root.type_name.clone(),
                    relationship_id,
                    transactable_id,
                    properties: own_properties(root, slots),
                }
            }));
        }
        _ => {}
    }
    bag
}

/// Where it belongs: as sent, otherwise as stored.
fn parent_refs(root: &Group, kind: Kind, slots: &GroupSlots<'_>) -> ParentRefs {
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
    let mut own = stored_properties(slots.stored);
    fill(root, slots, |_, _| {}, |_, field, inner| own = properties(field, inner));
    own
}

/// What names a relationship, as it shall be.
fn key(root: &Group, slots: &GroupSlots<'_>) -> Option<Claim> {
    let property = root.key.as_deref()?;
    let own = root.fields.iter().zip(&slots.slots).find_map(|(field, slot)| {
        let is_own = matches!(field.target, FieldTarget::Container(Container::Properties));
        match (&field.body, slot) {
            (FieldBody::Container(group), Slot::Group(inner)) if is_own => Some((group, inner)),
            _ => None,
        }
    });
    let slot = own.and_then(|(group, inner)| inner.slots.get(group.index_of(property)?));
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
