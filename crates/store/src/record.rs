//! What the writer is given, and what it gives back.

use std::fmt;
use std::sync::Arc;

use registrar_core::aggregate::NewUser;
use registrar_core::changes::UserUpdate;
use uuid::Uuid;

use crate::audit::Asker;
use crate::once::Once;

/// A user to be written, with what the aggregate does not say.
#[derive(Clone)]
pub struct NewRecord {
    /// The validated user. Its `password` is not looked at: it must be hashed before.
    pub user: NewUser,
    /// The hash of the password, in PHC string format.
    pub password_hash: Option<String>,
    /// Name of the form that made the user.
    pub form_name: Arc<str>,
    /// Version of that form.
    pub form_version: Arc<str>,
    /// Who asks for it.
    pub by: Asker,
    /// Under which key it is done once, if it is.
    pub once: Option<Once>,
    /// Whether nobody may learn that what it claims is taken: then it is noted durably that it was
    /// tried, which takes as long as if it were done.
    pub is_discreet: bool,
}

impl fmt::Debug for NewRecord {
    /// Without the hash: it is no secret to be read in passing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewRecord")
            .field("user", &self.user)
            .field("form_name", &self.form_name)
            .field("form_version", &self.form_version)
            .finish_non_exhaustive()
    }
}

/// What a stored user shall be, with what the core does not know of it.
#[derive(Clone)]
pub struct UpdateRecord {
    /// The user's id.
    pub id: i64,
    /// The user's UUID, by which it holds its claims.
    pub uuid: Uuid,
    /// When it was last changed, as it was loaded: it must not have been changed since.
    pub loaded_at: i64,
    /// The user as it shall be. Its `password` is not looked at: it must be hashed before.
    pub changed: UserUpdate,
    /// The hash of a new password, in PHC string format.
    pub password_hash: Option<String>,
    /// Who asks for it.
    pub by: Asker,
}

impl fmt::Debug for UpdateRecord {
    /// Without the hash: it is no secret to be read in passing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpdateRecord")
            .field("id", &self.id)
            .field("changed", &self.changed)
            .finish_non_exhaustive()
    }
}

/// A user that is stored durably.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Created {
    /// The user's id, from 1 on.
    pub id: i64,
    /// The user's UUID, version 7.
    pub uuid: Uuid,
}
