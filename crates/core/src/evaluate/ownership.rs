//! Validates parent references: the relationship of a relationship user, the parent of a
//! customization.

use crate::aggregate::{Reference, ReferenceKey};
use crate::built_ins::CUSTOMIZABLE;
use crate::canonical::canonical_text;
use crate::form::Group;
use crate::messages::{Message, Params};
use crate::record_kind::RecordKind;
use crate::rules::{PRESENT, REQUIRED};
use crate::submission::Path;
use crate::submission::{Findings, PendingViolation};
use crate::submission::{GroupSlots, Slot};
use crate::value::Value;
use crate::violation::Violation;

pub(super) static IMMUTABLE: Message = Message::new("immutable", "cannot be changed");

/// Validates the parent references of the form's record.
pub(super) fn validate_parents(root: &Group, slots: &GroupSlots<'_>, findings: &mut Findings) {
    let path = &Path::ROOT;
    match root.kind {
        Some(RecordKind::RelationshipUser) if !slots.sent => {
            relationship(root, slots, path, findings)
        }
        Some(RecordKind::RelationshipTransactable) => {
            for name in ["relationship_id", "transactable_id"] {
                if !is_given(root, slots, name) {
                    add_once(name, &REQUIRED, path, findings);
                }
            }
        }
        Some(RecordKind::Customization) => customizable(root, slots, path, findings),
        _ => {}
    }
    if let (Some(stored), Some(kind)) = (slots.stored, root.kind) {
        for built_in in kind.parent_fields().iter().filter(|field| !is_movable(kind, field.name)) {
            let sent = slot(root, slots, built_in.name).map_or(&Value::Null, Slot::value);
            let is_same =
                stored.get(built_in.name).is_some_and(|value| plain(value) == plain(sent));
            if !sent.is_blank() && !is_same {
                add_once(built_in.name, &IMMUTABLE, path, findings);
            }
        }
    }
}

/// Returns whether an update may change this parent field: a transactable can be moved to another
/// relationship.
fn is_movable(kind: RecordKind, name: &str) -> bool {
    kind == RecordKind::RelationshipTransactable && name == "relationship_id"
}

/// Returns a parent field's value for comparison: platformOS' `UserProfile` is the same as
/// `Profile`.
fn plain<'v>(value: &'v Value<'_>) -> Option<&'v str> {
    match value {
        Value::String(text) | Value::Number(text) if &**text == "UserProfile" => Some("Profile"),
        Value::String(text) | Value::Number(text) => Some(text),
        _ => None,
    }
}

/// Validates that a relationship user has exactly one relationship.
pub(super) fn relationship(
    group: &Group,
    slots: &GroupSlots<'_>,
    path: &Path<'_>,
    findings: &mut Findings,
) {
    let listed = |name: &&&str| group.index_of(name).is_some();
    let ways = ["relationship_id", "relationship_key", "relationship_name"];
    let mut given = ways.iter().filter(|name| is_slot_given(group, slots, name));
    let first = given.next();
    if let Some(second) = given.next() {
        add_once(second, &PRESENT, path, findings);
    } else if first.is_none() && !is_given(group, slots, "relationship_id") {
        let name = ways.iter().find(listed).unwrap_or(&"relationship_id");
        add_once(name, &REQUIRED, path, findings);
    }
    let Some(keyed) = group.keyed.as_ref().filter(|keyed| !keyed.makes) else { return };
    if let Some(text) = slot(group, slots, "relationship_key").and_then(|it| it.value().as_str())
        && !text.trim().is_empty()
    {
        let (type_name, key) = (keyed.type_name.clone(), canonical_text(text, true));
        let value = ReferenceKey::Key { type_name, key };
        let pending =
            PendingViolation::of(path.field("relationship_key"), &REQUIRED, Params::new());
        findings.add_reference(Reference { resource: RecordKind::Relationship, value }, pending);
    }
}

/// Validates the parent of a customization and adds a reference to it. Without one, the parent is
/// the user.
fn customizable(group: &Group, slots: &GroupSlots<'_>, path: &Path<'_>, findings: &mut Findings) {
    let word = slot(group, slots, "customizable_type").and_then(|it| it.value().as_str());
    let word = word.filter(|word| !word.trim().is_empty());
    let kind = CUSTOMIZABLE.iter().find(|(name, _)| Some(*name) == word).map(|(_, kind)| *kind);
    let id = slot(group, slots, "customizable_id").and_then(|it| id_in(it.value()));
    match (id, kind) {
        (Some(id), Some(resource)) => {
            let pending =
                PendingViolation::of(path.field("customizable_id"), &REQUIRED, Params::new());
            findings.add_reference(Reference { resource, value: ReferenceKey::Id(id) }, pending);
        }
        (Some(_), None) if word.is_none() && group.index_of("customizable_type").is_some() => {
            add_once("customizable_type", &REQUIRED, path, findings);
        }
        (None, Some(kind)) if kind != RecordKind::User => {
            add_once("customizable_id", &REQUIRED, path, findings);
        }
        _ => {}
    }
}

/// Returns the violation of a record without an owner.
pub(super) fn missing_owner(root: &Group) -> Violation {
    let name = root.kind.and_then(RecordKind::owner_field).unwrap_or("user_id");
    PendingViolation::of(Path::ROOT.field(name), &REQUIRED, Params::new()).into_violation()
}

/// Returns an id, or `None` if the value is not an integer.
pub(super) fn id_in(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Number(text) => text.parse().ok(),
        _ => None,
    }
}

fn slot<'s, 'v>(group: &Group, slots: &'s GroupSlots<'v>, name: &str) -> Option<&'s Slot<'v>> {
    group.index_of(name).and_then(|index| slots.slots.get(index))
}

fn is_slot_given(group: &Group, slots: &GroupSlots<'_>, name: &str) -> bool {
    slot(group, slots, name).is_some_and(|slot| !slot.value().is_blank())
}

/// Returns whether a field has a value: submitted, or stored if the form does not list the field.
fn is_given(group: &Group, slots: &GroupSlots<'_>, name: &str) -> bool {
    match slot(group, slots, name) {
        Some(slot) if !slot.keeps_stored() => !slot.value().is_blank(),
        _ => slots.stored.and_then(|it| it.get(name)).is_some_and(|value| !value.is_blank()),
    }
}

/// Adds a violation to a field, unless the field has one already.
fn add_once(name: &str, message: &'static Message, path: &Path<'_>, findings: &mut Findings) {
    let path = path.field(name);
    if !findings.violations.list.iter().any(|violation| violation.path == path.dotted()) {
        findings.add_violation(PendingViolation::of(path, message, Params::new()));
    }
}
