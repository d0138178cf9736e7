//! Arguments and results of writes.

use std::fmt;
use std::sync::Arc;

use registrar_core::aggregate::NewUser;
use registrar_core::changes::UserUpdate;
use registrar_core::record_kind::RecordKind;
use uuid::Uuid;

use super::audit::Actor;
use super::idempotency::IdempotencyKey;
use crate::error::WriteError;

/// A user to create.
#[derive(Clone)]
pub struct CreateUser {
    /// The validated user. Its `password` is ignored: see `password_hash`.
    pub user: NewUser,
    /// The hash of the password in PHC string format.
    pub password_hash: Option<String>,
    /// Name of the form.
    pub form_name: Arc<str>,
    /// Version of the form.
    pub form_version: Arc<str>,
    /// The caller.
    pub actor: Actor,
    /// The idempotency key, if the client sent one.
    pub idempotency_key: Option<IdempotencyKey>,
    /// If true, the client must not learn that a claim is taken: an audit row is committed in that
    /// case, so that the response takes as long as that of a creation.
    pub hides_conflicts: bool,
}

impl fmt::Debug for CreateUser {
    /// Omits the password hash.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateUser")
            .field("user", &self.user)
            .field("form_name", &self.form_name)
            .field("form_version", &self.form_version)
            .finish_non_exhaustive()
    }
}

/// An update of a user.
#[derive(Clone)]
pub struct UpdateUser {
    /// Id of the user.
    pub id: i64,
    /// UUID of the user, the owner of its claims.
    pub uuid: Uuid,
    /// The user's `updated_at` when it was loaded; the update fails if it has changed.
    pub lock_version: i64,
    /// The new state of the user. Its `password` is ignored: see `password_hash`.
    pub changed: UserUpdate,
    /// The hash of a new password in PHC string format.
    pub password_hash: Option<String>,
    /// The caller.
    pub actor: Actor,
}

impl fmt::Debug for UpdateUser {
    /// Omits the password hash.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpdateUser")
            .field("id", &self.id)
            .field("changed", &self.changed)
            .finish_non_exhaustive()
    }
}

/// The id of the written record, or the error.
pub(crate) type WriteResult = Result<i64, WriteError>;

/// A record to create.
#[derive(Debug, Clone)]
pub struct CreateRecord {
    /// The validated record: a user with one record in the list of its kind.
    pub bag: NewUser,
    /// The owner if the submission does not name it; for a relationship, the creator.
    pub owner: Option<i64>,
    /// The caller.
    pub actor: Actor,
    /// The idempotency key, if the client sent one.
    pub idempotency_key: Option<IdempotencyKey>,
}

impl CreateRecord {
    /// Returns the kind of the record.
    pub(super) fn kind(&self) -> RecordKind {
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

/// An update of a record.
#[derive(Debug, Clone)]
pub struct UpdateRecord {
    /// Kind of the record.
    pub kind: RecordKind,
    /// Id of the record.
    pub id: i64,
    /// [`crate::StoredRecord::lock_version`] when it was loaded; the update fails if its owner has changed.
    pub lock_version: i64,
    /// The new state of the record.
    pub changed: UserUpdate,
    /// The caller.
    pub actor: Actor,
}
