//! Who did what: a row in the transaction that did it.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use diesel::QueryResult;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::connection::AnyConnection;
use crate::dialect::{insert, row};
use crate::records::RecordKind;
use crate::types::Micros;

/// Who asks for something to be written, as it is noted of it.
#[derive(Debug, Default, Clone)]
pub struct Asker {
    /// The id of the token that asks. The transaction that writes looks whether it still counts, so
    /// that who asks may be remembered for a moment outside of it.
    pub token: Option<i64>,
    /// The user who calls.
    pub user: Option<i64>,
    /// The only user whose records may be written, where the caller acts for one: the transaction
    /// that writes decides by it.
    pub owner: Option<i64>,
    /// The id of the request.
    pub request: Option<String>,
    /// The form, and the version of it, that let it in; of a new user said with the user.
    pub form: Option<(Arc<str>, Arc<str>)>,
    /// What is kept until it is written.
    pub guard: Option<Guard>,
}

/// Something that is dropped once what was asked for is written or given up: a permit.
#[derive(Clone)]
pub struct Guard(
    #[expect(dead_code, reason = "it is there to be dropped")] Arc<dyn Any + Send + Sync>,
);

impl Guard {
    /// Keeps a value.
    #[must_use]
    pub fn new(value: impl Any + Send + Sync) -> Self {
        Self(Arc::new(value))
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guard")
    }
}

impl From<Option<i64>> for Asker {
    /// Somebody with a token, or nobody in particular.
    fn from(token: Option<i64>) -> Self {
        Self { token, ..Self::default() }
    }
}

row! {
    AuditRow<'a> in audit_events {
        created_at: i64 as Micros,
        action: &'static str as Text,
        kind: &'static str as Text,
        record_id: i64 as BigInt,
        user_id: Option<i64> as Nullable<BigInt>,
        token_id: Option<i64> as Nullable<BigInt>,
        caller_id: Option<i64> as Nullable<BigInt>,
        form_name: Option<&'a str> as Nullable<Text>,
        form_version: Option<&'a str> as Nullable<Text>,
        request_id: Option<&'a str> as Nullable<Text>,
    }
}

/// What was done: to what kind of thing, of which id, and whose that is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deed {
    pub(crate) action: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) id: i64,
    pub(crate) user: Option<i64>,
}

impl Deed {
    /// A user was made.
    pub(crate) fn made_user(id: i64) -> Self {
        Self { action: "create", kind: "user", id, user: Some(id) }
    }
}

impl Deed {
    /// Somebody would have made a user, and was not told why there is none.
    pub(crate) const TRIED: Self = Self { action: "attempt", kind: "user", id: 0, user: None };
}

/// The row that tells of a deed, done at `now` (microseconds since 1970 UTC).
pub(crate) fn told(by: &Asker, deed: Deed, now: i64) -> AuditRow<'_> {
    let form = by.form.as_ref();
    AuditRow {
        created_at: now,
        action: deed.action,
        kind: deed.kind,
        record_id: deed.id,
        user_id: deed.user,
        token_id: by.token,
        caller_id: by.user,
        form_name: form.map(|(name, _)| &**name),
        form_version: form.map(|(_, version)| &**version),
        request_id: by.request.as_deref(),
    }
}

/// Notes who did something.
pub(crate) fn note(conn: &mut AnyConnection, by: &Asker, deed: Deed, now: i64) -> QueryResult<()> {
    insert(conn, &[told(by, deed, now)])
}

impl RecordKind {
    /// What it is called where it is told who did something to it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Transactable => "transactable",
            Self::Relationship => "relationship",
            Self::RelationshipUser => "relationship_user",
            Self::RelationshipTransactable => "relationship_transactable",
            Self::Customization => "customization",
        }
    }
}
