//! Idempotency keys: a request that is repeated with the same key is executed once.
//!
//! The key is inserted first in the transaction of the write, so that of two concurrent requests with
//! one key on different servers the second waits for the first and then finds the key used. The
//! response is rendered and stored in the same transaction.

use registrar_core::record_kind::RecordKind;
use std::fmt;
use std::sync::Arc;

use diesel::QueryResult;

use super::owner::{creator_of, owner_of};
use crate::connection::AnyConnection;
use crate::read::records::{StoredRecord, load_record};
use crate::read::users::{StoredUser, load_user};
use crate::tables::idempotency_records::{StoredResponse, delete_key, insert_key, update_response};
use crate::tables::users::Created;

/// The result of a write, passed to a [`ResponseBuilder`].
#[derive(Debug)]
pub enum CreatedResource {
    /// A user, with its stored state if [`IdempotencyKey::includes_entity`] is set.
    User(Created, Option<Box<StoredUser>>),
    /// Nothing was created, which the client must not learn.
    Nothing,
    /// Id of a record, with its stored state if [`IdempotencyKey::includes_entity`] is set.
    Record(i64, Option<Box<StoredRecord>>),
}

/// Renders the response to a write. It may be called again with other ids if the transaction is
/// retried; the last response counts. If it returns `None`, no response is stored.
pub type ResponseBuilder = Arc<dyn Fn(CreatedResource) -> Option<StoredResponse> + Send + Sync>;

/// An idempotency key of a client.
#[derive(Clone)]
pub struct IdempotencyKey {
    /// SHA-256 of the caller and the key that it sent.
    pub hash: [u8; 32],
    /// SHA-256 of the whole request.
    pub request: [u8; 32],
    /// Whether the response contains the stored state of the resource.
    pub includes_entity: bool,
    /// Renders the response.
    pub build_response: ResponseBuilder,
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdempotencyKey")
            .field("includes_entity", &self.includes_entity)
            .finish_non_exhaustive()
    }
}

/// Inserts keys and returns for each whether it was used before. They are inserted in sorted order, so
/// that two writers do not deadlock.
pub(super) fn reserve(
    conn: &mut AnyConnection,
    keys: &[Option<&IdempotencyKey>],
) -> QueryResult<Vec<bool>> {
    let mut is_used = vec![false; keys.len()];
    let given = keys.iter().enumerate().filter_map(|(index, key)| Some((index, (*key)?)));
    let mut given: Vec<(usize, &IdempotencyKey)> = given.collect();
    given.sort_by_key(|(_, key)| key.hash);
    for (index, IdempotencyKey { hash, request, .. }) in given {
        is_used[index] = !insert_key(conn, hash, request)?;
    }
    Ok(is_used)
}

/// Deletes a reserved key, because nothing was written.
pub(super) fn release(conn: &mut AnyConnection, key: &IdempotencyKey) -> QueryResult<()> {
    delete_key(conn, &key.hash)
}

/// Stores a response that looks like that to a creation although nothing was created.
pub(super) fn store_empty_response(
    conn: &mut AnyConnection,
    key: &IdempotencyKey,
) -> QueryResult<()> {
    store_response(conn, key, None, CreatedResource::Nothing)
}

/// Stores the response to the creation of a user or record.
pub(super) fn store_created(
    conn: &mut AnyConnection,
    key: &IdempotencyKey,
    kind: RecordKind,
    created: Created,
) -> QueryResult<()> {
    let id = created.id;
    let user_id = match kind {
        RecordKind::Relationship => creator_of(conn, id)?,
        _ => owner_of(conn, kind, id)?,
    };
    let resource = match (kind, key.includes_entity) {
        (RecordKind::User, true) => {
            CreatedResource::User(created, load_user(conn, id)?.map(Box::new))
        }
        (RecordKind::User, false) => CreatedResource::User(created, None),
        (_, true) => CreatedResource::Record(id, load_record(conn, kind, id)?.map(Box::new)),
        (_, false) => CreatedResource::Record(id, None),
    };
    store_response(conn, key, user_id, resource)
}

/// Stores a response; `user_id` is the user whose data it contains.
fn store_response(
    conn: &mut AnyConnection,
    key: &IdempotencyKey,
    user_id: Option<i64>,
    resource: CreatedResource,
) -> QueryResult<()> {
    match (key.build_response)(resource) {
        Some(response) => update_response(conn, &key.hash, &response, user_id),
        None => release(conn, key),
    }
}
