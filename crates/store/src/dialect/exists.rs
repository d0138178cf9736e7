//! Which of the things that submissions refer to exist.
//!
//! On PostgreSQL their rows are locked, so that they cannot vanish before the commit; on SQLite
//! nobody else writes meanwhile.

use diesel::{
    ExpressionMethods, JoinOnDsl, NullableExpressionMethods, OptionalExtension, QueryDsl,
    QueryResult, RunQueryDsl,
};
use registrar_core::aggregate::{Claim, ReferenceTarget};

use crate::connection::AnyConnection;
use crate::schema::{
    customizations, relationships, transactables, unique_claims as claim, user_profiles, users,
};

/// Whether what is found stays until the transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    Kept,
    None,
}

/// The keys that exist in a column: one query for all of them on PostgreSQL, one for each on
/// SQLite.
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
                    Lock::Kept => found.for_key_share().load(conn),
                    Lock::None => found.load(conn),
                }
            }
        }
    };
}

/// The ids that exist.
pub(crate) fn existing_ids(
    conn: &mut AnyConnection,
    target: ReferenceTarget,
    ids: &[i64],
    lock: Lock,
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

/// The relationship of a type that has a key.
pub(crate) fn relationship_by_key(
    conn: &mut AnyConnection,
    (type_name, key): (&str, &str),
    lock: Lock,
) -> QueryResult<Option<i64>> {
    let query = relationships::table
        .filter(relationships::type_name.eq(type_name))
        .filter(relationships::key.eq(key))
        .select(relationships::id);
    match conn {
        AnyConnection::Sqlite(conn) => query.first(conn),
        AnyConnection::Postgres(conn) => match lock {
            Lock::Kept => query.for_key_share().first(conn),
            Lock::None => query.first(conn),
        },
    }
    .optional()
}

/// A text by which users are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextKey {
    /// `users.external_id`
    ExternalId,
    /// The key of the e-mail address.
    EmailKey,
}

/// The texts that some user has.
pub(crate) fn existing_texts(
    conn: &mut AnyConnection,
    key: TextKey,
    texts: &[&str],
    lock: Lock,
) -> QueryResult<Vec<String>> {
    match key {
        TextKey::ExternalId => {
            let selected = || users::external_id.assume_not_null();
            existing!(conn, users::table, users::external_id, selected(), texts, lock)
        }
        TextKey::EmailKey => {
            let selected = || users::email_key.assume_not_null();
            let found: QueryResult<Vec<String>> =
                existing!(conn, users::table, users::email_key, selected(), texts, lock);
            let claimed: QueryResult<Vec<String>> =
                existing!(conn, claimed_emails(), claim::value_key, claim::value_key, texts, lock);
            found.and_then(|found| Ok([found, claimed?].concat()))
        }
    }
}

/// Users who are found by the claim of their e-mail address.
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
