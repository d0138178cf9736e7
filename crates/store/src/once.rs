//! What is done once, however often it is asked for: creates under an Idempotency-Key.
//!
//! A key is written in the transaction of what is done under it, before anything else of it, so
//! that of two who use it at once on different servers the second waits for the first, and learns
//! that it was done. The answer is made and kept in the same transaction.

use std::fmt;
use std::sync::Arc;

use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text};
use diesel::{QueryResult, RunQueryDsl};

use crate::batch::now;
use crate::changed::execute;
use crate::connection::AnyConnection;
use crate::dialect::statement;
use crate::error::ReadError;
use crate::read::load_user;
use crate::record::Created;
use crate::records::{RecordKind, StoredRecord, creator_of, load_record, owner_of};
use crate::store::Store;
use crate::stored::StoredUser;
use crate::types::Micros;

/// For how long an answer is kept: 24 hours, in microseconds.
pub const KEPT: i64 = 24 * 60 * 60 * 1_000_000;

/// How many answers are forgotten in one go: writers wait for a millisecond at most.
const AT_ONCE: i64 = 500;

/// An answer, as it was given and is given again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// Its status.
    pub status: u16,
    /// Its headers, in their order.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

/// What was made, for the answer to it.
#[derive(Debug)]
pub enum Made {
    /// A user; as it is stored, where the answer shows it.
    User(Created, Option<Box<StoredUser>>),
    /// Nothing, and nobody is to learn that.
    Nothing,
    /// A record, by its id; as it is stored, where the answer shows it.
    Record(i64, Option<Box<StoredRecord>>),
}

/// Makes the answer to what was made. It may be called more than once, for other ids: what it said
/// last counts. Without an answer nothing is kept.
pub type Answering = Arc<dyn Fn(Made) -> Option<KeptAnswer> + Send + Sync>;

/// That something is done once.
#[derive(Clone)]
pub struct Once {
    /// A SHA-256 of who asks and under which key.
    pub key: [u8; 32],
    /// A SHA-256 of all that is asked.
    pub request: [u8; 32],
    /// Whether the answer shows what was made as it is stored.
    pub shows: bool,
    /// Makes the answer.
    pub answer: Answering,
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once").field("shows", &self.shows).finish_non_exhaustive()
    }
}

statement! {
    Reserve<'a>:
    "INSERT INTO idempotency_records (key, request, status, headers, body, created_at) VALUES ("
    { key: &'a [u8] as Binary }
    ", " { request: &'a [u8] as Binary }
    ", 0, '[]', " { body: &'a [u8] as Binary }
    ", " { now: i64 as Micros }
    ") ON CONFLICT (key) DO UPDATE SET request = excluded.request, status = 0, user_id = NULL, \
     created_at = excluded.created_at WHERE idempotency_records.created_at <= "
    { ended: i64 as Micros }
    ""
}

statement! {
    Keep<'a>:
    "UPDATE idempotency_records SET status = " { status: i32 as Integer }
    ", headers = " { headers: &'a str as Text }
    ", body = " { body: &'a [u8] as Binary }
    ", user_id = " { user_id: Option<i64> as Nullable<BigInt> }
    " WHERE key = " { key: &'a [u8] as Binary }
    ""
}

statement! {
    Release<'a>:
    "DELETE FROM idempotency_records WHERE key = " { key: &'a [u8] as Binary } ""
}

statement! {
    Find<'a> -> (Binary, Integer, Text, Binary):
    "SELECT request, status, headers, body FROM idempotency_records WHERE key = "
    { key: &'a [u8] as Binary }
    " AND status > 0 AND created_at > " { ended: i64 as Micros }
    ""
}

statement! {
    ForgetUser<'a>:
    "DELETE FROM idempotency_records WHERE user_id = " { user_id: &'a i64 as BigInt } ""
}

statement! {
    Forget<'a>:
    "DELETE FROM idempotency_records WHERE key IN (SELECT key FROM idempotency_records \
     WHERE created_at <= " { ended: &'a i64 as Micros }
    " ORDER BY created_at LIMIT " { most: &'a i64 as BigInt }
    ")"
}

/// Takes keys for what is about to be done; for each, whether it was done before. They are taken in
/// their own order, so that two writers do not wait for each other in a circle.
pub(crate) fn reserve(conn: &mut AnyConnection, all: &[Option<&Once>]) -> QueryResult<Vec<bool>> {
    let mut was_done = vec![false; all.len()];
    let keyed = all.iter().enumerate().filter_map(|(place, once)| Some((place, (*once)?)));
    let mut keyed: Vec<(usize, &Once)> = keyed.collect();
    keyed.sort_by_key(|(_, once)| once.key);
    for (place, Once { key, request, .. }) in keyed {
        let now = now();
        let reserve = Reserve { key, request, body: &[], now, ended: now - KEPT };
        was_done[place] = execute!(conn, reserve)? == 0;
    }
    Ok(was_done)
}

/// Gives a key back under which nothing was done.
pub(crate) fn release(conn: &mut AnyConnection, once: &Once) -> QueryResult<()> {
    execute!(conn, Release { key: &once.key }).map(drop)
}

/// Keeps the answer to a user who was made.
pub(crate) fn keep_user(
    conn: &mut AnyConnection,
    once: &Once,
    created: Created,
) -> QueryResult<()> {
    let user = if once.shows { load_user(conn, created.id)? } else { None };
    keep(conn, once, Some(created.id), Made::User(created, user.map(Box::new)))
}

/// Keeps the answer to what came to nothing, where that looks like one to a user who was made.
pub(crate) fn keep_nothing(conn: &mut AnyConnection, once: &Once) -> QueryResult<()> {
    keep(conn, once, None, Made::Nothing)
}

/// Keeps the answer to a record that was made.
pub(crate) fn keep_record(
    conn: &mut AnyConnection,
    once: &Once,
    kind: RecordKind,
    id: i64,
) -> QueryResult<()> {
    let record = if once.shows { load_record(conn, kind, id)? } else { None };
    let owner = match kind {
        RecordKind::Relationship => creator_of(conn, id)?,
        _ => owner_of(conn, kind, id)?,
    };
    keep(conn, once, owner, Made::Record(id, record.map(Box::new)))
}

/// Keeps the answer; `user_id` is the user whose data it shows.
fn keep(
    conn: &mut AnyConnection,
    once: &Once,
    user_id: Option<i64>,
    made: Made,
) -> QueryResult<()> {
    let Some(KeptAnswer { status, headers, body }) = (once.answer)(made) else {
        return release(conn, once);
    };
    let headers = serde_json::to_string(&headers).unwrap_or_else(|_| "[]".to_owned());
    let (status, headers, body) = (status.into(), &*headers, &*body);
    execute!(conn, Keep { status, headers, body, user_id, key: &once.key }).map(drop)
}

/// Deletes the kept answers that show data of a user.
pub(crate) fn forget_user(conn: &mut AnyConnection, user_id: i64) -> QueryResult<()> {
    execute!(conn, ForgetUser { user_id: &user_id }).map(drop)
}

/// Forgets some of what was kept long enough; whether there may be more.
pub(crate) fn forget(conn: &mut AnyConnection) -> QueryResult<bool> {
    let forget = Forget { ended: &(now() - KEPT), most: &AT_ONCE };
    let forgotten = execute!(conn, forget)?;
    Ok(i64::try_from(forgotten).is_ok_and(|forgotten| forgotten >= AT_ONCE))
}

impl Store {
    /// What was answered under a key ([`Once::key`]) in the last 24 hours, and the digest of what
    /// was asked then.
    ///
    /// # Errors
    /// Those of the database.
    pub fn answered(&self, key: &[u8; 32]) -> Result<Option<(Vec<u8>, KeptAnswer)>, ReadError> {
        let find = Find { key, ended: now() - KEPT };
        let found: Vec<(Vec<u8>, i32, String, Vec<u8>)> = self.reading(|conn| match conn {
            AnyConnection::Sqlite(conn) => find.load(conn),
            AnyConnection::Postgres(conn) => find.load(conn),
        })?;
        Ok(found.into_iter().next().map(|(request, status, headers, body)| {
            let headers = serde_json::from_str(&headers).unwrap_or_default();
            let status = u16::try_from(status).unwrap_or_default();
            (request, KeptAnswer { status, headers, body })
        }))
    }
}
