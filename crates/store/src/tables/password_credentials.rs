//! The table of password hashes.

use diesel::sql_types::{BigInt, Text};
use diesel::{QueryResult, table};

use crate::connection::AnyConnection;
use crate::sql::types::SqlTimestamp;
use crate::sql::{execute, row, statement};

table! {
    password_credentials (user_id) {
        user_id -> BigInt,
        phc -> Text,
    }
}

row! {
    PasswordRow<'a> in password_credentials {
        user_id: i64 as BigInt,
        phc: &'a str as Text,
        created_at: i64 as SqlTimestamp,
    }
}

statement! {
    UpsertPassword<'a>:
    "INSERT INTO password_credentials (user_id, phc, created_at) VALUES ("
    { user_id: i64 as BigInt }
    ", " { phc: &'a str as Text }
    ", " { at: i64 as SqlTimestamp }
    ") ON CONFLICT (user_id) DO UPDATE SET phc = excluded.phc, created_at = excluded.created_at"
}

statement! {
    ReplaceHash<'a>:
    "UPDATE password_credentials SET phc = " { new: &'a str as Text }
    " WHERE user_id = " { user_id: &'a i64 as BigInt }
    " AND phc = " { old: &'a str as Text }
    ""
}

/// Sets the password hash of a user.
pub(crate) fn upsert_password(
    conn: &mut AnyConnection,
    user_id: i64,
    phc: &str,
    at: i64,
) -> QueryResult<()> {
    execute!(conn, UpsertPassword { user_id, phc, at }).map(drop)
}

/// Replaces a password hash and returns false if the password was changed meanwhile.
pub(crate) fn replace_hash(
    conn: &mut AnyConnection,
    user_id: i64,
    old: &str,
    new: &str,
) -> QueryResult<bool> {
    Ok(execute!(conn, ReplaceHash { new, user_id: &user_id, old })? > 0)
}
