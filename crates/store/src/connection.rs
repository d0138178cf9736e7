//! Connections to either database.

use diesel::{MultiConnection, PgConnection, SqliteConnection};

/// A connection to SQLite or to PostgreSQL.
#[derive(MultiConnection)]
pub(crate) enum AnyConnection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// A connection of a writer.
pub(crate) struct WriterConnection {
    pub(crate) conn: AnyConnection,
    /// The statements that begin a transaction and configure it. Session settings are not used, since
    /// a pooler may assign the session to another client after each transaction.
    pub(crate) begin: String,
}
