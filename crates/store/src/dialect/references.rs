//! Queries for the rows that submissions refer to.
//!
//! On PostgreSQL the rows can be locked, so that they are not deleted before the commit; on SQLite
//! there is only one writer.

use diesel::{
    ExpressionMethods, JoinOnDsl, NullableExpressionMethods, OptionalExtension, QueryDsl,
    QueryResult, RunQueryDsl,
};
use registrar_core::aggregate::{Claim, ReferenceTarget};

use crate::connection::AnyConnection;
use crate::schema::{
    customizations, relationships, transactables, unique_claims as claim, user_profiles, users,
};

/// Lock on the rows that are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowLock {
    KeyShare,
    None,
}

/// Returns the values that exist in a column: one query for all on PostgreSQL, one for each on SQLite.
macro_rules! existing {
    ($conn:ident, $from:expr, $column:expr, $selected:expr, $keys:ident, $lock:ident) => {
        match $conn {
            AnyConnection::Sqlite(conn) => {
                let mut found = Vec::new();
                for &key in $keys {
                    let query = $from.filter($column.eq(key)).select($selected);
                    found.append(&mut query.limit(1).load(conn)?);
                }
                Ok(found)
            }
            AnyConnection::Postgres(conn) => {
                let found = $from.filter($column.eq_any($keys)).select($selected);
                match $lock {
                    RowLock::KeyShare => found.for_key_share().load(conn),
                    RowLock::None => found.load(conn),
                }
            }
        }
    };
}

/// Returns the ids that exist.
pub(crate) fn existing_ids(
    conn: &mut AnyConnection,
    target: ReferenceTarget,
    ids: &[i64],
    lock: RowLock,
) -> QueryResult<Vec<i64>> {
    match target {
        ReferenceTarget::User => {
            existing!(conn, users::table, users::id, users::id, ids, lock)
        }
        ReferenceTarget::Relationship => {
            existing!(conn, relationships::table, relationships::id, relationships::id, ids, lock)
        }
        ReferenceTarget::Transactable => {
            existing!(conn, transactables::table, transactables::id, transactables::id, ids, lock)
        }
        ReferenceTarget::Profile => {
            existing!(conn, user_profiles::table, user_profiles::id, user_profiles::id, ids, lock)
        }
        ReferenceTarget::Customization => {
            existing!(
                conn,
                customizations::table,
                customizations::id,
                customizations::id,
                ids,
                lock
            )
        }
    }
}

/// Returns the id of the relationship with a type and key.
pub(crate) fn relationship_by_key(
    conn: &mut AnyConnection,
    (type_name, key): (&str, &str),
    lock: RowLock,
) -> QueryResult<Option<i64>> {
    let query = relationships::table
        .filter(relationships::type_name.eq(type_name))
        .filter(relationships::key.eq(key))
        .select(relationships::id);
    match conn {
        AnyConnection::Sqlite(conn) => query.first(conn),
        AnyConnection::Postgres(conn) => match lock {
            RowLock::KeyShare => query.for_key_share().first(conn),
            RowLock::None => query.first(conn),
        },
    }
    .optional()
}

/// A key of users other than the id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UserKey {
    /// `users.external_id`
    ExternalId,
    /// The key of the e-mail address.
    EmailKey,
}

/// Returns the keys that a user has.
pub(crate) fn existing_texts(
    conn: &mut AnyConnection,
    key: UserKey,
    texts: &[&str],
    lock: RowLock,
) -> QueryResult<Vec<String>> {
    match key {
        UserKey::ExternalId => {
            let selected = || users::external_id.assume_not_null();
            existing!(conn, users::table, users::external_id, selected(), texts, lock)
        }
        UserKey::EmailKey => {
            let selected = || users::email_key.assume_not_null();
            let found: QueryResult<Vec<String>> =
                existing!(conn, users::table, users::email_key, selected(), texts, lock);
            let claimed: QueryResult<Vec<String>> =
                existing!(conn, claimed_emails(), claim::value_key, claim::value_key, texts, lock);
            found.and_then(|found| Ok([found, claimed?].concat()))
        }
    }
}

/// Returns the users that are found by the claim of their e-mail address.
#[diesel::dsl::auto_type]
fn claimed_emails() -> _ {
    let scope: &'static str = Claim::OF_EMAIL;
    let owner = users::table.on(users::uuid.eq(claim::owner));
    claim::table
        .inner_join(owner)
        .filter(claim::scope.eq(scope))
        .filter(users::email_key.is_null())
        .filter(users::email.is_not_null())
}
