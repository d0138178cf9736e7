//! What an error of a database means for the writer.
//!
//! diesel gives no SQLSTATE, so some of PostgreSQL's errors are told by their message; where the
//! server speaks another language they count as [`Fault::Other`], which is slower and still right.

use diesel::result::{DatabaseErrorKind, Error};

use crate::connection::AnyConnection;

/// What to do after an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Somebody else's transaction was in the way: the same may succeed now.
    Retry,
    /// The connection is gone.
    Lost,
    /// The disk is full.
    Full,
    /// Anything else: a fault in what was to be written, or in this program.
    Other,
}

/// Reads an error that came from this connection.
pub(crate) fn fault(conn: &AnyConnection, error: &Error) -> Fault {
    let Error::DatabaseError(kind, information) = error else {
        return match error {
            Error::BrokenTransactionManager | Error::RollbackErrorOnCommit { .. } => Fault::Lost,
            _ => Fault::Other,
        };
    };
    let says = |text: &str| information.message().contains(text);
    match (kind, conn) {
        (DatabaseErrorKind::SerializationFailure, _) => Fault::Retry,
        (DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand, _) => {
            Fault::Lost
        }
        // A server that became a standby: another connection may reach the one that writes.
        (DatabaseErrorKind::ReadOnlyTransaction, _) => Fault::Lost,
        (DatabaseErrorKind::Unknown, AnyConnection::Sqlite(_)) => {
            if says("is locked") {
                Fault::Retry
            } else if says("disk is full") {
                Fault::Full
            } else {
                Fault::Other
            }
        }
        (DatabaseErrorKind::Unknown, AnyConnection::Postgres(_)) => {
            if says("deadlock detected") || says("lock timeout") {
                Fault::Retry
            } else if says("No space left on device") || says("disk full") {
                Fault::Full
            } else {
                Fault::Other
            }
        }
        _ => Fault::Other,
    }
}

/// Returns a hint for an error of prepared statements that a pooler causes, or an empty text.
pub(crate) fn pooler_hint(error: &Error) -> &'static str {
    let is_its = matches!(error, Error::DatabaseError(_, information)
        if information.message().starts_with("prepared statement \""));
    match is_its {
        true => " (behind a pooler in transaction mode, set `prepared_statements: false`)",
        false => "",
    }
}

/// Whether an error is that of a unique index.
pub(crate) fn is_unique_violation(error: &Error) -> bool {
    matches!(error, Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _))
}

/// An error as it may stand in a log: its kind, and what it says without the values in it.
pub(crate) fn describe(error: &Error) -> String {
    let Error::DatabaseError(kind, information) = error else {
        // Errors of (de)serialisation quote what they stumbled over.
        return match error {
            Error::SerializationError(_) => "a value cannot be sent to the database".to_owned(),
            Error::DeserializationError(_) => "a stored value cannot be read".to_owned(),
            other => other.to_string(),
        };
    };
    let name = information.constraint_name().unwrap_or_default();
    let table = information.table_name().unwrap_or_default();
    let hint = pooler_hint(error);
    format!("{kind:?} {table} {name} ({}){hint}", without_values(information.message()))
}

/// A database's message without what it quotes and what follows a colon: there stand the values.
fn without_values(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    // SQLite names a constraint after the colon, never a value.
    if line.contains("constraint failed: ") {
        return line.to_owned();
    }
    let line = line.split(": ").next().unwrap_or_default();
    line.split('"').step_by(2).collect::<Vec<_>>().join("\"…\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_is_described() {
        for (said, shown) in [
            (
                "invalid input syntax for type json: \"secret\"",
                "invalid input syntax for type json",
            ),
            ("relation \"users\" does not exist", "relation \"…\" does not exist"),
            (
                "CHECK constraint failed: length(uuid) = 16",
                "CHECK constraint failed: length(uuid) = 16",
            ),
            ("database is locked", "database is locked"),
            ("one\nDETAIL: secret", "one"),
        ] {
            assert_eq!(without_values(said), shown);
        }
    }
}
