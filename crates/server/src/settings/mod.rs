//! Settings from command-line flags, environment variables and `registrar.yml`, in this order of
//! precedence, with defaults.

mod hash_cost;
mod log_format;
mod proxies;
pub(crate) mod public_url;

use std::path::{Path, PathBuf};

use registrar_core::config::Policies;
use serde::Deserialize;

/// The settings file that is read if none is named.
const DEFAULT_FILE: &str = "registrar.yml";

pub use hash_cost::{CostError, HashCost};
pub use log_format::LogFormat;
pub use proxies::{ForwardedHeaders, Network};
pub use public_url::PublicUrl;

/// Defines [`Settings`] and [`PartialSettings`]. Each setting is declared once: documentation (also the help
/// text of its flag), type, default and the attributes of its flag. Those in `positive` must not be 0;
/// those in `optional` have no default.
macro_rules! settings {
    (
        values { $($(#[doc = $doc:literal])+ $name:ident: $type:ty = $default:expr, $arg:tt;)+ }
        positive { $($(#[doc = $doc_p:literal])+ $name_p:ident: $type_p:ty = $default_p:expr, $arg_p:tt;)+ }
        optional { $($(#[doc = $doc_o:literal])+ $name_o:ident: $type_o:ty, $arg_o:tt;)+ }
    ) => {
        /// The settings of a server.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Settings {
            $($(#[doc = $doc])+ pub $name: $type,)+
            $($(#[doc = $doc_p])+ pub $name_p: $type_p,)+
            $($(#[doc = $doc_o])+ pub $name_o: Option<$type_o>,)+
        }

        impl Default for Settings {
            fn default() -> Self {
                Self {
                    $($name: $default,)+
                    $($name_p: $default_p,)+
                    $($name_o: None,)+
                }
            }
        }

        settings! {
            @partial
            $($(#[doc = $doc])+ $name: $type, $arg;)+
            $($(#[doc = $doc_p])+ $name_p: $type_p, $arg_p;)+
            $($(#[doc = $doc_o])+ $name_o: $type_o, $arg_o;)+
        }

        impl PartialSettings {
            fn with_defaults(self) -> Result<Settings, SettingsError> {
                let default = Settings::default();
                let settings = Settings {
                    $($name: self.$name.unwrap_or(default.$name),)+
                    $($name_p: self.$name_p.unwrap_or(default.$name_p),)+
                    $($name_o: self.$name_o,)+
                };
                $(if settings.$name_p == 0 {
                    return Err(SettingsError::Zero(stringify!($name_p)));
                })+
                Ok(settings)
            }
        }
    };
    (@partial $($(#[doc = $doc:literal])+ $name:ident: $type:ty, [$($arg:tt)*];)+) => {
        /// Settings from one source: flags and environment, or a file.
        #[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
        #[cfg_attr(feature = "clap", derive(clap::Args))]
        #[serde(deny_unknown_fields)]
        pub struct PartialSettings {
            $(
                $(#[doc = $doc])+
                #[cfg_attr(feature = "clap", arg(long, global = true, $($arg)*))]
                pub $name: Option<$type>,
            )+
            /// File that contains the database URL, instead of --database-url
            #[cfg_attr(feature = "clap", arg(
                long, global = true, value_name = "FILE", env = "REGISTRAR_DATABASE_URL_FILE"
            ))]
            pub database_url_file: Option<PathBuf>,
        }

        impl PartialSettings {
            /// Fills settings that are not set from another source.
            #[must_use]
            pub fn or(self, mut other: Self) -> Self {
                if self.database_url.is_some() || self.database_url_file.is_some() {
                    (other.database_url, other.database_url_file) = (None, None);
                }
                Self {
                    $($name: self.$name.or(other.$name),)+
                    database_url_file: self.database_url_file.or(other.database_url_file),
                }
            }
        }
    };
}

/// Implements the conversion that serde uses for settings that are parsed from a string.
macro_rules! parsed_from_string {
    ($($type:ty),+) => {
        $(impl TryFrom<String> for $type {
            type Error = &'static str;

            fn try_from(text: String) -> Result<Self, &'static str> {
                text.parse()
            }
        })+
    };
}

parsed_from_string!(ForwardedHeaders, LogFormat, Network, PublicUrl);

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

settings! {
    values {
        /// Address and port to listen on; port 0 selects a free one [default: 127.0.0.1:8080]
        listen: String = "127.0.0.1:8080".to_owned(),
            [value_name = "ADDRESS", env = "REGISTRAR_LISTEN"];
        /// Addresses or networks of the proxies whose forwarding headers are trusted [default: none]
        trusted_proxies: Vec<Network> = Vec::new(),
            [value_name = "CIDR,…", env = "REGISTRAR_TRUSTED_PROXIES", value_delimiter = ','];
        /// Forwarding headers that the trusted proxies set: x-forwarded or forwarded [default: x-forwarded]
        forwarded_headers: ForwardedHeaders = ForwardedHeaders::default(),
            [value_name = "KIND", env = "REGISTRAR_FORWARDED_HEADERS"];
        /// Database: sqlite:PATH or postgres://USER@HOST/DATABASE [default: sqlite:data/registrar.db]
        database_url: String = "sqlite:data/registrar.db".to_owned(),
            [value_name = "URL", env = "REGISTRAR_DATABASE_URL", hide_env_values = true];
        /// Create the database or its tables if they do not exist [default: true]
        create_database: bool = true,
            [value_name = "BOOL", env = "REGISTRAR_CREATE_DATABASE"];
        /// Use prepared statements on PostgreSQL [default: true]
        prepared_statements: bool = true,
            [value_name = "BOOL", env = "REGISTRAR_PREPARED_STATEMENTS"];
        /// Folder of forms, types, contracts and locales; may be repeated [default: forms; if it does not
        /// exist, the built-in form sign_up]
        forms: Vec<PathBuf> = vec![PathBuf::from("forms")],
            [value_name = "DIR", env = "REGISTRAR_FORMS", value_delimiter = ','];
        /// Handling of forms with policies that are not enforced, such as `authorization_policies`: refuse
        /// or ignore [default: refuse]
        policies: Policies = Policies::Refuse,
            [value_name = "WORD", env = "REGISTRAR_POLICIES", value_parser = parse_policies];
        /// Migrate the database at start [default: true]
        migrate: bool = true,
            [value_name = "BOOL", env = "REGISTRAR_MIGRATE"];
        /// Maximum requests per second and token; 0: unlimited [default: 0]
        rate_limit: u32 = 0,
            [value_name = "COUNT", env = "REGISTRAR_RATE_LIMIT"];
        /// Maximum burst of requests per token; 0: equal to the rate limit [default: 0]
        rate_burst: u32 = 0,
            [value_name = "COUNT", env = "REGISTRAR_RATE_BURST"];
        /// Format of the log: text, or json with one object per line [default: text]
        log_format: LogFormat = LogFormat::default(),
            [value_name = "FORMAT", env = "REGISTRAR_LOG_FORMAT"];
        /// Argon2id memory per password hash in KiB, at least OWASP's minimum [default: 19456]
        hash_memory_kib: u32 = HashCost::default().memory_kib,
            [value_name = "KIB", env = "REGISTRAR_HASH_MEMORY_KIB"];
        /// Argon2id passes per password hash [default: 2]
        hash_passes: u32 = HashCost::default().passes,
            [value_name = "COUNT", env = "REGISTRAR_HASH_PASSES"];
    }
    positive {
        /// Maximum size of a request body in bytes [default: 1048576]
        body_limit: usize = 1024 * 1024,
            [value_name = "BYTES", env = "REGISTRAR_BODY_LIMIT"];
        /// Maximum size of the body of an unauthenticated request in bytes [default: 16384]
        open_body_limit: usize = 16 * 1024,
            [value_name = "BYTES", env = "REGISTRAR_OPEN_BODY_LIMIT"];
        /// Maximum time to receive a body in seconds [default: 30]
        body_seconds: u64 = 30,
            [value_name = "SECONDS", env = "REGISTRAR_BODY_SECONDS"];
        /// Maximum total memory for request bodies and large responses in bytes [default: 67108864]
        body_memory: usize = 64 * 1024 * 1024,
            [value_name = "BYTES", env = "REGISTRAR_BODY_MEMORY"];
        /// Maximum size of the stored data in one response in bytes [default: 16777216]
        answer_limit: usize = 16 * 1024 * 1024,
            [value_name = "BYTES", env = "REGISTRAR_ANSWER_LIMIT"];
        /// Maximum time that a request waits for the database or a password hash, in seconds [default: 30]
        request_seconds: u64 = 30,
            [value_name = "SECONDS", env = "REGISTRAR_REQUEST_SECONDS"];
        /// Maximum number of connections; more wait to be accepted [default: 4096]
        connections: usize = 4096,
            [value_name = "COUNT", env = "REGISTRAR_CONNECTIONS"];
        /// Database connections for reads [default: 4]
        readers: u32 = 4,
            [value_name = "COUNT", env = "REGISTRAR_READERS"];
        /// Writer threads on PostgreSQL, each with a connection; SQLite has one [default: 2]
        writers: u32 = 2,
            [value_name = "COUNT", env = "REGISTRAR_WRITERS"];
        /// Maximum number of writes in a transaction [default: 256]
        batch: usize = 256,
            [value_name = "COUNT", env = "REGISTRAR_BATCH"];
        /// Worker threads that handle requests [default: one per core]
        workers: usize = cores(),
            [value_name = "COUNT", env = "REGISTRAR_WORKERS"];
        /// Maximum number of queued writes [default: 4096]
        queue: usize = 4096,
            [value_name = "COUNT", env = "REGISTRAR_QUEUE"];
        /// Threads that hash passwords [default: one per core]
        hash_threads: usize = cores(),
            [value_name = "COUNT", env = "REGISTRAR_HASH_THREADS"];
        /// Maximum number of passwords waiting to be hashed [default: 256]
        hash_queue: usize = 256,
            [value_name = "COUNT", env = "REGISTRAR_HASH_QUEUE"];
    }
    optional {
        /// Address and port of a separate listener for /health and /metrics [default: none]
        admin_listen: String,
            [value_name = "ADDRESS", env = "REGISTRAR_ADMIN_LISTEN"];
        /// Public URL of the server, for links in responses [default: that of the request]
        public_url: PublicUrl,
            [value_name = "URL", env = "REGISTRAR_PUBLIC_URL"];
    }
}

#[cfg(feature = "clap")]
fn parse_policies(word: &str) -> Result<Policies, &'static str> {
    match word {
        "refuse" => Ok(Policies::Refuse),
        "ignore" => Ok(Policies::Ignore),
        _ => Err("expected `refuse` or `ignore`"),
    }
}

/// Error in the settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A file exists but cannot be read.
    #[error("cannot read {file}: {source}", file = .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The file has an unknown key or an invalid value.
    #[error("{file}:{line}:{column}: {message}", file = .file.display())]
    Invalid {
        /// The file.
        file: PathBuf,
        /// Line, from 1.
        line: u64,
        /// Column, from 1.
        column: u64,
        /// Description of the problem.
        message: String,
    },
    /// A number is 0 that must be positive.
    #[error("the setting `{0}` is 0: expected at least 1")]
    Zero(&'static str),
    /// An address to listen on has no host or no port.
    #[error("`{setting}` is `{value}`: expected ADDRESS:PORT, such as 127.0.0.1:8080")]
    Address {
        /// Name of the setting.
        setting: &'static str,
        /// The value.
        value: String,
    },
    /// A secret is set directly and as a file.
    #[error("`{0}` and `{0}_file` are both given: expected one of them")]
    Duplicate(&'static str),
    /// The cost of password hashes is too low or too high.
    #[error(transparent)]
    Cost(#[from] CostError),
}

impl Settings {
    /// Returns the cost of a password hash.
    #[must_use]
    pub fn hash_cost(&self) -> HashCost {
        HashCost { memory_kib: self.hash_memory_kib, passes: self.hash_passes }
    }
}

impl PartialSettings {
    /// Reads a settings file, by default `registrar.yml`, which may be missing.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, or has an unknown key or an invalid value.
    pub fn from_file(file: Option<&Path>) -> Result<Self, SettingsError> {
        let is_default = file.is_none();
        let file = file.unwrap_or(Path::new(DEFAULT_FILE));
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if is_default && error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(source) => return Err(SettingsError::Unreadable { file: file.into(), source }),
        };
        if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            return Ok(Self::default());
        }
        serde_yaml::from_str(&text).map_err(|error| {
            let location = error.location();
            let message = error.without_snippet().to_string();
            SettingsError::Invalid {
                file: file.into(),
                line: location.map_or(1, |location| location.line().max(1)),
                column: location.map_or(1, |location| location.column().max(1)),
                message: message.lines().next().unwrap_or_default().to_owned(),
            }
        })
    }

    /// Returns the settings, with defaults for those that are not set.
    ///
    /// # Errors
    /// Returns an error if a value is not allowed or the file of a secret cannot be read.
    pub fn resolve(mut self) -> Result<Settings, SettingsError> {
        if let Some(file) = self.database_url_file.take() {
            if self.database_url.is_some() {
                return Err(SettingsError::Duplicate("database_url"));
            }
            let text = std::fs::read_to_string(&file)
                .map_err(|source| SettingsError::Unreadable { file, source })?;
            let line = text.strip_suffix('\n').unwrap_or(&text);
            self.database_url = Some(line.strip_suffix('\r').unwrap_or(line).to_owned());
        }
        let is_default_folder = self.forms.is_none();
        let mut settings = self.with_defaults()?;
        // An empty list stands for the built-in forms.
        settings.forms.retain(|folder| !is_default_folder || folder.symlink_metadata().is_ok());
        settings.hash_cost().check()?;
        check_address("listen", &settings.listen)?;
        if let Some(address) = &settings.admin_listen {
            check_address("admin_listen", address)?;
        }
        Ok(settings)
    }
}

/// Returns an error unless a value consists of a host and a port.
fn check_address(setting: &'static str, value: &str) -> Result<(), SettingsError> {
    match value.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(()),
        _ => Err(SettingsError::Address { setting, value: value.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_source_takes_precedence() {
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
    fn unknown_keys_and_invalid_values_are_rejected() {
        let file =
            std::env::temp_dir().join(format!("registrar-settings-{}.yml", std::process::id()));
        for (text, expected) in [
            ("listen: 127.0.0.1:1\nbody_limits: 5\n", [":2:1: ", "body_limits"]),
            ("trusted_proxies: [10.0.0.0/99]\n", [":1:", "`10.0.0.0/8`"]),
            ("public_url: ftp://x\n", [":1:", "`https://example.com`"]),
            ("forwarded_headers: none\n", [":1:", "`x-forwarded`"]),
        ] {
            std::fs::write(&file, text).unwrap();
            let error = PartialSettings::from_file(Some(&file)).unwrap_err().to_string();
            assert!(expected.iter().all(|part| error.contains(part)), "{error}");
        }
        std::fs::remove_file(&file).unwrap();
        let weak_hash = PartialSettings { hash_memory_kib: Some(8), ..PartialSettings::default() };
        assert!(weak_hash.resolve().unwrap_err().to_string().contains("OWASP"));
        for listen in ["localhost", ":80", "127.0.0.1:http"] {
            let settings = PartialSettings { listen: Some(listen.into()), ..Default::default() };
            let error = settings.resolve().unwrap_err().to_string();
            assert!(error.contains(&format!("`listen` is `{listen}`: expected")), "{error}");
        }
        let zero = PartialSettings { queue: Some(0), ..PartialSettings::default() };
        assert!(zero.resolve().unwrap_err().to_string().contains("`queue`"));
        assert_eq!(PartialSettings::from_file(None).unwrap(), PartialSettings::default());
        let missing = PartialSettings::from_file(Some(Path::new("missing.yml"))).unwrap_err();
        assert!(missing.to_string().contains("missing.yml"), "{missing}");
    }
}
