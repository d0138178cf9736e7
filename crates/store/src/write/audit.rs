//! Audit events, written in the transaction of the change that they describe.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use diesel::QueryResult;

use crate::connection::AnyConnection;
use crate::sql::insert;
use crate::tables::audit_events::AuditRow;

/// The caller of a write, as recorded in the audit log.
#[derive(Debug, Default, Clone)]
pub struct Actor {
    /// Id of the token. The writing transaction checks that it is still valid, so that the server may
    /// cache authentication results.
    pub token: Option<i64>,
    /// Id of the calling user.
    pub user: Option<i64>,
    /// If set, only records of this user may be written; the writing transaction checks it.
    pub owner: Option<i64>,
    /// Id of the request.
    pub request_id: Option<String>,
    /// Name and version of the form that accepted the submission. Of a new user they are in
    /// [`crate::CreateRequest`].
    pub form: Option<(Arc<str>, Arc<str>)>,
    /// Held until the write is finished or dropped.
    pub permit: Option<Permit>,
}

/// A value that is dropped when the write that holds it is finished.
#[derive(Clone)]
pub struct Permit(
    #[expect(dead_code, reason = "only its drop has an effect")] Arc<dyn Any + Send + Sync>,
);

impl Permit {
    /// Returns a permit that owns `value`.
    #[must_use]
    pub fn new(value: impl Any + Send + Sync) -> Self {
        Self(Arc::new(value))
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Permit")
    }
}

impl From<Option<i64>> for Actor {
    /// Returns an actor with this token and no user.
    fn from(token: Option<i64>) -> Self {
        Self { token, ..Self::default() }
    }
}

/// An action on a record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AuditAction {
    /// `create`, `update`, `delete` or `attempt`.
    pub(crate) action: &'static str,
    /// The kind of the record.
    pub(crate) kind: &'static str,
    /// Id of the record.
    pub(crate) id: i64,
    /// Id of the user that owns the record.
    pub(crate) user: Option<i64>,
}

impl AuditAction {
    /// A sign-up that was rejected without telling the client.
    pub(crate) const SIGN_UP_ATTEMPT: Self =
        Self { action: "attempt", kind: "user", id: 0, user: None };

    /// Returns the action of creating a user.
    pub(crate) fn user_created(id: i64) -> Self {
        Self { action: "create", kind: "user", id, user: Some(id) }
    }
}

/// Returns the row for an action; `now` is in microseconds since 1970 UTC.
pub(crate) fn audit_row(actor: &Actor, action: AuditAction, now: i64) -> AuditRow<'_> {
    let form = actor.form.as_ref();
    AuditRow {
        created_at: now,
        action: action.action,
        kind: action.kind,
        record_id: action.id,
        user_id: action.user,
        token_id: actor.token,
        caller_id: actor.user,
        form_name: form.map(|(name, _)| &**name),
        form_version: form.map(|(_, version)| &**version),
        request_id: actor.request_id.as_deref(),
    }
}

/// Inserts the row for an action.
pub(crate) fn insert_event(
    conn: &mut AnyConnection,
    actor: &Actor,
    action: AuditAction,
    now: i64,
) -> QueryResult<()> {
    insert(conn, &[audit_row(actor, action, now)])
}
