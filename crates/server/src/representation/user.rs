//! JSON representation of a stored user.

use std::borrow::Cow;

use jiff::Timestamp;
use registrar_contracts::decode::json;
use registrar_core::value::Value;
use registrar_store::{
    StoredAddress, StoredAttached, StoredCustomization, StoredFile, StoredProfile,
    StoredRelationship, StoredRelationshipUser, StoredTransactable, StoredUser,
};

pub(super) type Entries = Vec<(Cow<'static, str>, Value<'static>)>;

/// Returns a user as JSON: built-in fields, `profiles.<type>`, and arrays in `relationship_users.<type>`,
/// `transactables.<type>` and `customizations.<type>`. The password is never included.
#[must_use]
pub fn user_to_value(user: StoredUser) -> Value<'static> {
    let StoredUser { columns, profiles, relationship_users, transactables, customizations } = user;
    let mut entries: Entries = vec![
        entry("id", id(columns.id)),
        entry("uuid", text(columns.uuid.to_string())),
        entry("email", optional(columns.email)),
        entry("external_id", optional(columns.external_id)),
        entry("first_name", optional(columns.first_name)),
        entry("middle_name", optional(columns.middle_name)),
        entry("last_name", optional(columns.last_name)),
        entry("name", optional(columns.name)),
        entry("featured", Value::Bool(columns.featured)),
        entry("public_profile", Value::Bool(columns.public_profile)),
        entry("language", optional(columns.language)),
        entry("time_zone", optional(columns.time_zone)),
        entry("phone", optional(columns.phone)),
        entry("mobile_number", optional(columns.mobile_number)),
        entry("properties", document(&columns.properties)),
    ];
    let profiles = profiles.into_iter().map(|profile| {
        (Cow::Owned(profile.type_name.clone()), Value::Object(profile_entries(profile)))
    });
    entries.push(entry("profiles", Value::Object(profiles.collect())));
    let relationship_users_entry = relationship_users.into_iter().map(relationship_user);
    entries.push(entry("relationship_users", by_type(relationship_users_entry)));
    entries.push(entry("transactables", by_type(transactables.into_iter().map(transactable))));
    entries.push(entry("customizations", by_type(customizations.into_iter().map(customization))));
    entries.push(entry("created_at", time(columns.created_at)));
    entries.push(entry("updated_at", time(columns.updated_at)));
    Value::Object(entries)
}

/// Returns a user in the shape of a submission, with the ids of its records. A relationship user refers to
/// its relationship by id only.
pub(crate) fn user_as_input(user: StoredUser) -> Value<'static> {
    let mut shown = user_to_value(user);
    let Value::Object(entries) = &mut shown else { return shown };
    let relationship_users_entry =
        entries.iter_mut().filter(|(name, _)| name == "relationship_users");
    let types = relationship_users_entry.filter_map(|(_, types)| match types {
        Value::Object(types) => Some(types),
        _ => None,
    });
    for (_, members) in types.flatten() {
        let Value::Array(members) = members else { continue };
        for member in members {
            if let Value::Object(entries) = member {
                entries.retain(|(name, _)| name != "relationship_name" && name != "relationship");
            }
        }
    }
    shown
}

fn profile_entries(profile: StoredProfile) -> Entries {
    let mut entries = vec![
        entry("id", id(profile.id)),
        entry("enabled", Value::Bool(profile.enabled)),
        entry("properties", document(&profile.properties)),
    ];
    attach(&mut entries, profile.attached);
    entries
}

pub(super) fn relationship_user(member: StoredRelationshipUser) -> (String, Entries) {
    let entries = vec![
        entry("id", id(member.id)),
        entry("relationship_id", id(member.relationship_id)),
        entry("relationship_name", text(member.relationship.type_name.clone())),
        entry("properties", document(&member.properties)),
        entry("relationship", Value::Object(relationship(member.relationship))),
    ];
    (member.type_name, entries)
}

/// Returns a relationship without its users.
pub(super) fn relationship(relationship: StoredRelationship) -> Entries {
    vec![
        entry("id", id(relationship.id)),
        entry("uuid", text(relationship.uuid.to_string())),
        entry("type_name", text(relationship.type_name)),
        entry("key", optional(relationship.key)),
        entry("properties", document(&relationship.properties)),
        entry("created_at", time(relationship.created_at)),
        entry("updated_at", time(relationship.updated_at)),
    ]
}

pub(super) fn transactable(listing: StoredTransactable) -> (String, Entries) {
    let mut entries = vec![
        entry("id", id(listing.id)),
        entry("name", optional(listing.name)),
        entry("description", optional(listing.description)),
        entry("currency", text(listing.currency)),
        entry("enabled", Value::Bool(listing.enabled)),
        entry("properties", document(&listing.properties)),
    ];
    attach(&mut entries, listing.attached);
    (listing.type_name, entries)
}

pub(super) fn customization(customization: StoredCustomization) -> (String, Entries) {
    let mut entries = vec![
        entry("id", id(customization.id)),
        entry("properties", document(&customization.properties)),
    ];
    attach(&mut entries, customization.attached);
    (customization.type_name, entries)
}

pub(super) fn attach(entries: &mut Entries, attached: StoredAttached) {
    let StoredAttached { addresses, files, customizations } = attached;
    let addresses = addresses.into_iter().map(address).collect();
    let (images, attachments): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| file.is_image);
    let named = |files: Vec<StoredFile>| Value::Object(files.into_iter().map(file).collect());
    entries.push(entry("custom_addresses", Value::Object(addresses)));
    entries.push(entry("custom_images", named(images)));
    entries.push(entry("custom_attachments", named(attachments)));
    entries.push(entry("customizations", by_type(customizations.into_iter().map(customization))));
}

fn address(address: StoredAddress) -> (Cow<'static, str>, Value<'static>) {
    let degrees = |degrees: Option<String>| {
        degrees.map_or(Value::Null, |degrees| Value::Number(Cow::Owned(degrees)))
    };
    let entries = vec![
        entry("id", id(address.id)),
        entry("address", optional(address.address)),
        entry("street", optional(address.street)),
        entry("street_number", optional(address.street_number)),
        entry("suburb", optional(address.suburb)),
        entry("city", optional(address.city)),
        entry("state", optional(address.state)),
        entry("postcode", optional(address.postcode)),
        entry("country", optional(address.country)),
        entry("iso_country_code", optional(address.iso_country_code)),
        entry("latitude", degrees(address.latitude)),
        entry("longitude", degrees(address.longitude)),
    ];
    (Cow::Owned(address.name), Value::Object(entries))
}

fn file(file: StoredFile) -> (Cow<'static, str>, Value<'static>) {
    let entries = vec![
        entry("id", id(file.id)),
        entry("direct_url", optional(file.direct_url)),
        entry("file_name", optional(file.file_name)),
        entry("content_type", optional(file.content_type)),
        entry("caption", optional(file.caption)),
    ];
    (Cow::Owned(file.name), Value::Object(entries))
}

/// Groups records by type, in order of first occurrence.
fn by_type(records: impl Iterator<Item = (String, Entries)>) -> Value<'static> {
    let mut types: Entries = Vec::new();
    for (type_name, entries) in records {
        let record = Value::Object(entries);
        match types.iter_mut().find(|(name, _)| *name == type_name) {
            Some((_, Value::Array(records))) => records.push(record),
            _ => types.push((Cow::Owned(type_name), Value::Array(vec![record]))),
        }
    }
    Value::Object(types)
}

/// Returns a stored JSON document, or null if it is invalid.
pub(super) fn document(stored: &str) -> Value<'static> {
    json::parse(stored.as_bytes()).map_or(Value::Null, Value::into_owned)
}

/// Returns a time as RFC 3339 with microseconds, in UTC.
pub(super) fn time(microseconds: i64) -> Value<'static> {
    Timestamp::from_microsecond(microseconds)
        .map_or(Value::Null, |moment| text(format!("{moment:.6}")))
}

pub(super) fn entry(
    name: &'static str,
    value: Value<'static>,
) -> (Cow<'static, str>, Value<'static>) {
    (Cow::Borrowed(name), value)
}

pub(super) fn id(id: i64) -> Value<'static> {
    Value::Number(Cow::Owned(id.to_string()))
}

pub(super) fn text(text: String) -> Value<'static> {
    Value::String(Cow::Owned(text))
}

pub(super) fn optional(value: Option<String>) -> Value<'static> {
    value.map_or(Value::Null, text)
}
