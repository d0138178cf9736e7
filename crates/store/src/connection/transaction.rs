//! Transactions and savepoints.

use std::time::{Duration, Instant};

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::result::Error;
use diesel::{Connection, QueryResult};

use super::error_kind::{ErrorKind, classify};
use super::{AnyConnection, WriterConnection};

/// Error of a transaction.
#[derive(Debug)]
pub(crate) enum TransactionError {
    /// The transaction was rolled back and the connection is usable.
    RolledBack(Error),
    /// The transaction was rolled back and the connection is unusable.
    ConnectionBroken(Error),
    /// The commit failed and may have taken effect.
    CommitUnknown(Error),
}

/// Result of a transaction.
#[derive(Debug)]
pub(crate) struct Committed<T> {
    /// The value returned by the writes.
    pub(crate) value: T,
    /// Duration of `COMMIT`, or `None` if there was nothing to commit.
    pub(crate) commit_time: Option<Duration>,
}

/// Runs `writes` in one transaction. It is rolled back if `is_dirty` returns false, which saves the
/// wait for the disk.
pub(crate) fn transaction<T>(
    writer: &mut WriterConnection,
    writes: impl FnOnce(&mut AnyConnection) -> QueryResult<T>,
    is_dirty: impl FnOnce(&T) -> bool,
) -> Result<Committed<T>, TransactionError> {
    let begun = begin_write(writer);
    let conn = &mut writer.conn;
    if let Err(error) = begun {
        return Err(match classify(conn, &error) {
            ErrorKind::Transient => TransactionError::RolledBack(error),
            _ => TransactionError::ConnectionBroken(error),
        });
    }
    let value = match writes(conn) {
        Ok(value) => value,
        Err(error) => {
            return Err(match rollback(conn) {
                Ok(()) => TransactionError::RolledBack(error),
                Err(_) => TransactionError::ConnectionBroken(error),
            });
        }
    };
    if !is_dirty(&value) {
        rollback(conn).map_err(TransactionError::ConnectionBroken)?;
        return Ok(Committed { value, commit_time: None });
    }
    let begun = Instant::now();
    if let Err(error) = commit(conn) {
        return Err(if commit_was_rolled_back(conn, &error) {
            TransactionError::RolledBack(error)
        } else {
            TransactionError::CommitUnknown(error)
        });
    }
    Ok(Committed { value, commit_time: Some(begun.elapsed()) })
}

/// Begins a write transaction.
pub(super) fn begin_write(writer: &mut WriterConnection) -> QueryResult<()> {
    let begin = &writer.begin;
    match &mut writer.conn {
        AnyConnection::Sqlite(conn) => AnsiTransactionManager::begin_transaction_sql(conn, begin),
        AnyConnection::Postgres(conn) => AnsiTransactionManager::begin_transaction_sql(conn, begin),
    }
}

/// Begins a read-only transaction that sees one snapshot.
fn begin_read(conn: &mut AnyConnection) -> QueryResult<()> {
    match conn {
        AnyConnection::Sqlite(conn) => AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN"),
        AnyConnection::Postgres(conn) => AnsiTransactionManager::begin_transaction_sql(
            conn,
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        ),
    }
}

type Manager = <AnyConnection as Connection>::TransactionManager;

/// Begins a savepoint, which the next `commit` or `rollback` ends.
pub(crate) fn begin_savepoint(conn: &mut AnyConnection) -> QueryResult<()> {
    Manager::begin_transaction(conn)
}

/// Commits the innermost transaction or savepoint. A committed transaction is durable.
pub(crate) fn commit(conn: &mut AnyConnection) -> QueryResult<()> {
    Manager::commit_transaction(conn)
}

/// Rolls back the innermost transaction or savepoint.
pub(crate) fn rollback(conn: &mut AnyConnection) -> QueryResult<()> {
    Manager::rollback_transaction(conn)
}

/// Returns whether a commit that failed certainly had no effect.
fn commit_was_rolled_back(conn: &mut AnyConnection, error: &Error) -> bool {
    match conn {
        // SQLite detects these before it writes the commit to its log.
        AnyConnection::Sqlite(_) => {
            matches!(classify(conn, error), ErrorKind::Transient | ErrorKind::DiskFull)
        }
        // The error is final if the server still answers.
        AnyConnection::Postgres(conn) => {
            !matches!(error, Error::RollbackErrorOnCommit { .. })
                && conn.batch_execute("SELECT 1").is_ok()
        }
    }
}

/// Runs reads that see one snapshot of the database.
pub(crate) fn read<T>(
    conn: &mut AnyConnection,
    reads: impl FnOnce(&mut AnyConnection) -> QueryResult<T>,
) -> QueryResult<T> {
    begin_read(conn)?;
    let result = reads(conn);
    // Nothing was written. The pool drops a connection whose rollback fails.
    let ended = rollback(conn);
    result.and_then(|value| ended.map(|()| value))
}
