//! Which claims of a user are of which of its records.
//!
//! The database knows whose a claim is, not of which value. Here the values say it: by where they
//! stand in every form, and by what they are. A claim that two records may hold stays until both are
//! gone.

use std::borrow::Cow;

use diesel::QueryResult;
use registrar_core::aggregate::Claim;
use registrar_core::decode::json;
use registrar_core::value::Value;

use super::{RecordKind, StoredRelationshipTransactable, listed_of};
use crate::connection::AnyConnection;
use crate::read::load_user;
use crate::stored::{
    StoredAddress, StoredAttached, StoredCustomization, StoredFile, StoredRelationshipUser,
    StoredTransactable, StoredUser,
};

/// A record by its kind and id.
pub(super) type Name = (RecordKind, i64);

/// The objects of all records of a user.
#[derive(Default)]
pub(super) struct Holdings {
    objects: Vec<Object>,
    /// The records around what is being added.
    way: Vec<Name>,
}

/// An object, and the records that it is in.
struct Object {
    way: Vec<Name>,
    /// Where it stands in every form.
    path: String,
    values: Value<'static>,
    /// Its `properties`.
    properties: Value<'static>,
}

type Entries = Vec<(Cow<'static, str>, Value<'static>)>;

impl Holdings {
    /// Those of a user; nothing where there is none.
    pub(super) fn load(conn: &mut AnyConnection, user_id: i64) -> QueryResult<Option<Self>> {
        let Some(user) = load_user(conn, user_id)? else { return Ok(None) };
        let listings: Vec<i64> = user.transactables.iter().map(|listing| listing.id).collect();
        let listed = if listings.is_empty() { Vec::new() } else { listed_of(conn, &listings)? };
        let mut holdings = Self::default();
        holdings.add_user(user, listed);
        Ok(Some(holdings))
    }

    /// Whether the user has the record.
    pub(super) fn has(&self, record: Name) -> bool {
        self.objects.iter().any(|object| object.way.contains(&record))
    }

    /// Whether one of the records that are chosen may hold a claim; `is_chosen` is asked with the
    /// records around an object, from the outside.
    pub(super) fn may_hold(&self, claim: &Claim, is_chosen: impl Fn(&[Name]) -> bool) -> bool {
        let mut chosen = self.objects.iter().filter(|object| is_chosen(&object.way));
        chosen.any(|Object { path, values, properties, .. }| {
            claim.may_be_of(path, values, None)
                || claim.may_be_of(&format!("{path}.properties"), properties, Some(values))
        })
    }

    /// The customizations in a record, itself included.
    pub(super) fn customizations_in(&self, record: Name) -> Vec<i64> {
        let ids = self.objects.iter().filter(|object| object.way.contains(&record));
        let mut ids: Vec<i64> = ids
            .filter_map(|object| match object.way.last() {
                Some((RecordKind::Customization, id)) => Some(*id),
                _ => None,
            })
            .collect();
        ids.dedup();
        ids
    }

    fn add(&mut self, path: String, values: Entries, properties: &str) {
        let properties = json::parse(properties.as_bytes());
        let properties = properties.map_or(Value::Null, Value::into_owned);
        let way = self.way.clone();
        self.objects.push(Object { way, path, values: Value::Object(values), properties });
    }

    fn add_user(&mut self, user: StoredUser, listed: Vec<StoredRelationshipTransactable>) {
        let user_id = user.columns.id;
        for profile in user.profiles {
            self.add_attached(&format!("profiles.{}", profile.type_name), profile.attached);
        }
        for member in user.relationship_users {
            self.add_member(member, user_id);
        }
        for listing in user.transactables {
            self.add_listing(listing, user_id);
        }
        for record in listed {
            let values = vec![
                entry("relationship_id", number(record.relationship_id)),
                entry("transactable_id", number(record.transactable_id)),
            ];
            // It goes with its relationship, and with its listing.
            self.way = vec![
                (RecordKind::Relationship, record.relationship_id),
                (RecordKind::Transactable, record.transactable_id),
                (RecordKind::RelationshipTransactable, record.id),
            ];
            let path = format!("relationship_transactables.{}", record.type_name);
            self.add(path, values, &record.properties);
            self.way.clear();
        }
        for customization in user.customizations {
            self.add_customization(customization);
        }
    }

    fn add_member(&mut self, member: StoredRelationshipUser, user_id: i64) {
        let values = vec![
            entry("user_id", number(user_id)),
            entry("relationship_id", number(member.relationship_id)),
            entry("relationship_name", text(Some(member.relationship_type_name))),
            entry("relationship_key", text(member.relationship.key)),
        ];
        // Its relationship is around it: with that it goes.
        self.way = vec![
            (RecordKind::Relationship, member.relationship_id),
            (RecordKind::RelationshipUser, member.id),
        ];
        self.add(format!("relationship_users.{}", member.type_name), values, &member.properties);
        self.way.clear();
    }

    fn add_listing(&mut self, listing: StoredTransactable, user_id: i64) {
        let values = vec![
            entry("creator_id", number(user_id)),
            entry("name", text(listing.name)),
            entry("description", text(listing.description)),
            entry("currency", text(Some(listing.currency))),
            entry("enabled", Value::Bool(listing.enabled)),
        ];
        let path = format!("transactables.{}", listing.type_name);
        self.way.push((RecordKind::Transactable, listing.id));
        self.add(path.clone(), values, &listing.properties);
        self.add_attached(&path, listing.attached);
        self.way.pop();
    }

    fn add_attached(&mut self, path: &str, attached: StoredAttached) {
        let StoredAttached { addresses, files, customizations } = attached;
        for address in addresses {
            let path = format!("{path}.custom_addresses.{}", address.name);
            self.add(path, of_address(address), "{}");
        }
        for file in files {
            let kind = if file.is_image { "custom_images" } else { "custom_attachments" };
            self.add(format!("{path}.{kind}.{}", file.name), of_file(file), "{}");
        }
        for customization in customizations {
            self.add_customization(customization);
        }
    }

    fn add_customization(&mut self, customization: StoredCustomization) {
        let path = format!("customizations.{}", customization.type_name);
        let name = text(Some(customization.type_name));
        self.way.push((RecordKind::Customization, customization.id));
        let values = vec![entry("custom_model_type_name", name)];
        self.add(path.clone(), values, &customization.properties);
        self.add_attached(&path, customization.attached);
        self.way.pop();
    }
}

fn of_address(address: StoredAddress) -> Entries {
    let degrees = |text: Option<String>| text.map_or(Value::Null, |it| Value::Number(it.into()));
    vec![
        entry("address", text(address.address)),
        entry("street", text(address.street)),
        entry("street_number", text(address.street_number)),
        entry("suburb", text(address.suburb)),
        entry("city", text(address.city)),
        entry("state", text(address.state)),
        entry("postcode", text(address.postcode)),
        entry("country", text(address.country)),
        entry("iso_country_code", text(address.iso_country_code)),
        entry("latitude", degrees(address.latitude)),
        entry("longitude", degrees(address.longitude)),
    ]
}

fn of_file(file: StoredFile) -> Entries {
    vec![
        entry("direct_url", text(file.direct_url)),
        entry("file_name", text(file.file_name)),
        entry("content_type", text(file.content_type)),
        entry("caption", text(file.caption)),
    ]
}

fn entry(name: &'static str, value: Value<'static>) -> (Cow<'static, str>, Value<'static>) {
    (Cow::Borrowed(name), value)
}

fn number(number: i64) -> Value<'static> {
    Value::Number(number.to_string().into())
}

fn text(text: Option<String>) -> Value<'static> {
    text.map_or(Value::Null, |text| Value::String(text.into()))
}
