//! The table of idempotency keys and the responses stored under them.

use diesel::QueryResult;
use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};

use crate::clock::now;
use crate::connection::AnyConnection;
use crate::sql::types::SqlTimestamp;
use crate::sql::{execute, load, statement};

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

/// Inserts a key and returns false if it exists and has not expired.
pub(crate) fn insert_key(
    conn: &mut AnyConnection,
    hash: &[u8],
    request: &[u8],
) -> QueryResult<bool> {
    let now = now();
    let reserve = ReserveKey { hash, request, body: &[], now, expired: now - RESPONSE_TTL };
    Ok(execute!(conn, reserve)? > 0)
}

/// Deletes a key.
pub(crate) fn delete_key(conn: &mut AnyConnection, hash: &[u8]) -> QueryResult<()> {
    execute!(conn, ReleaseKey { hash }).map(drop)
}

/// Stores the response under a key; `user_id` is the user whose data it contains.
pub(crate) fn update_response(
    conn: &mut AnyConnection,
    hash: &[u8],
    response: &StoredResponse,
    user_id: Option<i64>,
) -> QueryResult<()> {
    let headers = serde_json::to_string(&response.headers).unwrap_or_else(|_| "[]".to_owned());
    let (status, headers, body) = (response.status.into(), &*headers, &*response.body);
    execute!(conn, UpdateResponse { status, headers, body, user_id, hash }).map(drop)
}

/// Returns the SHA-256 of the request and the response under a key, or `None` if there is none or it has
/// expired.
pub(crate) fn find_response(
    conn: &mut AnyConnection,
    hash: &[u8],
) -> QueryResult<Option<(Vec<u8>, StoredResponse)>> {
    let find = FindResponse { hash, expired: now() - RESPONSE_TTL };
    let found = load!(conn, find => (Vec<u8>, i32, String, Vec<u8>))?;
    Ok(found.into_iter().next().map(|(request, status, headers, body)| {
        let headers = serde_json::from_str(&headers).unwrap_or_default();
        let status = u16::try_from(status).unwrap_or_default();
        (request, StoredResponse { status, headers, body })
    }))
}

/// Deletes the stored responses that contain data of a user.
pub(crate) fn delete_responses_of_user(conn: &mut AnyConnection, user_id: i64) -> QueryResult<()> {
    execute!(conn, DeleteUserResponses { user_id: &user_id }).map(drop)
}

/// Deletes some expired records and returns whether there may be more.
pub(crate) fn delete_expired(conn: &mut AnyConnection) -> QueryResult<bool> {
    let delete = DeleteExpired { expired: &(now() - RESPONSE_TTL), max: &MAX_EXPIRED };
    let deleted = execute!(conn, delete)?;
    Ok(i64::try_from(deleted).is_ok_and(|deleted| deleted >= MAX_EXPIRED))
}
