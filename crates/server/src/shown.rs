//! A stored user in the shape of the form that made it.

use std::borrow::Cow;

use jiff::Timestamp;
use registrar_core::decode::json;
use registrar_core::value::Value;
use registrar_store::{
    StoredAddress, StoredAttached, StoredCustomization, StoredFile, StoredProfile,
    StoredRelationship, StoredRelationshipUser, StoredTransactable, StoredUser,
};

pub(crate) type Entries = Vec<(Cow<'static, str>, Value<'static>)>;

/// The user as JSON: built-in fields, `profiles.<type>`, and lists in `relationship_users.<type>`,
/// `transactables.<type>` and `customizations.<type>`. Never the password.
#[must_use]
pub fn stored_user(user: StoredUser) -> Value<'static> {
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
    let memberships = relationship_users.into_iter().map(membership);
    entries.push(entry("relationship_users", by_type(memberships)));
    entries.push(entry("transactables", by_type(transactables.into_iter().map(transactable))));
    entries.push(entry("customizations", by_type(customizations.into_iter().map(customization))));
    entries.push(entry("created_at", time(columns.created_at)));
    entries.push(entry("updated_at", time(columns.updated_at)));
    Value::Object(entries)
}

/// The user in the shape of a submission, with the ids of its records: a membership names its
/// relationship once, by its id.
#[must_use]
pub(crate) fn as_submitted(user: StoredUser) -> Value<'static> {
    let mut shown = stored_user(user);
    let Value::Object(entries) = &mut shown else { return shown };
    let memberships = entries.iter_mut().filter(|(name, _)| name == "relationship_users");
    let types = memberships.filter_map(|(_, types)| match types {
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

pub(crate) fn membership(member: StoredRelationshipUser) -> (String, Entries) {
    let entries = vec![
        entry("id", id(member.id)),
        entry("relationship_id", id(member.relationship_id)),
        entry("relationship_name", text(member.relationship.type_name.clone())),
        entry("properties", document(&member.properties)),
        entry("relationship", Value::Object(relationship(member.relationship))),
    ];
    (member.type_name, entries)
}

/// A relationship, without its members.
pub(crate) fn relationship(relationship: StoredRelationship) -> Entries {
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

pub(crate) fn transactable(listing: StoredTransactable) -> (String, Entries) {
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

pub(crate) fn customization(customization: StoredCustomization) -> (String, Entries) {
    let mut entries = vec![
        entry("id", id(customization.id)),
        entry("properties", document(&customization.properties)),
    ];
    attach(&mut entries, customization.attached);
    (customization.type_name, entries)
}

pub(crate) fn attach(entries: &mut Entries, attached: StoredAttached) {
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

/// Lists by type, the types in order of first mention.
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

/// A stored JSON document. One that the database holds but cannot be read is shown as null.
pub(crate) fn document(stored: &str) -> Value<'static> {
    json::parse(stored.as_bytes()).map_or(Value::Null, Value::into_owned)
}

/// RFC 3339 with microseconds, UTC.
pub(crate) fn time(microseconds: i64) -> Value<'static> {
    Timestamp::from_microsecond(microseconds)
        .map_or(Value::Null, |moment| text(format!("{moment:.6}")))
}

pub(crate) fn entry(
    name: &'static str,
    value: Value<'static>,
) -> (Cow<'static, str>, Value<'static>) {
    (Cow::Borrowed(name), value)
}

pub(crate) fn id(id: i64) -> Value<'static> {
    Value::Number(Cow::Owned(id.to_string()))
}

pub(crate) fn text(text: String) -> Value<'static> {
    Value::String(Cow::Owned(text))
}

pub(crate) fn optional(value: Option<String>) -> Value<'static> {
    value.map_or(Value::Null, text)
}
