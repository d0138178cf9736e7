//! The command line and the environment.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand};
use registrar_core::config::Policies;
use registrar_server::auth::permissions::Scope;
use registrar_server::settings::{PartialSettings, Settings, SettingsError};

use crate::report::Format;

/// Form-configuration-driven user creation: forms in YAML, users over HTTP, one durable
/// transaction each.
#[derive(Debug, Parser)]
#[command(name = "registrar", version, max_term_width = 100)]
pub(crate) struct Flags {
    #[command(flatten)]
    shared: SettingsFlags,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Flags that every command understands. What is not given here is looked for in `registrar.yml`.
#[derive(Debug, Args)]
struct SettingsFlags {
    /// Address and port to listen on [default: 127.0.0.1:8080].
    #[arg(long, global = true, value_name = "ADDRESS", env = "REGISTRAR_LISTEN")]
    listen: Option<String>,
    /// Address and port for /health and /metrics, which --listen then lacks [default: none].
    #[arg(long, global = true, value_name = "ADDRESS", env = "REGISTRAR_ADMIN_LISTEN")]
    admin_listen: Option<String>,
    /// URL that clients reach the server by, for addresses in answers [default: the request's].
    #[arg(long, global = true, value_name = "URL", env = "REGISTRAR_PUBLIC_URL")]
    public_url: Option<String>,
    /// Addresses or networks of the proxies whose forwarding headers are read [default: none].
    #[arg(
        long,
        global = true,
        value_name = "CIDR,…",
        env = "REGISTRAR_TRUSTED_PROXIES",
        value_delimiter = ','
    )]
    trusted_proxies: Option<Vec<String>>,
    /// Which headers they set: x-forwarded or forwarded [default: x-forwarded].
    #[arg(long, global = true, value_name = "KIND", env = "REGISTRAR_FORWARDED_HEADERS")]
    forwarded_headers: Option<String>,
    /// sqlite:PATH or postgres://USER@HOST/DATABASE [default: sqlite:data/registrar.db].
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "REGISTRAR_DATABASE_URL",
        hide_env_values = true
    )]
    database_url: Option<String>,
    /// A file that holds the database URL, instead of --database-url.
    #[arg(long, global = true, value_name = "FILE", env = "REGISTRAR_DATABASE_URL_FILE")]
    database_url_file: Option<PathBuf>,
    /// Whether to make a database where there is none [default: true].
    #[arg(long, global = true, value_name = "BOOL", env = "REGISTRAR_CREATE_DATABASE")]
    create_database: Option<bool>,
    /// Whether to keep prepared statements on PostgreSQL's server [default: true].
    #[arg(long, global = true, value_name = "BOOL", env = "REGISTRAR_PREPARED_STATEMENTS")]
    prepared_statements: Option<bool>,
    /// A folder of forms; may be given several times [default: forms].
    #[arg(long, global = true, value_name = "DIR", env = "REGISTRAR_FORMS", value_delimiter = ',')]
    forms: Option<Vec<PathBuf>>,
    /// What becomes of forms with policies that are not enforced, such as `authorization_policies`:
    /// refuse or ignore [default: refuse].
    #[arg(long, global = true, value_name = "WORD", env = "REGISTRAR_POLICIES", value_parser = policies)]
    policies: Option<Policies>,
    /// Settings file.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "REGISTRAR_CONFIG",
        default_value = "registrar.yml"
    )]
    config: PathBuf,
    /// Whether to bring the database up to date at start [default: true].
    #[arg(long, global = true, value_name = "BOOL", env = "REGISTRAR_MIGRATE")]
    migrate: Option<bool>,
    /// Largest body to read, in bytes [default: 1048576].
    #[arg(long, global = true, value_name = "BYTES", env = "REGISTRAR_BODY_LIMIT")]
    body_limit: Option<usize>,
    /// Largest body to read of a client that is not known, in bytes [default: 16384].
    #[arg(long, global = true, value_name = "BYTES", env = "REGISTRAR_OPEN_BODY_LIMIT")]
    open_body_limit: Option<usize>,
    /// How long to wait for a body [default: 30].
    #[arg(long, global = true, value_name = "SECONDS", env = "REGISTRAR_BODY_SECONDS")]
    body_seconds: Option<u64>,
    /// How many bytes of bodies to hold at once [default: 67108864].
    #[arg(long, global = true, value_name = "BYTES", env = "REGISTRAR_BODY_MEMORY")]
    body_memory: Option<usize>,
    /// Most that one answer shows of what is stored, in bytes [default: 16777216].
    #[arg(long, global = true, value_name = "BYTES", env = "REGISTRAR_ANSWER_LIMIT")]
    answer_limit: Option<usize>,
    /// How long a request may wait for the database [default: 30].
    #[arg(long, global = true, value_name = "SECONDS", env = "REGISTRAR_REQUEST_SECONDS")]
    request_seconds: Option<u64>,
    /// How many connections to serve at once [default: 4096].
    #[arg(long, global = true, value_name = "COUNT", env = "REGISTRAR_CONNECTIONS")]
    connections: Option<usize>,
    /// Requests a second that a token may make; 0: any number [default: 0].
    #[arg(long, global = true, value_name = "COUNT", env = "REGISTRAR_RATE_LIMIT")]
    rate_limit: Option<u32>,
    /// Requests that it may make at once [default: as many as a second].
    #[arg(long, global = true, value_name = "COUNT", env = "REGISTRAR_RATE_BURST")]
    rate_burst: Option<u32>,
    /// Database connections that reads share [default: 4].
    #[arg(long, global = true, value_name = "COUNT", env = "REGISTRAR_READERS")]
    readers: Option<u32>,
    /// Writer threads on PostgreSQL, each with a connection; SQLite has one [default: 2].
    #[arg(long, global = true, value_name = "COUNT", env = "REGISTRAR_WRITERS")]
    writers: Option<u32>,
    /// How many users one transaction writes at most [default: 256].
    #[arg(long, global = true, value_name = "COUNT", env = "REGISTRAR_BATCH")]
    batch: Option<usize>,
    /// Threads that answer requests [default: one per core].
    #[arg(long, global = true, value_name = "COUNT", env = "REGISTRAR_WORKERS")]
    workers: Option<usize>,
    /// How many users may wait to be written [default: 4096].
    #[arg(long, global = true, value_name = "COUNT", env = "REGISTRAR_QUEUE")]
    queue: Option<usize>,
    /// Threads that hash passwords [default: one per core].
    #[arg(long, global = true, value_name = "COUNT", env = "REGISTRAR_HASH_THREADS")]
    hash_threads: Option<usize>,
    /// How many passwords may wait to be hashed [default: 256].
    #[arg(long, global = true, value_name = "COUNT", env = "REGISTRAR_HASH_QUEUE")]
    hash_queue: Option<usize>,
    /// Memory of a password hash in KiB; below OWASP's advice is refused [default: 19456].
    #[arg(long, global = true, value_name = "KIB", env = "REGISTRAR_HASH_MEMORY_KIB")]
    hash_memory_kib: Option<u32>,
    /// Passes of a password hash [default: 2].
    #[arg(long, global = true, value_name = "COUNT", env = "REGISTRAR_HASH_PASSES")]
    hash_passes: Option<u32>,
}

/// What to do; without one, `serve`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the API. On the very first start, print a token and a curl line to try.
    Serve,
    /// Check forms and types and run their examples: exit 1 with file:line:column of every mistake.
    Check(CheckFlags),
    /// Print the JSON Schema of what clients submit to a form; without one, that of the form format.
    Schema {
        /// A form.
        #[arg(value_name = "FORM")]
        form: Option<String>,
    },
    /// Print the OpenAPI 3.1 document of what is served: forms, contracts, and Registrar's own routes.
    Openapi,
    /// Print the rules that forms can use, or one of them, with options and examples.
    Rules {
        /// A rule.
        #[arg(value_name = "NAME")]
        name: Option<String>,
    },
    /// Print what the kinds of mistakes mean that `check` tells, or one of them.
    Explain {
        /// A kind, such as unknown-rule.
        #[arg(value_name = "KIND")]
        kind: Option<String>,
    },
    /// Make, list and revoke API tokens.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Look at contracts, and hold a server against recorded answers.
    #[command(subcommand)]
    Contract(ContractCommand),
    /// Bring the database up to date.
    Migrate,
    /// Copy a SQLite database to a file, also while it is served.
    Backup {
        /// The file to make.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Look at stored users.
    #[command(subcommand)]
    User(UserCommand),
}

/// What to check, and how to tell it.
#[derive(Debug, Args)]
pub(crate) struct CheckFlags {
    /// Folders or single files [default: the forms folders].
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// How to tell what is found.
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub(crate) format: Format,
    /// Name the rules that no example ever trips, and fail where there are any.
    #[arg(long)]
    pub(crate) coverage: bool,
    /// Print this form with all that it extends and uses, and where each part came from.
    #[arg(long, value_name = "FORM")]
    pub(crate) resolved: Option<String>,
}

/// What a new token is limited to.
#[derive(Debug, Args)]
pub(crate) struct LimitFlags {
    /// What it may do, and nothing else: create, read, update, delete, sessions, privileged.
    #[arg(long = "may", value_name = "SCOPE,…", value_delimiter = ',', value_parser = scopes())]
    pub(crate) scopes: Vec<String>,
    /// The form that it may use, and no other. May be given several times.
    #[arg(long = "form", value_name = "FORM")]
    pub(crate) only_forms: Vec<String>,
    /// After how many days it ends.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub(crate) days: Option<u32>,
}

fn scopes() -> PossibleValuesParser {
    PossibleValuesParser::new(Scope::ALL.map(|(name, _)| name))
}

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token and print it, and nothing else: it is shown only now.
    Create {
        /// What to call it.
        #[arg(value_name = "NAME")]
        name: String,
        /// For callers of this contract.
        #[arg(long, value_name = "CONTRACT")]
        contract: Option<String>,
        /// Print the whole value of `Authorization`, as the contract spells it.
        #[arg(long, requires = "contract")]
        header: bool,
        /// Something for the contract to ask: `account_id=…`. May be given several times.
        #[arg(long = "attribute", value_name = "NAME=TEXT", requires = "contract")]
        attributes: Vec<String>,
        #[command(flatten)]
        limits: LimitFlags,
    },
    /// List tokens by name.
    List,
    /// Revoke a token: requests with it are refused from now on.
    Revoke {
        /// What it is called.
        #[arg(value_name = "NAME")]
        name: String,
    },
}

/// What to do with contracts.
#[derive(Debug, Subcommand)]
pub(crate) enum ContractCommand {
    /// Check the configuration, and print what a contract serves, or what all do.
    Check {
        /// A contract.
        #[arg(value_name = "CONTRACT")]
        name: Option<String>,
    },
    /// Send recorded requests to a server and compare its answers: exit 1 where one differs.
    Replay(ReplayFlags),
}

/// What to replay, and where.
#[derive(Debug, Args)]
pub(crate) struct ReplayFlags {
    /// The contract that says where the paths of the file begin.
    #[arg(value_name = "CONTRACT")]
    pub(crate) contract: String,
    /// Lines of JSON, each a request with its answer (examples/contracts/README.md).
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The server, by http.
    #[arg(long, value_name = "URL")]
    pub(crate) url: String,
    /// What `{{credential}}` stands for.
    #[arg(long, value_name = "TEXT", env = "REGISTRAR_CREDENTIAL", hide_env_values = true)]
    pub(crate) credential: Option<String>,
    /// A file that holds it, instead of --credential.
    #[arg(
        long,
        value_name = "FILE",
        env = "REGISTRAR_CREDENTIAL_FILE",
        conflicts_with = "credential"
    )]
    pub(crate) credential_file: Option<PathBuf>,
    /// More keys whose values differ from time to time.
    #[arg(long, value_name = "KEYS", value_delimiter = ',')]
    pub(crate) mask: Vec<String>,
}

/// What to do with users.
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Print a stored user as JSON.
    Get {
        /// Its id.
        #[arg(value_name = "ID")]
        id: i64,
    },
    /// End all sessions of a user: the tokens that it signed in for.
    SignOut {
        /// Its id.
        #[arg(value_name = "ID")]
        id: i64,
    },
}

/// Reads the word of `--policies`.
fn policies(word: &str) -> Result<Policies, String> {
    match word {
        "refuse" => Ok(Policies::Refuse),
        "ignore" => Ok(Policies::Ignore),
        _ => Err("expected `refuse` or `ignore`".to_owned()),
    }
}

impl Flags {
    /// Whether this is the server.
    pub(crate) fn is_serving(&self) -> bool {
        matches!(self.command, None | Some(Command::Serve))
    }

    /// Flags before environment before the settings file before defaults.
    pub(crate) fn settings(&self) -> Result<Settings, SettingsError> {
        let shared = &self.shared;
        let given = PartialSettings {
            listen: shared.listen.clone(),
            admin_listen: shared.admin_listen.clone(),
            public_url: shared.public_url.clone(),
            trusted_proxies: shared.trusted_proxies.clone(),
            forwarded_headers: shared.forwarded_headers.clone(),
            database_url: shared.database_url.clone(),
            database_url_file: shared.database_url_file.clone(),
            create_database: shared.create_database,
            prepared_statements: shared.prepared_statements,
            forms: shared.forms.clone(),
            policies: shared.policies,
            migrate: shared.migrate,
            body_limit: shared.body_limit,
            open_body_limit: shared.open_body_limit,
            body_seconds: shared.body_seconds,
            body_memory: shared.body_memory,
            answer_limit: shared.answer_limit,
            request_seconds: shared.request_seconds,
            connections: shared.connections,
            rate_limit: shared.rate_limit,
            rate_burst: shared.rate_burst,
            readers: shared.readers,
            writers: shared.writers,
            batch: shared.batch,
            workers: shared.workers,
            queue: shared.queue,
            hash_threads: shared.hash_threads,
            hash_queue: shared.hash_queue,
            hash_memory_kib: shared.hash_memory_kib,
            hash_passes: shared.hash_passes,
        };
        given.or(PartialSettings::from_file(&shared.config)?).resolve()
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        super::Flags::command().debug_assert();
    }
}
