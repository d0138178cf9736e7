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

/// A connection that writes.
pub(crate) struct WriterConnection {
    pub(crate) conn: AnyConnection,
    /// The statements that begin a transaction, with its settings. Nothing is set for the session: a
    /// pooler may use it for another client after each transaction.
    pub(crate) begin: String,
}
