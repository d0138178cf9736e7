//! Records by themselves: listings, relationships, memberships, listings in relationships and
//! customizations that are read, made, changed and deleted without the user around them.
//!
//! Each but a relationship is somebody's: who writes one writes the user's row first, as every
//! change of the user does, so that they are made one after the other and claims stay true.

mod delete;
mod owner;
mod read;
mod stored;
mod write;

use registrar_core::aggregate::NewUser;
use registrar_core::changes::UserUpdate;
use registrar_core::types::TypeKind;

use crate::audit::Actor;
use crate::idempotency::IdempotencyKey;
use crate::unique_claims::kind_name;

pub(crate) use delete::delete;
pub(crate) use owner::{creator_of, owner_of, owner_of_new};
pub use read::{RecordFilter, RecordPage};
pub(crate) use read::{load_record, relationships_of};
pub use stored::{RecordBody, StoredRecord, StoredRelationship, StoredRelationshipTransactable};
pub(crate) use write::{create, update};

/// A kind of record that can be read and written by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordKind {
    /// A listing.
    Transactable,
    /// A relationship.
    Relationship,
    /// A membership in a relationship.
    RelationshipUser,
    /// A listing in a relationship.
    RelationshipTransactable,
    /// A customization, wherever it hangs.
    Customization,
}

impl RecordKind {
    /// Returns the kind of the types of such records.
    pub(crate) fn type_kind(self) -> TypeKind {
        match self {
            Self::Transactable => TypeKind::Transactable,
            Self::Relationship => TypeKind::Relationship,
            Self::RelationshipUser => TypeKind::RelationshipUser,
            Self::RelationshipTransactable => TypeKind::RelationshipTransactable,
            Self::Customization => TypeKind::Customization,
        }
    }

    /// Returns the name of the kind.
    pub(crate) fn name(self) -> &'static str {
        kind_name(self.type_kind())
    }
}

/// A record to be written.
#[derive(Debug, Clone)]
pub struct CreateRecord {
    /// What the form for it gave: one record in the list of its kind.
    pub bag: NewUser,
    /// Whose it is where the submission does not say; of a relationship, who founded it.
    pub owner: Option<i64>,
    /// Who asks for it.
    pub actor: Actor,
    /// Under which key it is done once, if it is.
    pub idempotency_key: Option<IdempotencyKey>,
}

impl CreateRecord {
    /// What kind of record it is.
    pub(crate) fn kind(&self) -> RecordKind {
        let NewUser { relationships, relationship_transactables, relationship_users, .. } =
            &self.bag;
        if !relationships.is_empty() {
            RecordKind::Relationship
        } else if !relationship_transactables.is_empty() {
            RecordKind::RelationshipTransactable
        } else if !relationship_users.is_empty() {
            RecordKind::RelationshipUser
        } else if !self.bag.customizations.is_empty() {
            RecordKind::Customization
        } else {
            RecordKind::Transactable
        }
    }
}

/// What a stored record shall be.
#[derive(Debug, Clone)]
pub struct UpdateRecord {
    /// What it is.
    pub kind: RecordKind,
    /// Its id.
    pub id: i64,
    /// [`StoredRecord::lock_version`] as it was loaded: nothing of its owner's must have been changed
    /// since.
    pub lock_version: i64,
    /// The record as it shall be.
    pub changed: UserUpdate,
    /// Who asks for it.
    pub actor: Actor,
}
