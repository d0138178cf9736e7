//! Command line and environment.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use registrar_server::auth::permissions::Scope;
use registrar_server::settings::{PartialSettings, Settings, SettingsError};

use crate::report::Format;
use crate::routes::RoutesFormat;
use crate::templates::{FormResource, Template};

/// Form-configuration-driven user creation: forms in YAML, users over HTTP, one durable
/// transaction each.
#[derive(Debug, Parser)]
#[command(name = "registrar", version = env!("REGISTRAR_VERSION"), max_term_width = 100)]
pub(crate) struct Flags {
    #[command(flatten)]
    shared: SharedFlags,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Flags of all commands. Settings that are not given are read from the environment and the settings file.
#[derive(Debug, Args)]
struct SharedFlags {
    #[command(flatten)]
    settings: PartialSettings,
    /// Settings file [default: registrar.yml, if it exists]
    #[arg(long, global = true, value_name = "FILE", env = "REGISTRAR_CONFIG")]
    config: Option<PathBuf>,
}

/// Commands; the default is `serve`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the API; the first start prints a token and a sample request
    Serve(ServeFlags),
    /// Write the files of a new project: forms, types and settings
    Init {
        /// Folder to write to
        #[arg(value_name = "DIR", default_value = ".")]
        folder: PathBuf,
        /// Files to write
        #[arg(long, value_enum, default_value = "minimal", value_name = "NAME")]
        template: Template,
    },
    /// Write a new form
    #[command(subcommand)]
    New(NewCommand),
    /// Check the configuration and run its examples; exit with 1 if there are problems
    Check(CheckFlags),
    /// Print the JSON Schema of submissions to FORM, or of form files if FORM is omitted
    Schema {
        /// Name of a form
        #[arg(value_name = "FORM")]
        form: Option<String>,
    },
    /// List all routes with their contract, operation, form and scope
    Routes {
        /// Output format
        #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
        format: RoutesFormat,
    },
    /// Print the OpenAPI 3.1 document of the served configuration
    Openapi,
    /// Print the documentation of all validation rules, or of one
    Rules {
        /// Name of a rule
        #[arg(value_name = "NAME")]
        name: Option<String>,
    },
    /// Print the documentation of all kinds of problems that `check` reports, or of one
    Explain {
        /// Kind of a problem, such as unknown-rule
        #[arg(value_name = "KIND")]
        kind: Option<String>,
    },
    /// Create, list and revoke API tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// Summarize contracts and replay recorded exchanges against a server
    #[command(subcommand)]
    Contract(ContractCommand),
    /// Migrate the database to the current schema
    Migrate,
    /// Copy a SQLite database to a file; the database may be in use
    Backup {
        /// File to create
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Show stored users and end their sessions
    #[command(subcommand)]
    User(UserCommand),
    /// Print the completion script of a shell
    Completions {
        /// Shell
        #[arg(value_enum, value_name = "SHELL")]
        shell: Shell,
    },
    /// Print the main page for man, or write the pages of all commands to a folder
    Man {
        /// Folder to write to
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
}

/// Flags of `serve`.
#[derive(Debug, Default, Args)]
pub(crate) struct ServeFlags {
    /// Print no messages except errors and the first token; requests are logged as usual
    #[arg(long)]
    pub(crate) quiet: bool,
}

/// Commands for new files.
#[derive(Debug, Subcommand)]
pub(crate) enum NewCommand {
    /// Write a form with common fields, rules and examples to the first forms folder
    Form(NewFormFlags),
}

/// Flags of `new form`.
#[derive(Debug, Args)]
pub(crate) struct NewFormFlags {
    /// Name of the form, and of its file without extension
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Resource that submissions create, or Session for sign-ins
    #[arg(long, value_enum, default_value = "User", value_name = "RESOURCE")]
    pub(crate) resource: FormResource,
    /// Type of the records; users and sessions have none
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) record_type: Option<String>,
}

/// Flags of `check`.
#[derive(Debug, Args)]
pub(crate) struct CheckFlags {
    /// Folders or files [default: the forms folders]
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub(crate) format: Format,
    /// Report rules that no example violates as problems
    #[arg(long)]
    pub(crate) coverage: bool,
    /// Print a form with `extends` and `use` resolved, and the source of each part
    #[arg(long, value_name = "FORM")]
    pub(crate) resolved: Option<String>,
}

/// Limits of a new token.
#[derive(Debug, Args)]
pub(crate) struct LimitFlags {
    /// Scopes of the token: create, read, update, delete, sessions, privileged, private [default: all]
    #[arg(long = "may", value_name = "SCOPE,…", value_delimiter = ',', value_parser = scope_parser())]
    pub(crate) scopes: Vec<String>,
    /// Forms that the token may submit; may be repeated [default: all]
    #[arg(long = "form", value_name = "FORM,…", value_delimiter = ',')]
    pub(crate) only_forms: Vec<String>,
    /// Lifetime of the token in days [default: unlimited]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub(crate) days: Option<u32>,
}

fn scope_parser() -> PossibleValuesParser {
    PossibleValuesParser::new(Scope::ALL.iter().map(|scope| scope.name()))
}

/// Commands for tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Create a token and print it; it cannot be shown again
    Create {
        /// Name of the token, or e-mail address of the user
        #[arg(value_name = "NAME")]
        name: String,
        /// Contract that the token is for
        #[arg(long, value_name = "CONTRACT")]
        contract: Option<String>,
        /// Print the value of the header `Authorization` as the contract expects it
        #[arg(long, requires = "contract")]
        header: bool,
        /// Attribute that the contract reads, such as `account_id=…`; may be repeated
        #[arg(long = "attribute", value_name = "NAME=TEXT", requires = "contract")]
        attributes: Vec<String>,
        #[command(flatten)]
        limits: LimitFlags,
    },
    /// List tokens by name
    List,
    /// Revoke a token
    Revoke {
        /// Name of the token
        #[arg(value_name = "NAME")]
        name: String,
    },
}

/// Commands for contracts.
#[derive(Debug, Subcommand)]
pub(crate) enum ContractCommand {
    /// Check the configuration and print a summary of one contract, or of all
    Check {
        /// Name of a contract
        #[arg(value_name = "CONTRACT")]
        name: Option<String>,
    },
    /// Send recorded requests to a server and compare its responses; exit with 1 if one differs
    Replay(ReplayFlags),
}

/// Flags of `contract replay`.
#[derive(Debug, Args)]
pub(crate) struct ReplayFlags {
    /// Contract that the paths in the file belong to
    #[arg(value_name = "CONTRACT")]
    pub(crate) contract: String,
    /// File with one JSON object per exchange (examples/contracts/README.md)
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// URL of the server (http)
    #[arg(long, value_name = "URL")]
    pub(crate) url: String,
    /// Value of `{{credential}}`
    #[arg(long, value_name = "TEXT", env = "REGISTRAR_CREDENTIAL", hide_env_values = true)]
    pub(crate) credential: Option<String>,
    /// File that contains the credential, instead of --credential
    #[arg(
        long,
        value_name = "FILE",
        env = "REGISTRAR_CREDENTIAL_FILE",
        conflicts_with = "credential"
    )]
    pub(crate) credential_file: Option<PathBuf>,
    /// Additional keys whose values are not compared
    #[arg(long, value_name = "KEYS", value_delimiter = ',')]
    pub(crate) mask: Vec<String>,
}

/// Commands for users.
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Print a stored user as JSON
    Get {
        /// Id of the user
        #[arg(value_name = "ID")]
        id: i64,
    },
    /// End all sessions of a user
    SignOut {
        /// Id of the user
        #[arg(value_name = "ID")]
        id: i64,
    },
}

impl Flags {
    /// Returns whether the command is `serve`.
    pub(crate) fn is_serving(&self) -> bool {
        matches!(self.command, None | Some(Command::Serve(_)))
    }

    /// Returns the settings: flags take precedence over the environment, the settings file and defaults.
    pub(crate) fn settings(&self) -> Result<Settings, SettingsError> {
        let SharedFlags { settings, config } = &self.shared;
        let file = PartialSettings::from_file(config.as_deref())?;
        settings.clone().or(file).resolve()
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn command_line_is_valid() {
        super::Flags::command().debug_assert();
    }
}
