//! What can be set, and in which order it counts: flags, environment, `registrar.yml`, defaults.
//!
//! Flags and environment are the command line's business; it fills a [`PartialSettings`] from them.

use std::path::{Path, PathBuf};

use registrar_core::config::Policies;
use serde::Deserialize;

mod hash_cost;
mod proxies;
pub(crate) mod public_url;
mod values;

pub use hash_cost::{CostError, HashCost};
pub use proxies::{ForwardedHeaders, Network};

use values::{forwarded_headers, networks, public_url, secret};

/// The settings of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Address and port to listen on. Port 0 takes any free one.
    pub listen: String,
    /// Address and port of a second listener for health and metrics, which `listen` then lacks.
    pub admin_listen: Option<String>,
    /// The URL that clients reach the server by, without a slash at its end.
    pub public_url: Option<String>,
    /// Networks of the proxies whose `X-Forwarded-*` or `Forwarded` headers are read.
    pub trusted_proxies: Vec<Network>,
    /// Which of these headers the proxies set.
    pub forwarded_headers: ForwardedHeaders,
    /// `sqlite:PATH` or `postgres://…`
    pub database_url: String,
    /// Whether the server makes a database where there is none: the file of SQLite, the tables of
    /// PostgreSQL.
    pub create_database: bool,
    /// Whether statements are kept on PostgreSQL's server by name.
    pub prepared_statements: bool,
    /// The folders of forms, types, contracts and locales.
    pub forms: Vec<PathBuf>,
    /// What becomes of forms with policies that are not enforced.
    pub policies: Policies,
    /// Whether the server brings the database up to date when it starts.
    pub migrate: bool,
    /// The largest body it reads, in bytes.
    pub body_limit: usize,
    /// The largest body it reads of a client that it does not know, in bytes.
    pub open_body_limit: usize,
    /// How long it waits for a body, in seconds.
    pub body_seconds: u64,
    /// How many bytes of bodies, and of large answers, it holds at once, all requests together.
    pub body_memory: usize,
    /// The most that one answer shows of what is stored, in bytes.
    pub answer_limit: usize,
    /// How long a request may wait for the database and for the hash of a password, in seconds.
    pub request_seconds: u64,
    /// How many connections it serves at once; more wait to be let in.
    pub connections: usize,
    /// How many requests a second a token may make; 0: any number.
    pub rate_limit: u32,
    /// How many requests a token may make at once after a pause; 0: as many as a second.
    pub rate_burst: u32,
    /// Connections that reads share.
    pub readers: u32,
    /// Threads that write on PostgreSQL, each with a connection; SQLite has one writer.
    pub writers: u32,
    /// How many users one transaction writes at most.
    pub batch: usize,
    /// Threads that answer requests.
    pub workers: usize,
    /// How many users may wait to be written.
    pub queue: usize,
    /// Threads that hash passwords.
    pub hash_threads: usize,
    /// How many passwords may wait to be hashed.
    pub hash_queue: usize,
    /// What a hash costs.
    pub hash_cost: HashCost,
}

impl Default for Settings {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            admin_listen: None,
            public_url: None,
            trusted_proxies: Vec::new(),
            forwarded_headers: ForwardedHeaders::default(),
            database_url: "sqlite:data/registrar.db".to_owned(),
            create_database: true,
            prepared_statements: true,
            forms: vec![PathBuf::from("forms")],
            policies: Policies::Refuse,
            migrate: true,
            body_limit: 1024 * 1024,
            open_body_limit: 16 * 1024,
            body_seconds: 30,
            body_memory: 64 * 1024 * 1024,
            answer_limit: 16 * 1024 * 1024,
            request_seconds: 30,
            connections: 4096,
            rate_limit: 0,
            rate_burst: 0,
            readers: 4,
            writers: 2,
            batch: 256,
            workers: cores,
            queue: 4096,
            hash_threads: cores,
            hash_queue: 256,
            hash_cost: HashCost::default(),
        }
    }
}

/// Settings that somebody gave; what nobody gave keeps its default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartialSettings {
    /// See [`Settings::listen`].
    pub listen: Option<String>,
    /// See [`Settings::admin_listen`].
    pub admin_listen: Option<String>,
    /// See [`Settings::public_url`].
    pub public_url: Option<String>,
    /// See [`Settings::trusted_proxies`].
    pub trusted_proxies: Option<Vec<String>>,
    /// See [`Settings::forwarded_headers`].
    pub forwarded_headers: Option<String>,
    /// See [`Settings::database_url`].
    pub database_url: Option<String>,
    /// A file that holds [`Settings::database_url`].
    pub database_url_file: Option<PathBuf>,
    /// See [`Settings::create_database`].
    pub create_database: Option<bool>,
    /// See [`Settings::prepared_statements`].
    pub prepared_statements: Option<bool>,
    /// See [`Settings::forms`].
    pub forms: Option<Vec<PathBuf>>,
    /// `refuse` or `ignore`; see [`Settings::policies`].
    pub policies: Option<Policies>,
    /// See [`Settings::migrate`].
    pub migrate: Option<bool>,
    /// See [`Settings::body_limit`].
    pub body_limit: Option<usize>,
    /// See [`Settings::open_body_limit`].
    pub open_body_limit: Option<usize>,
    /// See [`Settings::body_seconds`].
    pub body_seconds: Option<u64>,
    /// See [`Settings::body_memory`].
    pub body_memory: Option<usize>,
    /// See [`Settings::answer_limit`].
    pub answer_limit: Option<usize>,
    /// See [`Settings::request_seconds`].
    pub request_seconds: Option<u64>,
    /// See [`Settings::connections`].
    pub connections: Option<usize>,
    /// See [`Settings::rate_limit`].
    pub rate_limit: Option<u32>,
    /// See [`Settings::rate_burst`].
    pub rate_burst: Option<u32>,
    /// See [`Settings::readers`].
    pub readers: Option<u32>,
    /// See [`Settings::writers`].
    pub writers: Option<u32>,
    /// See [`Settings::batch`].
    pub batch: Option<usize>,
    /// See [`Settings::workers`].
    pub workers: Option<usize>,
    /// See [`Settings::queue`].
    pub queue: Option<usize>,
    /// See [`Settings::hash_threads`].
    pub hash_threads: Option<usize>,
    /// See [`Settings::hash_queue`].
    pub hash_queue: Option<usize>,
    /// See [`HashCost::memory_kib`].
    pub hash_memory_kib: Option<u32>,
    /// See [`HashCost::passes`].
    pub hash_passes: Option<u32>,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file is there but cannot be read.
    #[error("cannot read {file}: {source}", file = .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds something that is no setting.
    #[error("{file}:{line}:{column}: {what}", file = .file.display())]
    Invalid {
        /// The file.
        file: PathBuf,
        /// Line, from 1.
        line: u64,
        /// Column, from 1.
        column: u64,
        /// What is wrong.
        what: String,
    },
    /// A number that must not be zero is.
    #[error("the setting `{0}` is 0: expected at least 1")]
    Zero(&'static str),
    /// A secret is given twice.
    #[error("`{0}` and `{0}_file` are both given: expected one of them")]
    Twice(&'static str),
    /// A text is not of the form that the setting takes.
    #[error("the setting `{name}` is `{value}`: expected {expected}")]
    Format {
        /// The setting.
        name: &'static str,
        /// What was given.
        value: String,
        /// What it takes.
        expected: &'static str,
    },
    /// The hashes would be too cheap to guess against, or dearer than a server can bear.
    #[error(transparent)]
    Cost(#[from] CostError),
}

impl PartialSettings {
    /// Reads a settings file. One that is not there gives nothing.
    ///
    /// # Errors
    /// Where the file cannot be read, or holds an unknown key or a value of the wrong kind.
    pub fn from_file(file: &Path) -> Result<Self, SettingsError> {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(source) => return Err(SettingsError::Unreadable { file: file.into(), source }),
        };
        if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            return Ok(Self::default());
        }
        serde_yaml::from_str(&text).map_err(|error| {
            let location = error.location();
            let what = error.without_snippet().to_string();
            SettingsError::Invalid {
                file: file.into(),
                line: location.map_or(1, |location| location.line().max(1)),
                column: location.map_or(1, |location| location.column().max(1)),
                what: what.lines().next().unwrap_or_default().to_owned(),
            }
        })
    }

    /// What is given here, else what is given there.
    #[must_use]
    pub fn or(self, mut other: Self) -> Self {
        // `database_url_file` is another source of the same setting.
        if self.database_url.is_some() || self.database_url_file.is_some() {
            (other.database_url, other.database_url_file) = (None, None);
        }
        Self {
            listen: self.listen.or(other.listen),
            admin_listen: self.admin_listen.or(other.admin_listen),
            public_url: self.public_url.or(other.public_url),
            trusted_proxies: self.trusted_proxies.or(other.trusted_proxies),
            forwarded_headers: self.forwarded_headers.or(other.forwarded_headers),
            database_url: self.database_url.or(other.database_url),
            database_url_file: self.database_url_file.or(other.database_url_file),
            create_database: self.create_database.or(other.create_database),
            prepared_statements: self.prepared_statements.or(other.prepared_statements),
            forms: self.forms.or(other.forms),
            policies: self.policies.or(other.policies),
            migrate: self.migrate.or(other.migrate),
            body_limit: self.body_limit.or(other.body_limit),
            open_body_limit: self.open_body_limit.or(other.open_body_limit),
            body_seconds: self.body_seconds.or(other.body_seconds),
            body_memory: self.body_memory.or(other.body_memory),
            answer_limit: self.answer_limit.or(other.answer_limit),
            request_seconds: self.request_seconds.or(other.request_seconds),
            connections: self.connections.or(other.connections),
            rate_limit: self.rate_limit.or(other.rate_limit),
            rate_burst: self.rate_burst.or(other.rate_burst),
            readers: self.readers.or(other.readers),
            writers: self.writers.or(other.writers),
            batch: self.batch.or(other.batch),
            workers: self.workers.or(other.workers),
            queue: self.queue.or(other.queue),
            hash_threads: self.hash_threads.or(other.hash_threads),
            hash_queue: self.hash_queue.or(other.hash_queue),
            hash_memory_kib: self.hash_memory_kib.or(other.hash_memory_kib),
            hash_passes: self.hash_passes.or(other.hash_passes),
        }
    }

    /// The settings, with the defaults for what nobody gave.
    ///
    /// # Errors
    /// Where a number that must not be zero is, or password hashes would be too cheap.
    pub fn resolve(self) -> Result<Settings, SettingsError> {
        let default = Settings::default();
        let settings = Settings {
            listen: self.listen.unwrap_or(default.listen),
            admin_listen: self.admin_listen,
            public_url: public_url(self.public_url)?,
            trusted_proxies: networks(self.trusted_proxies.unwrap_or_default())?,
            forwarded_headers: forwarded_headers(self.forwarded_headers)?,
            database_url: secret("database_url", self.database_url, self.database_url_file)?
                .unwrap_or(default.database_url),
            create_database: self.create_database.unwrap_or(default.create_database),
            prepared_statements: self.prepared_statements.unwrap_or(default.prepared_statements),
            forms: self.forms.unwrap_or(default.forms),
            policies: self.policies.unwrap_or(default.policies),
            migrate: self.migrate.unwrap_or(default.migrate),
            body_limit: self.body_limit.unwrap_or(default.body_limit),
            open_body_limit: self.open_body_limit.unwrap_or(default.open_body_limit),
            body_seconds: self.body_seconds.unwrap_or(default.body_seconds),
            body_memory: self.body_memory.unwrap_or(default.body_memory),
            answer_limit: self.answer_limit.unwrap_or(default.answer_limit),
            request_seconds: self.request_seconds.unwrap_or(default.request_seconds),
            connections: self.connections.unwrap_or(default.connections),
            rate_limit: self.rate_limit.unwrap_or(default.rate_limit),
            rate_burst: self.rate_burst.unwrap_or(default.rate_burst),
            readers: self.readers.unwrap_or(default.readers),
            writers: self.writers.unwrap_or(default.writers),
            batch: self.batch.unwrap_or(default.batch),
            workers: self.workers.unwrap_or(default.workers),
            queue: self.queue.unwrap_or(default.queue),
            hash_threads: self.hash_threads.unwrap_or(default.hash_threads),
            hash_queue: self.hash_queue.unwrap_or(default.hash_queue),
            hash_cost: HashCost {
                memory_kib: self.hash_memory_kib.unwrap_or(default.hash_cost.memory_kib),
                passes: self.hash_passes.unwrap_or(default.hash_cost.passes),
            },
        };
        let zero = [
            ("body_limit", settings.body_limit == 0),
            ("open_body_limit", settings.open_body_limit == 0),
            ("body_seconds", settings.body_seconds == 0),
            ("body_memory", settings.body_memory == 0),
            ("answer_limit", settings.answer_limit == 0),
            ("request_seconds", settings.request_seconds == 0),
            ("connections", settings.connections == 0),
            ("readers", settings.readers == 0),
            ("writers", settings.writers == 0),
            ("batch", settings.batch == 0),
            ("workers", settings.workers == 0),
            ("queue", settings.queue == 0),
            ("hash_threads", settings.hash_threads == 0),
            ("hash_queue", settings.hash_queue == 0),
        ];
        settings.hash_cost.check()?;
        match zero.into_iter().find(|(_, is_zero)| *is_zero) {
            Some((name, _)) => Err(SettingsError::Zero(name)),
            None => Ok(settings),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_first_counts() {
        let flags = PartialSettings { listen: Some("a:1".into()), ..PartialSettings::default() };
        let file = PartialSettings {
            listen: Some("b:2".into()),
            body_limit: Some(5),
            ..PartialSettings::default()
        };
        let settings = flags.or(file).resolve().unwrap();
        assert_eq!((settings.listen.as_str(), settings.body_limit), ("a:1", 5));
        assert_eq!(settings.database_url, Settings::default().database_url);
    }

    #[test]
    fn unknown_keys_and_zeroes_are_refused() {
        let file =
            std::env::temp_dir().join(format!("registrar-settings-{}.yml", std::process::id()));
        std::fs::write(&file, "listen: 127.0.0.1:1\nbody_limits: 5\n").unwrap();
        let error = PartialSettings::from_file(&file).unwrap_err().to_string();
        std::fs::remove_file(&file).unwrap();
        assert!(error.contains(":2:1: ") && error.contains("body_limits"), "{error}");
        let cheap = PartialSettings { hash_memory_kib: Some(8), ..PartialSettings::default() };
        assert!(cheap.resolve().unwrap_err().to_string().contains("OWASP"));
        let zero = PartialSettings { queue: Some(0), ..PartialSettings::default() };
        assert!(zero.resolve().unwrap_err().to_string().contains("`queue`"));
        assert_eq!(
            PartialSettings::from_file(Path::new("no-such-file.yml")).unwrap(),
            PartialSettings::default()
        );
    }
}
