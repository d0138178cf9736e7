//! What the keys of a record in a form are.

use super::RESERVED;
use crate::config::{Data, Entry, Reader};
use crate::fields::FieldType;
use crate::record_kind::{BuiltIn, Container, Kind};
use crate::types::PropertyType;

/// What a key of a record is.
pub(super) enum KeyKind {
    BuiltIn(&'static BuiltIn),
    Container(Container),
    Property {
        field_type: FieldType,
        unique: bool,
    },
    /// A property that the form itself declares.
    OwnProperty,
    /// Judged, not stored.
    Virtual,
    /// Of platformOS, and neither judged nor stored.
    Ignored,
}

/// The type of the properties that hold such records.
pub(super) fn property_type_of(kind: Kind) -> PropertyType {
    match kind {
        Kind::Image => PropertyType::Image,
        Kind::Attachment => PropertyType::Attachment,
        _ => PropertyType::Address,
    }
}

/// Fields of platformOS' users that ours have not.
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

/// What a key of a record is; nothing where it names no field.
pub(super) fn key_kind(
    reader: &mut Reader<'_>,
    (kind, is_root): (Kind, bool),
    entries: &[Entry],
    entry: &Entry,
) -> Option<KeyKind> {
    let key = entry.key.as_str();
    if let Some(container) = kind.containers().iter().find(|known| known.name() == key) {
        return Some(KeyKind::Container(*container));
    }
    let own = kind.parent_fields().iter().filter(|_| is_root);
    if let Some(built_in) = kind.built_ins().iter().chain(own).find(|known| known.name == key) {
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
    if kind != Kind::User || !UNSUPPORTED_PLATFORMOS_FIELDS.contains(&key) {
        return None;
    }
    let (plan, what) = if key == "current_address" {
        (KeyKind::Ignored, "left aside: addresses are kept by profiles and listings")
    } else {
        (KeyKind::Virtual, "judged, not stored: users have no such field")
    };
    reader.problems.add_notice(entry.place, format!("`{key}` of platformOS is {what}"));
    Some(plan)
}

/// Whether a key says something of the record it stands in, instead of naming a field.
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
