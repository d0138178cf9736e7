//! JSON representation of a stored record.

use registrar_core::value::Value;
use registrar_store::{RecordBody, StoredRecord};

use super::user::{
    Entries, customization, document, entry, id, relationship, relationship_user, text,
    transactable,
};

/// Returns a record as JSON, as it is nested in a user, with its `type_name` and parent: `creator_id`,
/// `user_id`, `relationship_id`, `transactable_id`, or `customizable_type` and `customizable_id`.
#[must_use]
pub fn record_to_value(record: StoredRecord) -> Value<'static> {
    Value::Object(entries(record))
}

/// Returns a record in the shape of a submission to its form, with the ids of nested records. A
/// relationship user refers to its relationship by id only.
#[must_use]
pub fn record_as_input(record: StoredRecord) -> Value<'static> {
    let mut entries = entries(record);
    entries.retain(|(name, _)| name != "relationship_name" && name != "relationship");
    Value::Object(entries)
}

fn entries(record: StoredRecord) -> Entries {
    let owner = record.user_id.map_or(Value::Null, id);
    match record.body {
        RecordBody::Transactable(stored) => typed(transactable(stored), "creator_id", owner),
        RecordBody::RelationshipUser(stored) => typed(relationship_user(stored), "user_id", owner),
        RecordBody::Relationship(stored) => {
            let mut entries = relationship(stored);
            entries.insert(4, entry("creator_id", owner));
            entries
        }
        RecordBody::RelationshipTransactable(listed) => vec![
            entry("id", id(listed.id)),
            entry("type_name", text(listed.type_name)),
            entry("user_id", owner),
            entry("relationship_id", id(listed.relationship_id)),
            entry("transactable_id", id(listed.transactable_id)),
            entry("properties", document(&listed.properties)),
        ],
        RecordBody::Customization { customization: stored, owner_kind, owner_id } => {
            let mut entries = typed(customization(stored), "user_id", owner);
            let word = match &*owner_kind {
                "profile" => "Profile",
                "transactable" => "Transactable",
                "customization" => "Customization",
                _ => "User",
            };
            entries.insert(3, entry("customizable_type", text(word.to_owned())));
            entries.insert(4, entry("customizable_id", id(owner_id)));
            entries
        }
    }
}

/// Inserts the type and the owner after the id.
fn typed(
    (type_name, mut entries): (String, Entries),
    name: &'static str,
    owner: Value<'static>,
) -> Entries {
    entries.insert(1, entry("type_name", text(type_name)));
    entries.insert(2, entry(name, owner));
    entries
}

#[cfg(test)]
mod tests {
    use registrar_store::{
        StoredAttached, StoredCustomization, StoredRelationship, StoredRelationshipTransactable,
        StoredRelationshipUser, StoredTransactable,
    };

    use super::*;

    fn representations(body: RecordBody, user_id: Option<i64>) -> [String; 2] {
        let record = StoredRecord { body, user_id, lock_version: 0 };
        [record_to_value(record.clone()), record_as_input(record)]
            .map(|value| serde_json::to_string(&value).unwrap())
    }

    fn company() -> StoredRelationship {
        StoredRelationship {
            id: 4,
            uuid: "00000000-0000-4000-8000-000000000001".parse().unwrap(),
            type_name: "company".to_owned(),
            key: Some("ACME".to_owned()),
            creator_id: None,
            properties: r#"{"name":"ACME"}"#.to_owned(),
            created_at: 0,
            updated_at: 1,
        }
    }

    const COMPANY: &str = r#""properties":{"name":"ACME"},"created_at":"1970-01-01T00:00:00.000000Z","updated_at":"1970-01-01T00:00:00.000001Z"}"#;

    #[test]
    fn every_record_kind_includes_its_parent() {
        let properties = "{}".to_owned();
        let attached = StoredAttached::default();
        let attachments = r#""custom_addresses":{},"custom_images":{},"custom_attachments":{},"customizations":{}"#;
        let listing = StoredTransactable {
            id: 1,
            type_name: "boat".to_owned(),
            name: None,
            description: None,
            currency: "EUR".to_owned(),
            enabled: true,
            properties: properties.clone(),
            attached: attached.clone(),
        };
        let expected = format!(
            r#"{{"id":1,"type_name":"boat","creator_id":7,"name":null,"description":null,"currency":"EUR","enabled":true,"properties":{{}},{attachments}}}"#
        );
        let actual = representations(RecordBody::Transactable(listing), Some(7));
        assert_eq!(actual, [expected.clone(), expected]);

        let head = r#"{"id":4,"uuid":"00000000-0000-4000-8000-000000000001","type_name":"company","key":"ACME","#;
        let expected = format!(r#"{head}"creator_id":null,{COMPANY}"#);
        assert_eq!(representations(RecordBody::Relationship(company()), None)[0], expected);

        let member = StoredRelationshipUser {
            id: 2,
            type_name: "employee".to_owned(),
            relationship_id: 4,
            relationship: company(),
            properties: properties.clone(),
        };
        let member_head = r#"{"id":2,"type_name":"employee","user_id":7,"relationship_id":4,"#;
        let expected = [
            format!(
                r#"{member_head}"relationship_name":"company","properties":{{}},"relationship":{head}{COMPANY}}}"#
            ),
            format!(r#"{member_head}"properties":{{}}}}"#),
        ];
        assert_eq!(representations(RecordBody::RelationshipUser(member), Some(7)), expected);

        let listed = StoredRelationshipTransactable {
            id: 3,
            type_name: "offer".to_owned(),
            relationship_id: 4,
            transactable_id: 1,
            properties: properties.clone(),
        };
        let expected = r#"{"id":3,"type_name":"offer","user_id":7,"relationship_id":4,"transactable_id":1,"properties":{}}"#;
        assert_eq!(
            representations(RecordBody::RelationshipTransactable(listed), Some(7))[1],
            expected
        );

        let customization =
            StoredCustomization { id: 5, type_name: "link".to_owned(), properties, attached };
        let body = RecordBody::Customization {
            customization,
            owner_kind: "profile".to_owned(),
            owner_id: 6,
        };
        let expected = format!(
            r#"{{"id":5,"type_name":"link","user_id":7,"customizable_type":"Profile","customizable_id":6,"properties":{{}},{attachments}}}"#
        );
        assert_eq!(representations(body, Some(7))[1], expected);
    }
}
