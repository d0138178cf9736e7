//! Settings of a store.

use std::fmt;

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
        for (url, redacted) in [
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
            assert_eq!(redact(url), redacted);
        }
        let url = "postgres://ann:secret@host:x/db";
        let message = format!("invalid port in URI: \"{url}\" secret");
        assert!(!redact_message(url, &message).contains("secret"));
    }
}
