//! Classification of database errors.
//!
//! diesel does not return the SQLSTATE, so some errors of PostgreSQL are recognized by their message.
//! With other values of `lc_messages` they count as [`ErrorKind::Other`], which is slower but correct.

use diesel::result::{DatabaseErrorKind, Error};

use super::AnyConnection;

/// Kind of a database error, by what the writer does about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// A conflict with another transaction: a retry may succeed.
    Transient,
    /// The connection is lost.
    ConnectionLost,
    /// The disk is full.
    DiskFull,
    /// Any other error, caused by the data or by this program.
    Other,
}

/// Returns the kind of an error of this connection.
pub(crate) fn classify(conn: &AnyConnection, error: &Error) -> ErrorKind {
    let Error::DatabaseError(kind, information) = error else {
        return match error {
            Error::BrokenTransactionManager | Error::RollbackErrorOnCommit { .. } => {
                ErrorKind::ConnectionLost
            }
            _ => ErrorKind::Other,
        };
    };
    let contains = |text: &str| information.message().contains(text);
    match (kind, conn) {
        (DatabaseErrorKind::SerializationFailure, _) => ErrorKind::Transient,
        (DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand, _) => {
            ErrorKind::ConnectionLost
        }
        // The server became a standby; a new connection may reach the primary.
        (DatabaseErrorKind::ReadOnlyTransaction, _) => ErrorKind::ConnectionLost,
        (DatabaseErrorKind::Unknown, AnyConnection::Sqlite(_)) => {
            if contains("is locked") {
                ErrorKind::Transient
            } else if contains("disk is full") {
                ErrorKind::DiskFull
            } else {
                ErrorKind::Other
            }
        }
        (DatabaseErrorKind::Unknown, AnyConnection::Postgres(_)) => {
            if contains("deadlock detected") || contains("lock timeout") {
                ErrorKind::Transient
            } else if contains("No space left on device") || contains("disk full") {
                ErrorKind::DiskFull
            } else {
                ErrorKind::Other
            }
        }
        _ => ErrorKind::Other,
    }
}

/// Returns a hint if a pooler caused the error, otherwise an empty string.
pub(super) fn pooler_hint(error: &Error) -> &'static str {
    let is_caused_by_pooler = matches!(error, Error::DatabaseError(_, information)
        if information.message().starts_with("prepared statement \""));
    match is_caused_by_pooler {
        true => " (behind a pooler in transaction mode, set `prepared_statements: false`)",
        false => "",
    }
}

/// Returns whether the error is a unique violation.
pub(crate) fn is_unique_violation(error: &Error) -> bool {
    matches!(error, Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _))
}

/// Returns the kind and message of an error for the log, without values.
pub(crate) fn describe(error: &Error) -> String {
    let Error::DatabaseError(kind, information) = error else {
        // The messages of (de)serialization errors contain the value.
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

/// Removes from a message what is quoted and what follows a colon, since that may be a value.
fn without_values(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    // Here SQLite puts the name of a constraint after the colon.
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
    fn log_messages_contain_no_values() {
        for (message, logged) in [
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
            assert_eq!(without_values(message), logged);
        }
    }
}
