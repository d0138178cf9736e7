//! Arguments and results of the store's writes to users.

use std::fmt;
use std::sync::Arc;

use registrar_core::aggregate::NewUser;
use registrar_core::changes::UserUpdate;
use uuid::Uuid;

use crate::audit::Actor;
use crate::idempotency::IdempotencyKey;

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

/// The ids of a user that was created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Created {
    /// Id of the user, from 1 on.
    pub id: i64,
    /// UUID of the user, version 7.
    pub uuid: Uuid,
}
