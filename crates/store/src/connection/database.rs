//! The database of a store, named by its URL.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use diesel::ConnectionError;

use super::database_file::DatabaseFile;
use super::tls;
use crate::error::OpenError;
use crate::settings::{StoreSettings, redact, redact_message};

/// A parsed database URL.
#[derive(Clone)]
pub(crate) enum DatabaseTarget {
    /// The file of a SQLite database.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres {
        /// The URL for libpq.
        url: String,
        /// Whether prepared statements are kept by name.
        is_prepared: bool,
    },
}

impl DatabaseTarget {
    /// Parses a database URL.
    pub(crate) fn parse(url: &str) -> Result<Self, OpenError> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            tls::check(url)?;
            return Ok(Self::Postgres { url: url.to_owned(), is_prepared: true });
        }
        let Some(path) = url.strip_prefix("sqlite:") else {
            let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
            return Err(OpenError::UnknownScheme { scheme: scheme.to_owned() });
        };
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path == ":memory:" {
            return Err(OpenError::NotAFile);
        }
        Ok(Self::Sqlite(PathBuf::from(path)))
    }
}

/// The database of a store.
#[derive(Clone)]
pub(crate) struct Database {
    pub(crate) target: DatabaseTarget,
    url: String,
    /// The file that was opened, if the database is SQLite's.
    file: Option<Arc<DatabaseFile>>,
}

impl Database {
    /// Parses a database URL.
    pub(crate) fn parse(url: &str) -> Result<Self, OpenError> {
        Ok(Self { target: DatabaseTarget::parse(url)?, url: url.to_owned(), file: None })
    }

    /// Returns the database that the settings name.
    pub(crate) fn from_settings(settings: &StoreSettings) -> Result<Self, OpenError> {
        let mut database = Self::parse(&settings.url)?;
        if let DatabaseTarget::Postgres { is_prepared, .. } = &mut database.target {
            *is_prepared = settings.prepared_statements;
        }
        Ok(database)
    }

    /// Remembers the identity of the SQLite file for [`is_unchanged`](Self::is_unchanged).
    pub(crate) fn track_file(&mut self) {
        if let DatabaseTarget::Sqlite(path) = &self.target {
            self.file = Some(Arc::new(DatabaseFile::open(path)));
        }
    }

    /// Returns whether the SQLite file is still the one that was opened; true for PostgreSQL.
    pub(crate) fn is_unchanged(&self) -> bool {
        self.file.as_ref().is_none_or(|file| file.is_unchanged())
    }

    /// Returns the size of SQLite's write-ahead log in bytes, or `None` for PostgreSQL.
    pub(crate) fn wal_bytes(&self) -> Option<u64> {
        let DatabaseTarget::Sqlite(path) = &self.target else { return None };
        let mut log = path.clone().into_os_string();
        log.push("-wal");
        Some(std::fs::metadata(log).map_or(0, |file| file.len()))
    }

    /// Returns the message of an error without the password.
    pub(crate) fn redacted(&self, error: &ConnectionError) -> String {
        redact_message(&self.url, &error.to_string())
    }

    /// Converts an error of opening a connection.
    pub(crate) fn connect_error(&self, error: &ConnectionError) -> OpenError {
        OpenError::Connect { url: redact(&self.url), reason: self.redacted(error) }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&redact(&self.url))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_scheme_selects_the_database() {
        let path = |url| match DatabaseTarget::parse(url) {
            Ok(DatabaseTarget::Sqlite(path)) => path.display().to_string(),
            _ => "not SQLite".to_owned(),
        };
        assert_eq!(path("sqlite:a/b.db"), "a/b.db");
        assert_eq!(path("sqlite:///a/b.db"), "/a/b.db");
        assert_eq!(path("sqlite://b.db"), "b.db");
        assert_eq!(path("postgres://host/db"), "not SQLite");
        assert!(
            matches!(DatabaseTarget::parse("mysql://h/d"), Err(OpenError::UnknownScheme { scheme }) if scheme == "mysql")
        );
        assert!(matches!(DatabaseTarget::parse("sqlite::memory:"), Err(OpenError::NotAFile)));
        let unknown = DatabaseTarget::parse("secret@host").err().map(|error| error.to_string());
        assert!(
            unknown.is_some_and(|text| !text.contains("secret") && text.contains("sqlite:PATH"))
        );
    }
}
