//! Classifies the keys of a record in a form.

use crate::built_ins::{BuiltIn, Container};
use crate::config::{Data, Entry, Reader};
use crate::fields::FieldType;
use crate::form::RESERVED;
use crate::record_kind::RecordKind;
use crate::types::PropertyType;

/// Kind of a key of a record.
pub(super) enum KeyKind {
    BuiltIn(&'static BuiltIn),
    Container(Container),
    Property {
        field_type: FieldType,
        unique: bool,
    },
    /// A property that the form itself declares.
    OwnProperty,
    /// Validated, not stored.
    Virtual,
    /// Known from platformOS; neither validated nor stored.
    Ignored,
}

/// Returns the type of the properties that hold records of this kind.
pub(super) fn property_type_of(kind: RecordKind) -> PropertyType {
    match kind {
        RecordKind::Image => PropertyType::Image,
        RecordKind::Attachment => PropertyType::Attachment,
        _ => PropertyType::Address,
    }
}

/// Fields of users in platformOS that Registrar does not store.
/// Source: documentation.platformos.com of 2018, "UserForm".
const UNSUPPORTED_PLATFORMOS_FIELDS: [&str; 7] = [
    "accept_emails",
    "click_to_call",
    "company_name",
    "country_name",
    "current_address",
    "relationship_ids",
    "sms_notifications_enabled",
];

/// Returns the kind of a key of a record, or `None` if it names no field.
pub(super) fn key_kind(
    reader: &mut Reader<'_>,
    (kind, is_root): (RecordKind, bool),
    entries: &[Entry],
    entry: &Entry,
) -> Option<KeyKind> {
    let key = entry.key.as_str();
    if let Some(container) = kind.containers().iter().find(|known| known.name() == key) {
        return Some(KeyKind::Container(*container));
    }
    let parent_fields = kind.parent_fields().iter().filter(|_| is_root);
    if let Some(built_in) =
        kind.built_ins().iter().chain(parent_fields).find(|known| known.name == key)
    {
        return Some(KeyKind::BuiltIn(built_in));
    }
    let confirms = key
        .strip_suffix("_confirmation")
        .is_some_and(|name| entries.iter().any(|other| other.key == name));
    let is_virtual = entry
        .value
        .get("property_options")
        .and_then(|options| options.value.get("virtual"))
        .is_some_and(|entry| matches!(entry.value.data, Data::Bool(true)));
    if confirms || is_virtual {
        return Some(KeyKind::Virtual);
    }
    if kind != RecordKind::User || !UNSUPPORTED_PLATFORMOS_FIELDS.contains(&key) {
        return None;
    }
    let (plan, what) = if key == "current_address" {
        (KeyKind::Ignored, "ignored: addresses belong to profiles and transactables")
    } else {
        (KeyKind::Virtual, "validated, not stored: users have no such field")
    };
    reader.problems.add_notice(entry.location, format!("`{key}` of platformOS is {what}"));
    Some(plan)
}

/// Returns whether a key configures the record itself instead of naming a field.
pub(super) fn is_reserved(reader: &mut Reader<'_>, entry: &Entry) -> bool {
    match entry.key.as_str() {
        "description" => {
            reader.text(&entry.value, "description");
        }
        "schema" | "use" => super::field::report_not_served(reader, entry),
        "property_options" => {
            let known = ["validation", "if", "unless", "description"];
            reader.unknown_key(entry, "a nested form", &known);
        }
        _ => {}
    }
    RESERVED.contains(&entry.key.as_str())
}
