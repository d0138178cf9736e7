//! Runs writes in one transaction.

use std::time::{Duration, Instant};

use diesel::QueryResult;
use diesel::result::Error;

use crate::connection::{AnyConnection, WriterConnection};
use crate::dialect::{self, ErrorKind};

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
    let begun = dialect::begin_write(writer);
    let conn = &mut writer.conn;
    if let Err(error) = begun {
        return Err(match dialect::classify(conn, &error) {
            ErrorKind::Transient => TransactionError::RolledBack(error),
            _ => TransactionError::ConnectionBroken(error),
        });
    }
    let value = match writes(conn) {
        Ok(value) => value,
        Err(error) => {
            return Err(match dialect::rollback(conn) {
                Ok(()) => TransactionError::RolledBack(error),
                Err(_) => TransactionError::ConnectionBroken(error),
            });
        }
    };
    if !is_dirty(&value) {
        dialect::rollback(conn).map_err(TransactionError::ConnectionBroken)?;
        return Ok(Committed { value, commit_time: None });
    }
    let begun = Instant::now();
    if let Err(error) = dialect::commit(conn) {
        return Err(if dialect::commit_was_rolled_back(conn, &error) {
            TransactionError::RolledBack(error)
        } else {
            TransactionError::CommitUnknown(error)
        });
    }
    Ok(Committed { value, commit_time: Some(begun.elapsed()) })
}
