//! A connection to either database.
//!
//! How one is opened, and whatever else the two do differently, is in [`crate::dialect`].

use diesel::{MultiConnection, PgConnection, SqliteConnection};

/// A connection to SQLite or to PostgreSQL.
#[derive(MultiConnection)]
pub(crate) enum AnyConnection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}
