//! Idempotency keys: a request that is repeated with the same key is executed once.
//!
//! The key is inserted first in the transaction of the write, so that of two concurrent requests with
//! one key on different servers the second waits for the first and then finds the key used. The
//! response is rendered and stored in the same transaction.

use std::fmt;
use std::sync::Arc;

use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};
use diesel::{QueryResult, RunQueryDsl};

use crate::clock::now;
use crate::connection::AnyConnection;
use crate::dialect::statement;
use crate::error::ReadError;
use crate::read::load_user;
use crate::records::{RecordKind, StoredRecord, creator_of, load_record, owner_of};
use crate::requests::Created;
use crate::store::Store;
use crate::stored::StoredUser;
use crate::types::SqlTimestamp;
use crate::update_sql::execute;

/// Time for which a response is stored: 24 hours, in microseconds.
pub const RESPONSE_TTL: i64 = 24 * 60 * 60 * 1_000_000;

/// Maximum number of expired records deleted at once: other writes wait for about a millisecond.
const MAX_EXPIRED: i64 = 500;

/// A stored HTTP response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredResponse {
    /// The status code.
    pub status: u16,
    /// The headers in their order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

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

statement! {
    ReserveKey<'a>:
    "INSERT INTO idempotency_records (key, request, status, headers, body, created_at) VALUES ("
    { hash: &'a [u8] as Binary }
    ", " { request: &'a [u8] as Binary }
    ", 0, '[]', " { body: &'a [u8] as Binary }
    ", " { now: i64 as SqlTimestamp }
    ") ON CONFLICT (key) DO UPDATE SET request = excluded.request, status = 0, user_id = NULL, \
     created_at = excluded.created_at WHERE idempotency_records.created_at <= "
    { expired: i64 as SqlTimestamp }
    ""
}

statement! {
    UpdateResponse<'a>:
    "UPDATE idempotency_records SET status = " { status: i32 as Integer }
    ", headers = " { headers: &'a str as Text }
    ", body = " { body: &'a [u8] as Binary }
    ", user_id = " { user_id: Option<i64> as Nullable<BigInt> }
    " WHERE key = " { hash: &'a [u8] as Binary }
    ""
}

statement! {
    ReleaseKey<'a>:
    "DELETE FROM idempotency_records WHERE key = " { hash: &'a [u8] as Binary } ""
}

statement! {
    FindResponse<'a> -> (Binary, Integer, Text, Binary):
    "SELECT request, status, headers, body FROM idempotency_records WHERE key = "
    { hash: &'a [u8] as Binary }
    " AND status > 0 AND created_at > " { expired: i64 as SqlTimestamp }
    ""
}

statement! {
    DeleteUserResponses<'a>:
    "DELETE FROM idempotency_records WHERE user_id = " { user_id: &'a i64 as BigInt } ""
}

statement! {
    DeleteExpired<'a>:
    "DELETE FROM idempotency_records WHERE key IN (SELECT key FROM idempotency_records \
     WHERE created_at <= " { expired: &'a i64 as SqlTimestamp }
    " ORDER BY created_at LIMIT " { max: &'a i64 as BigInt }
    ")"
}

/// Inserts keys and returns for each whether it was used before. They are inserted in sorted order, so
/// that two writers do not deadlock.
pub(crate) fn reserve(
    conn: &mut AnyConnection,
    keys: &[Option<&IdempotencyKey>],
) -> QueryResult<Vec<bool>> {
    let mut is_used = vec![false; keys.len()];
    let given = keys.iter().enumerate().filter_map(|(index, key)| Some((index, (*key)?)));
    let mut given: Vec<(usize, &IdempotencyKey)> = given.collect();
    given.sort_by_key(|(_, key)| key.hash);
    for (index, IdempotencyKey { hash, request, .. }) in given {
        let now = now();
        let reserve = ReserveKey { hash, request, body: &[], now, expired: now - RESPONSE_TTL };
        is_used[index] = execute!(conn, reserve)? == 0;
    }
    Ok(is_used)
}

/// Deletes a reserved key, because nothing was written.
pub(crate) fn release(conn: &mut AnyConnection, key: &IdempotencyKey) -> QueryResult<()> {
    execute!(conn, ReleaseKey { hash: &key.hash }).map(drop)
}

/// Stores the response to the creation of a user.
pub(crate) fn store_user_response(
    conn: &mut AnyConnection,
    key: &IdempotencyKey,
    created: Created,
) -> QueryResult<()> {
    let user = if key.includes_entity { load_user(conn, created.id)? } else { None };
    let resource = CreatedResource::User(created, user.map(Box::new));
    store_response(conn, key, Some(created.id), resource)
}

/// Stores a response that looks like that to a creation although nothing was created.
pub(crate) fn store_empty_response(
    conn: &mut AnyConnection,
    key: &IdempotencyKey,
) -> QueryResult<()> {
    store_response(conn, key, None, CreatedResource::Nothing)
}

/// Stores the response to the creation of a record.
pub(crate) fn store_record_response(
    conn: &mut AnyConnection,
    key: &IdempotencyKey,
    kind: RecordKind,
    id: i64,
) -> QueryResult<()> {
    let record = if key.includes_entity { load_record(conn, kind, id)? } else { None };
    let user_id = match kind {
        RecordKind::Relationship => creator_of(conn, id)?,
        _ => owner_of(conn, kind, id)?,
    };
    store_response(conn, key, user_id, CreatedResource::Record(id, record.map(Box::new)))
}

/// Stores a response; `user_id` is the user whose data it contains.
fn store_response(
    conn: &mut AnyConnection,
    key: &IdempotencyKey,
    user_id: Option<i64>,
    resource: CreatedResource,
) -> QueryResult<()> {
    let Some(StoredResponse { status, headers, body }) = (key.build_response)(resource) else {
        return release(conn, key);
    };
    let headers = serde_json::to_string(&headers).unwrap_or_else(|_| "[]".to_owned());
    let (status, headers, body) = (status.into(), &*headers, &*body);
    execute!(conn, UpdateResponse { status, headers, body, user_id, hash: &key.hash }).map(drop)
}

/// Deletes the stored responses that contain data of a user.
pub(crate) fn delete_of_user(conn: &mut AnyConnection, user_id: i64) -> QueryResult<()> {
    execute!(conn, DeleteUserResponses { user_id: &user_id }).map(drop)
}

/// Deletes some expired records and returns whether there may be more.
pub(crate) fn delete_expired(conn: &mut AnyConnection) -> QueryResult<bool> {
    let delete = DeleteExpired { expired: &(now() - RESPONSE_TTL), max: &MAX_EXPIRED };
    let deleted = execute!(conn, delete)?;
    Ok(i64::try_from(deleted).is_ok_and(|deleted| deleted >= MAX_EXPIRED))
}

impl Store {
    /// Returns the SHA-256 of the request and the response that were stored under a key
    /// ([`IdempotencyKey::hash`]), or `None` if there is none or it has expired.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read.
    pub fn stored_response(
        &self,
        hash: &[u8; 32],
    ) -> Result<Option<(Vec<u8>, StoredResponse)>, ReadError> {
        let find = FindResponse { hash, expired: now() - RESPONSE_TTL };
        let found: Vec<(Vec<u8>, i32, String, Vec<u8>)> = self.reading(|conn| match conn {
            AnyConnection::Sqlite(conn) => find.load(conn),
            AnyConnection::Postgres(conn) => find.load(conn),
        })?;
        Ok(found.into_iter().next().map(|(request, status, headers, body)| {
            let headers = serde_json::from_str(&headers).unwrap_or_default();
            let status = u16::try_from(status).unwrap_or_default();
            (request, StoredResponse { status, headers, body })
        }))
    }
}
