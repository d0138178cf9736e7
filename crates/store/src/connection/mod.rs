//! Connections to either database: opening them, transactions, migrations and backups.

mod backup;
mod claim_backfill;
mod database;
mod database_file;
mod error_kind;
mod migrate;
mod pool;
mod postgres;
mod sqlite;
mod tls;
mod transaction;

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{ConnectionError, MultiConnection, PgConnection, QueryResult, SqliteConnection};

pub use backup::BackupError;
pub(crate) use backup::back_up;
pub(crate) use database::{Database, DatabaseTarget};
pub(crate) use error_kind::{ErrorKind, classify, describe, is_unique_violation};
pub(crate) use migrate::{apply, is_complete_set, is_empty, pending_of};
pub use migrate::{migrate, pending};
pub(crate) use pool::{ReadPool, read_pool};
pub(crate) use tls::is_unencrypted;
pub(crate) use transaction::{
    Committed, TransactionError, begin_savepoint, commit, read, rollback, transaction,
};

/// Maximum time that a statement waits for a lock.
pub(crate) const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

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
    begin: String,
}

/// Use of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConnectionRole {
    /// Reads only; the database rejects writes.
    Reader,
    /// Writes durably.
    Writer,
    /// Changes the schema and waits for locks without a timeout.
    Migrator,
}

/// Opens a connection and configures it for its role.
pub(crate) fn connect(
    target: &DatabaseTarget,
    role: ConnectionRole,
) -> Result<AnyConnection, ConnectionError> {
    match target {
        DatabaseTarget::Sqlite(path) => sqlite::connect(path, role).map(AnyConnection::Sqlite),
        DatabaseTarget::Postgres { url, is_prepared } => {
            postgres::connect(url, *is_prepared).map(AnyConnection::Postgres)
        }
    }
}

/// Opens a connection that writes durably.
pub(crate) fn connect_to_write(
    target: &DatabaseTarget,
    role: ConnectionRole,
) -> Result<WriterConnection, ConnectionError> {
    let mut conn = connect(target, role)?;
    let begin = match &mut conn {
        // A deferred transaction that reads first may be refused the write lock.
        AnyConnection::Sqlite(_) => "BEGIN IMMEDIATE".to_owned(),
        AnyConnection::Postgres(conn) => postgres::begin_write(conn, role)?,
    };
    Ok(WriterConnection { conn, begin })
}

/// Checks that the database answers. The connection must not be in a transaction.
pub(crate) fn ping(conn: &mut AnyConnection) -> QueryResult<()> {
    // diesel's own ping prepares a statement.
    conn.batch_execute("SELECT 1")
}

/// Returns whether the database is a server, whose connections may be lost.
pub(crate) fn is_remote(conn: &AnyConnection) -> bool {
    matches!(conn, AnyConnection::Postgres(_))
}

/// Moves SQLite's write-ahead log into the database file.
pub(crate) fn checkpoint(conn: &mut AnyConnection) -> QueryResult<()> {
    match conn {
        AnyConnection::Sqlite(conn) => conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)"),
        AnyConnection::Postgres(_) => Ok(()),
    }
}
