//! What the writer is given, and what it gives back.

use std::fmt;
use std::sync::Arc;

use registrar_core::aggregate::NewUser;
use uuid::Uuid;

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
    /// The id of the token that asks for it. The transaction that writes the user looks whether
    /// it still counts, so that who asks may be remembered for a moment outside of it.
    pub token: Option<i64>,
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

/// A user that is stored durably.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Created {
    /// The user's id, from 1 on.
    pub id: i64,
    /// The user's UUID, version 7.
    pub uuid: Uuid,
}
