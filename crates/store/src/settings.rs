//! Where the database is and how much it may take: the settings of a store, and URLs.
//!
//! Nothing here opens anything.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use diesel::ConnectionError;

use crate::error::OpenError;
use crate::opened_file::OpenedFile;
use crate::tls;

/// How a store is opened.
#[derive(Clone)]
pub struct StoreSettings {
    /// `sqlite:PATH`, `sqlite://PATH`, `postgres://…` or `postgresql://…`. May hold a password:
    /// print it through [`redact`] only.
    pub url: String,
    /// Connections that reads share. Default 4.
    pub readers: u32,
    /// Writer threads, each with a connection of its own. SQLite always has one. Default 1.
    pub writers: u32,
    /// How many submissions may wait to be written before new ones are told
    /// [`Busy`](crate::CreateError::Busy). Default 4096.
    pub queue: usize,
    /// How many submissions one transaction writes at most. Default 256.
    pub batch: usize,
    /// Whether opening applies missing migrations; when not, it refuses to open. Default true.
    pub migrate: bool,
    /// Whether opening makes a database: the file of SQLite, the tables in an empty one of PostgreSQL.
    /// Default true.
    pub create: bool,
    /// Whether statements are prepared on PostgreSQL's server and kept there by name. A pooler that
    /// changes connections between transactions has to know of that. Default true.
    pub prepared_statements: bool,
}

impl StoreSettings {
    /// The defaults, for the database at `url`.
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

/// The database a URL names.
#[derive(Clone)]
pub(crate) enum Target {
    /// The file of a SQLite database.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres {
        /// Its URL, as libpq takes it.
        url: String,
        /// Whether statements are kept by name.
        is_prepared: bool,
    },
}

impl Target {
    /// Reads a database URL.
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

/// The database a store works on.
#[derive(Clone)]
pub(crate) struct Database {
    pub(crate) target: Target,
    url: String,
    /// The file that was opened, where it is SQLite's.
    file: Option<Arc<OpenedFile>>,
}

impl Database {
    /// Reads a database URL.
    pub(crate) fn parse(url: &str) -> Result<Self, OpenError> {
        Ok(Self { target: Target::parse(url)?, url: url.to_owned(), file: None })
    }

    /// The database that a store is opened with.
    pub(crate) fn of(settings: &StoreSettings) -> Result<Self, OpenError> {
        let mut database = Self::parse(&settings.url)?;
        if let Target::Postgres { is_prepared, .. } = &mut database.target {
            *is_prepared = settings.prepared_statements;
        }
        Ok(database)
    }

    /// Notes which file is opened, so that [`is_in_place`](Self::is_in_place) can tell.
    pub(crate) fn note_file(&mut self) {
        if let Target::Sqlite(path) = &self.target {
            self.file = Some(Arc::new(OpenedFile::of(path)));
        }
    }

    /// Returns whether the file that was opened still has its name. Of a database that is no file, it is
    /// always so.
    pub(crate) fn is_in_place(&self) -> bool {
        self.file.as_ref().is_none_or(|file| file.is_in_place())
    }

    /// Returns the size of SQLite's write-ahead log in bytes, 0 where there is none; `None` for
    /// PostgreSQL.
    pub(crate) fn log_bytes(&self) -> Option<u64> {
        let Target::Sqlite(path) = &self.target else { return None };
        let mut log = path.clone().into_os_string();
        log.push("-wal");
        Some(std::fs::metadata(log).map_or(0, |file| file.len()))
    }

    /// What an error says, without the password.
    pub(crate) fn redacted(&self, error: &ConnectionError) -> String {
        redact_message(&self.url, &error.to_string())
    }

    /// The error of a connection that could not be opened.
    pub(crate) fn refused(&self, error: &ConnectionError) -> OpenError {
        OpenError::Connect { url: redact(&self.url), reason: self.redacted(error) }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&redact(&self.url))
    }
}

/// A database URL as it may be printed: with `***` for its password.
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

/// What a database said about a URL, without the URL's password.
pub(crate) fn redact_message(url: &str, message: &str) -> String {
    let mut shown = message.replace(url, &redact(url));
    for password in passwords(url) {
        shown = shown.replace(password, "***");
    }
    shown
}

/// The passwords in a URL as they are spelled there: as a parameter, or after the user's name.
fn passwords(url: &str) -> Vec<&str> {
    let Some((scheme, rest)) = url.split_once("://") else { return Vec::new() };
    if scheme == "sqlite" {
        return Vec::new();
    }
    let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
    let parameters = query.split('&').filter_map(|pair| pair.strip_prefix("password="));
    // A password with an unescaped `/`, `?` or `@` is a mistake, but must not be printed for that.
    let user = address.rsplit_once('@').or_else(|| rest.rsplit_once('@')).map(|(user, _)| user);
    let named = user.and_then(|user| user.split_once(':')).map(|(_, password)| password);
    parameters.chain(named).filter(|password| !password.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_shown() {
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
    fn the_scheme_chooses_the_database() {
        let path = |url| match Target::parse(url) {
            Ok(Target::Sqlite(path)) => path.display().to_string(),
            _ => "not SQLite".to_owned(),
        };
        assert_eq!(path("sqlite:a/b.db"), "a/b.db");
        assert_eq!(path("sqlite:///a/b.db"), "/a/b.db");
        assert_eq!(path("sqlite://b.db"), "b.db");
        assert_eq!(path("postgres://host/db"), "not SQLite");
        assert!(
            matches!(Target::parse("mysql://h/d"), Err(OpenError::UnknownScheme { scheme }) if scheme == "mysql")
        );
        assert!(matches!(Target::parse("sqlite::memory:"), Err(OpenError::NotAFile)));
        let unknown = Target::parse("secret@host").err().map(|error| error.to_string());
        assert!(
            unknown.is_some_and(|text| !text.contains("secret") && text.contains("sqlite:PATH"))
        );
    }
}
