//! Records as they are read back.

use diesel::{Queryable, Selectable};
use uuid::Uuid;

use super::RecordKind;
use crate::schema::relationships;
use crate::stored::{StoredCustomization, StoredRelationshipUser, StoredTransactable};

/// A record with everything nested in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// The record.
    pub body: RecordBody,
    /// The user it belongs to; of a relationship who founded it, where that is known.
    pub user_id: Option<i64>,
    /// What [`crate::UpdateRecord::lock_version`] asks for: when its user, or the relationship, was
    /// last changed.
    pub lock_version: i64,
}

/// The record itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordBody {
    /// A listing.
    Transactable(StoredTransactable),
    /// A relationship.
    Relationship(StoredRelationship),
    /// A membership.
    RelationshipUser(StoredRelationshipUser),
    /// A listing in a relationship.
    RelationshipTransactable(StoredRelationshipTransactable),
    /// A customization.
    Customization {
        /// The customization.
        customization: StoredCustomization,
        /// What it hangs on: `user`, `profile`, `transactable` or `customization`.
        owner_kind: String,
        /// The id of that.
        owner_id: i64,
    },
}

/// A relationship.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = relationships)]
pub struct StoredRelationship {
    /// The id, from 1 on.
    pub id: i64,
    /// UUID, version 7; random where it was made before relationships had one.
    pub uuid: Uuid,
    /// Name of the relationship type.
    pub type_name: String,
    /// What names it id_in those of its type.
    pub key: Option<String>,
    /// Who founded it.
    pub creator_id: Option<i64>,
    /// Typed properties, a JSON object.
    pub properties: String,
    /// When it was stored.
    pub created_at: i64,
    /// When it was last changed.
    pub updated_at: i64,
}

/// A listing in a relationship.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRelationshipTransactable {
    /// The id, from 1 on.
    pub id: i64,
    /// Name of the relationship transactable type.
    pub type_name: String,
    /// The relationship.
    pub relationship_id: i64,
    /// The listing.
    pub transactable_id: i64,
    /// Typed properties, a JSON object.
    pub properties: String,
}

impl StoredRecord {
    /// What it is.
    #[must_use]
    pub fn kind(&self) -> RecordKind {
        match self.body {
            RecordBody::Transactable(_) => RecordKind::Transactable,
            RecordBody::Relationship(_) => RecordKind::Relationship,
            RecordBody::RelationshipUser(_) => RecordKind::RelationshipUser,
            RecordBody::RelationshipTransactable(_) => RecordKind::RelationshipTransactable,
            RecordBody::Customization { .. } => RecordKind::Customization,
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> i64 {
        match &self.body {
            RecordBody::Transactable(listing) => listing.id,
            RecordBody::Relationship(relationship) => relationship.id,
            RecordBody::RelationshipUser(member) => member.id,
            RecordBody::RelationshipTransactable(listed) => listed.id,
            RecordBody::Customization { customization, .. } => customization.id,
        }
    }
}
