//! Settings of a store and parsing of database URLs.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use diesel::ConnectionError;

use crate::database_file::DatabaseFile;
use crate::error::OpenError;
use crate::tls;

/// Settings of a store.
#[derive(Clone)]
pub struct StoreSettings {
    /// `sqlite:PATH`, `sqlite://PATH`, `postgres://…` or `postgresql://…`. It may contain a password:
    /// use [`redact`] to print it.
    pub url: String,
    /// Number of read connections. Default 4.
    pub readers: u32,
    /// Number of writer threads, each with its own connection. Always 1 for SQLite. Default 1.
    pub writers: u32,
    /// Maximum number of queued writes; further ones return [`Busy`](crate::CreateError::Busy). Default
    /// 4096.
    pub queue: usize,
    /// Maximum number of writes in one transaction. Default 256.
    pub batch: usize,
    /// Whether opening applies pending migrations; if false and there are any, opening fails. Default
    /// true.
    pub migrate: bool,
    /// Whether opening creates a missing SQLite file or the tables in an empty database. Default true.
    pub create: bool,
    /// Whether PostgreSQL keeps prepared statements by name. Poolers in transaction mode must support
    /// that. Default true.
    pub prepared_statements: bool,
}

impl StoreSettings {
    /// Returns the default settings for the database at `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            readers: 4,
            writers: 1,
            queue: 4096,
            batch: 256,
            migrate: true,
            create: true,
            prepared_statements: true,
        }
    }
}

impl fmt::Debug for StoreSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreSettings")
            .field("url", &redact(&self.url))
            .field("readers", &self.readers)
            .field("writers", &self.writers)
            .field("queue", &self.queue)
            .field("batch", &self.batch)
            .field("migrate", &self.migrate)
            .field("create", &self.create)
            .field("prepared_statements", &self.prepared_statements)
            .finish()
    }
}

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

/// Returns a database URL with `***` in place of its password.
#[must_use]
pub fn redact(url: &str) -> String {
    let mut shown = url.to_owned();
    for password in passwords(url) {
        for (before, after) in [(":", "@"), ("password=", "")] {
            let hidden = format!("{before}***{after}");
            shown = shown.replace(&format!("{before}{password}{after}"), &hidden);
        }
    }
    shown
}

/// Returns a message with the URL's passwords replaced by `***`.
pub(crate) fn redact_message(url: &str, message: &str) -> String {
    let mut shown = message.replace(url, &redact(url));
    for password in passwords(url) {
        shown = shown.replace(password, "***");
    }
    shown
}

/// Returns the passwords in a URL as written: the parameter, and the one after the user's name.
fn passwords(url: &str) -> Vec<&str> {
    let Some((scheme, rest)) = url.split_once("://") else { return Vec::new() };
    if scheme == "sqlite" {
        return Vec::new();
    }
    let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
    let parameters = query.split('&').filter_map(|pair| pair.strip_prefix("password="));
    // A password with an unescaped `/`, `?` or `@` is invalid but must not be printed either.
    let user = address.rsplit_once('@').or_else(|| rest.rsplit_once('@')).map(|(user, _)| user);
    let named = user.and_then(|user| user.split_once(':')).map(|(_, password)| password);
    parameters.chain(named).filter(|password| !password.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_redacted() {
        for (url, shown) in [
            ("postgres://ann@host/db", "postgres://ann@host/db"),
            ("postgres://ann:secret@host:5432/db", "postgres://ann:***@host:5432/db"),
            ("postgres://ann:se/cr@et@host/db", "postgres://ann:***@host/db"),
            ("postgres://ann:se?cr@host/db", "postgres://ann:***@host/db"),
            (
                "postgresql://host/db?user=a&password=secret&x=1",
                "postgresql://host/db?user=a&password=***&x=1",
            ),
            ("postgres://:secret@/db", "postgres://:***@/db"),
            ("sqlite:data/registrar.db", "sqlite:data/registrar.db"),
            ("sqlite://a:b@c", "sqlite://a:b@c"),
        ] {
            assert_eq!(redact(url), shown);
        }
        let url = "postgres://ann:secret@host:x/db";
        let said = format!("invalid port in URI: \"{url}\" secret");
        assert!(!redact_message(url, &said).contains("secret"));
    }

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
