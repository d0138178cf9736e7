//! The `registrar` command.
//!
//! Results are printed to standard output, messages to standard error; logs are written by env_logger.

mod check;
mod contract;
mod finding;
mod first_token;
mod flags;
mod init;
mod json_log;
mod log_writer;
mod logging;
mod man_pages;
mod new_form;
mod open_files;
mod report;
mod routes;
mod sample_request;
mod serve;
mod snippets;
mod summary;
mod templates;
mod tokens;
mod users;

use std::process::ExitCode;

use clap::Parser;
use flags::{Command, ContractCommand, Flags, NewCommand, ServeFlags, TokenCommand, UserCommand};
use registrar_server::settings::{LogFormat, Settings};

/// Exit code of a command, or its error.
type CommandResult = Result<ExitCode, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let flags = Flags::parse();
    let settings = match flags.settings() {
        Ok(settings) => settings,
        Err(error) => {
            print_error(&error);
            return ExitCode::FAILURE;
        }
    };
    // actix logs its start-up, which `serve` reports itself.
    let levels = match &flags.command {
        Some(Command::Serve(ServeFlags { quiet: true })) => {
            "info,actix_server=warn,registrar_store::connection::migrate=warn"
        }
        None | Some(Command::Serve(_)) => "info,actix_server=warn",
        _ => "warn",
    };
    let _flush = logging::start(levels, settings.log_format);
    // Standard error of a server has nothing but JSON then.
    let logs_errors = flags.is_serving() && settings.log_format == LogFormat::Json;
    match run(flags, settings) {
        Ok(code) => code,
        Err(error) if logs_errors => {
            log_error(&*error);
            ExitCode::FAILURE
        }
        Err(error) => {
            print_error(&*error);
            ExitCode::FAILURE
        }
    }
}

fn run(flags: Flags, settings: Settings) -> CommandResult {
    match flags.command.unwrap_or(Command::Serve(ServeFlags::default())) {
        Command::Serve(flags) => serve::serve(settings, &flags),
        Command::Init { folder, template } => init::init(&folder, template),
        Command::New(NewCommand::Form(flags)) => new_form::new_form(&settings, &flags),
        Command::Completions { shell } => man_pages::completions(shell),
        Command::Man { folder } => man_pages::man(folder.as_deref()),
        Command::Check(flags) => check::check(&settings, flags),
        Command::Schema { form } => check::schema(&settings, form.as_deref()),
        Command::Routes { format } => routes::routes(&settings, format),
        Command::Openapi => check::openapi(&settings),
        Command::Rules { name } => check::rules(name.as_deref()),
        Command::Explain { kind } => check::explain(kind.as_deref()),
        Command::Token(TokenCommand::Create { name, contract, header, attributes, limits }) => {
            let contract = contract.as_deref();
            tokens::create(&settings, &name, contract, (header, &attributes), &limits)
        }
        Command::Token(TokenCommand::List) => tokens::list(&settings),
        Command::Token(TokenCommand::Revoke { name }) => tokens::revoke(&settings, &name),
        Command::Contract(ContractCommand::Check { name }) => {
            contract::check(&settings, name.as_deref())
        }
        Command::Contract(ContractCommand::Replay(flags)) => contract::replay(&settings, &flags),
        Command::Migrate => serve::migrate(settings),
        Command::Backup { file } => serve::back_up(settings, &file),
        Command::User(UserCommand::Get { id }) => users::get(&settings, id),
        Command::User(UserCommand::SignOut { id }) => users::sign_out(&settings, id),
    }
}

/// Prints a result to standard output.
fn print(text: &str) {
    use std::io::Write as _;
    // Errors such as a closed pipe are ignored: `registrar rules | head`.
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints a message to standard error.
#[expect(clippy::print_stderr, reason = "messages go to standard error")]
fn print_message(text: &str) {
    log::logger().flush();
    eprintln!("{text}");
}

/// Returns the notice that no forms folder exists, or `None` if one is set.
fn built_in_forms_notice(settings: &Settings) -> Option<&'static str> {
    settings.forms.is_empty().then_some(
        "registrar: there is no folder `forms`: the built-in form `sign_up` is used; `registrar init` \
         writes it to a file, which is served after a restart",
    )
}

/// Logs an error, with one line per problem.
fn log_error(error: &(dyn std::error::Error + 'static)) {
    for problem in check::problems_of(error).unwrap_or_default() {
        log::error!(target: "registrar", "{problem}");
    }
    log::error!(target: "registrar", "{error}");
}

fn print_error(error: &(dyn std::error::Error + 'static)) {
    // Problems are printed one per line, as by `check`.
    if let Some(problems) = check::problems_of(error) {
        for problem in problems {
            print_message(&problem.to_string());
        }
    }
    print_message(&format!("registrar: {error}"));
}
