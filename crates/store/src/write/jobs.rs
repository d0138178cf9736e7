//! Write jobs other than the creation of users: several in one transaction, each in a savepoint of
//! its own.
//!
//! A job locks the row of its user first, and with it everything that the user owns.

use registrar_core::aggregate::{Aggregate, NewEntity};
use registrar_core::record_kind::RecordKind;
use std::borrow::Cow;
use std::collections::BTreeSet;

use diesel::QueryResult;
use tokio::sync::oneshot;

use super::audit::{self, Actor, AuditAction};
use super::batch::CreateJob;
use super::idempotency;
use super::requests::{CreateRequest, UpdateRequest, WriteResult};
use super::{delete, owner, records, tokens};
use crate::clock::now;
use crate::connection::{
    AnyConnection, Committed, TransactionError, WriterConnection, begin_savepoint, commit,
    rollback, transaction,
};
use crate::error::{CreateError, WriteError};
use crate::tables::api_tokens::{NewToken, end_sessions, revoke_token, valid_tokens};
use crate::tables::password_credentials::replace_hash;
use crate::tables::users::Created;

/// A job in the queue.
#[expect(clippy::large_enum_variant, reason = "nearly all of them are the large one")]
pub(crate) enum Job {
    Create(CreateJob),
    Write(WriteJob),
}

/// A write operation.
#[derive(Debug)]
pub(crate) enum WriteOperation {
    Create(Box<CreateRequest>),
    Update(Box<UpdateRequest>),
    Delete { kind: RecordKind, id: i64, actor: Actor },
    IssueToken(Box<NewToken>),
    EndSessions { user_id: i64, actor: Actor },
    RevokeToken { name: String, actor: Actor },
    Rehash { user_id: i64, old: String, new: String },
    FailedSignIn { user_id: i64, actor: Actor },
}

/// A write operation, with the channel for its result.
#[derive(Debug)]
pub(crate) struct WriteJob {
    pub(crate) operation: WriteOperation,
    pub(crate) reply: oneshot::Sender<WriteResult>,
}

impl WriteJob {
    pub(crate) fn reply(self, result: WriteResult) {
        // The receiver is dropped if the client has disconnected; the write stays committed.
        let _ = self.reply.send(result);
    }
}

impl WriteOperation {
    /// Returns the id of the user whose row is locked, or 0 if there is none.
    fn locked_user(&self, conn: &mut AnyConnection) -> QueryResult<i64> {
        Ok(match self {
            Self::Create(request) => owner::owner_of_new(conn, request)?.unwrap_or_default(),
            Self::Update(request) => {
                let kind = request.changed.aggregate.entity.kind();
                owner::owner_of(conn, kind, request.id)?.unwrap_or_default()
            }
            Self::Delete { kind, id, .. } => owner::owner_of(conn, *kind, *id)?.unwrap_or_default(),
            Self::EndSessions { user_id, .. }
            | Self::Rehash { user_id, .. }
            | Self::FailedSignIn { user_id, .. } => *user_id,
            Self::IssueToken(_) | Self::RevokeToken { .. } => 0,
        })
    }

    /// Returns the user that owns what is written, or `None` if there is none. The owner of a
    /// relationship is its creator.
    fn owner(&self, conn: &mut AnyConnection) -> QueryResult<Option<i64>> {
        let relationship = match self {
            Self::Create(request) if is_relationship(&request.aggregate) => {
                return Ok(request.named_owner());
            }
            Self::Update(request) if is_relationship(&request.changed.aggregate) => request.id,
            Self::Delete { kind: RecordKind::Relationship, id, .. } => *id,
            Self::IssueToken(token) => return Ok(token.user_id),
            // The server passes the name of the caller's own token.
            Self::RevokeToken { actor, .. } => return Ok(actor.owner),
            _ => return Ok(Some(self.locked_user(conn)?)),
        };
        owner::creator_of(conn, relationship)
    }

    /// Returns whether the actor may write: one that acts for a user writes only what that user owns.
    fn is_authorized(&self, conn: &mut AnyConnection) -> QueryResult<bool> {
        match self.actor().owner {
            Some(owner) => Ok(self.owner(conn)? == Some(owner)),
            None => Ok(true),
        }
    }

    fn actor(&self) -> Cow<'_, Actor> {
        Cow::Borrowed(match self {
            Self::Update(request) => &request.actor,
            Self::Create(request) => &request.actor,
            Self::Delete { actor, .. }
            | Self::EndSessions { actor, .. }
            | Self::RevokeToken { actor, .. }
            | Self::FailedSignIn { actor, .. } => actor,
            Self::Rehash { .. } => return Cow::Owned(Actor::default()),
            // A token is issued by its parent token.
            Self::IssueToken(token) => {
                return Cow::Owned(Actor {
                    token: token.parent_id,
                    user: token.user_id,
                    request_id: token.request_id.clone(),
                    ..Actor::default()
                });
            }
        })
    }

    /// Returns the action to record once the operation has written the record `id` of `user`, or
    /// `None` if it is not recorded.
    fn audit_action(&self, id: i64, user: i64) -> Option<AuditAction> {
        let (action, kind) = match self {
            Self::EndSessions { .. } => ("delete", "session"),
            Self::RevokeToken { .. } => ("delete", "token"),
            Self::FailedSignIn { .. } => ("attempt", "session"),
            Self::Rehash { .. } => return None,
            Self::Create(request) => ("create", request.aggregate.entity.kind().record_name()),
            Self::Update(request) => {
                ("update", request.changed.aggregate.entity.kind().record_name())
            }
            Self::Delete { kind, .. } => ("delete", kind.record_name()),
            Self::IssueToken(_) => ("create", "token"),
        };
        Some(AuditAction { action, kind, id, user: Some(user).filter(|user| *user > 0) })
    }
}

fn is_relationship(aggregate: &Aggregate) -> bool {
    matches!(aggregate.entity, NewEntity::Relationship { .. })
}

/// Runs jobs in one transaction and returns their results in order.
pub(crate) fn write(
    writer: &mut WriterConnection,
    jobs: &[WriteJob],
) -> Result<Committed<Vec<WriteResult>>, TransactionError> {
    let is_dirty = |results: &Vec<WriteResult>| results.iter().any(Result::is_ok);
    transaction(writer, |conn| run_all(conn, jobs), is_dirty)
}

fn run_all(conn: &mut AnyConnection, jobs: &[WriteJob]) -> QueryResult<Vec<WriteResult>> {
    let tokens: BTreeSet<i64> = jobs.iter().filter_map(|job| job.operation.actor().token).collect();
    let valid = valid_tokens(conn, &tokens)?;
    // Sorted by user, so that two writers do not deadlock.
    let mut order: Vec<(i64, usize)> = Vec::with_capacity(jobs.len());
    for (index, job) in jobs.iter().enumerate() {
        order.push((job.operation.locked_user(conn)?, index));
    }
    order.sort_unstable();
    let mut results: Vec<WriteResult> = vec![Err(CreateError::InvalidToken.into()); jobs.len()];
    for (user, index) in order {
        let operation = &jobs[index].operation;
        if operation.actor().token.is_some_and(|token| !valid.contains(&token)) {
            continue;
        }
        results[index] = match operation.is_authorized(conn)? {
            true => run_in_savepoint(conn, operation, user)?,
            false => Err(WriteError::NotFound),
        };
    }
    Ok(results)
}

/// Runs an operation and rolls it back if it returns an error.
fn run_in_savepoint(
    conn: &mut AnyConnection,
    operation: &WriteOperation,
    user: i64,
) -> QueryResult<WriteResult> {
    begin_savepoint(conn)?;
    let result = run(conn, operation).and_then(|result| {
        if let Ok(id) = result
            && let Some(action) = operation.audit_action(id, user)
        {
            audit::insert_event(conn, &operation.actor(), action, now())?;
        }
        Ok(result)
    });
    match &result {
        Ok(Ok(_)) => commit(conn)?,
        Ok(Err(_)) => rollback(conn)?,
        // The caller rolls the whole transaction back, and reports it if that fails.
        Err(_) => drop(rollback(conn)),
    }
    result
}

fn run(conn: &mut AnyConnection, operation: &WriteOperation) -> QueryResult<WriteResult> {
    match operation {
        WriteOperation::Create(request) => create(conn, request),
        WriteOperation::Update(request) => records::update(conn, request),
        WriteOperation::Delete { kind, id, .. } => delete::delete(conn, *kind, *id),
        WriteOperation::IssueToken(token) => tokens::issue(conn, token),
        WriteOperation::EndSessions { user_id, actor } => {
            end_sessions(conn, *user_id, actor.token)?;
            Ok(Ok(*user_id))
        }
        WriteOperation::RevokeToken { name, .. } => {
            Ok(revoke_token(conn, name)?.ok_or(WriteError::NotFound))
        }
        WriteOperation::Rehash { user_id, old, new } => {
            let is_replaced = replace_hash(conn, *user_id, old, new)?;
            Ok(if is_replaced { Ok(*user_id) } else { Err(WriteError::Conflict) })
        }
        WriteOperation::FailedSignIn { user_id, .. } => Ok(Ok(*user_id)),
    }
}

fn create(conn: &mut AnyConnection, request: &CreateRequest) -> QueryResult<WriteResult> {
    let Some(key) = &request.idempotency_key else { return records::create(conn, request) };
    if idempotency::reserve(conn, &[Some(key)])? == [true] {
        return Ok(Err(CreateError::IdempotencyKeyUsed.into()));
    }
    let result = records::create(conn, request)?;
    if let Ok(id) = result {
        let kind = request.aggregate.entity.kind();
        idempotency::store_created(conn, key, kind, Created { id, uuid: None })?;
    }
    Ok(result)
}
