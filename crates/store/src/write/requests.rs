//! Arguments and results of writes.

use std::fmt;
use std::sync::Arc;

use registrar_core::aggregate::{Aggregate, NewEntity};
use registrar_core::changes::AggregateUpdate;

use super::audit::Actor;
use super::idempotency::IdempotencyKey;
use crate::error::WriteError;

/// A user or record to create.
#[derive(Clone)]
pub struct CreateRequest {
    /// The validated user or record. The `password` of a user is ignored: see `password_hash`.
    pub aggregate: Aggregate,
    /// The owner of a record if the submission does not name it; for a relationship, the creator.
    pub default_owner: Option<i64>,
    /// The hash of a user's password in PHC string format.
    pub password_hash: Option<String>,
    /// Name of the form.
    pub form_name: Arc<str>,
    /// Version of the form.
    pub form_version: Arc<str>,
    /// The caller.
    pub actor: Actor,
    /// The idempotency key, if the client sent one.
    pub idempotency_key: Option<IdempotencyKey>,
    /// If true, the client must not learn that a claim of a user is taken: an audit row is committed in
    /// that case, so that the response takes as long as that of a creation.
    pub hides_conflicts: bool,
}

impl CreateRequest {
    /// Returns the owner of a record as far as the request names it; for a relationship, the creator.
    pub(super) fn named_owner(&self) -> Option<i64> {
        match self.aggregate.entity {
            NewEntity::Transactable { owner, .. }
            | NewEntity::RelationshipUser { owner, .. }
            | NewEntity::Customization { owner, .. }
            | NewEntity::Relationship { creator: owner, .. } => owner.or(self.default_owner),
            NewEntity::User(_) | NewEntity::RelationshipTransactable(_) => None,
        }
    }
}

impl fmt::Debug for CreateRequest {
    /// Omits the password hash.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateRequest")
            .field("aggregate", &self.aggregate)
            .field("form_name", &self.form_name)
            .field("form_version", &self.form_version)
            .finish_non_exhaustive()
    }
}

/// An update of a user or record.
#[derive(Clone)]
pub struct UpdateRequest {
    /// Id of the user or record.
    pub id: i64,
    /// The user's `updated_at`, or [`crate::StoredRecord::lock_version`], when it was loaded; the update
    /// fails if it has changed.
    pub lock_version: i64,
    /// The new state. The `password` of a user is ignored: see `password_hash`.
    pub changed: AggregateUpdate,
    /// The hash of a user's new password in PHC string format.
    pub password_hash: Option<String>,
    /// The caller.
    pub actor: Actor,
}

impl fmt::Debug for UpdateRequest {
    /// Omits the password hash.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpdateRequest")
            .field("id", &self.id)
            .field("changed", &self.changed)
            .finish_non_exhaustive()
    }
}

/// The id of the written record, or the error.
pub(crate) type WriteResult = Result<i64, WriteError>;
