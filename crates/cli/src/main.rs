//! The `registrar` command.
//!
//! Results are printed to standard output, messages to standard error; logs are written by env_logger.

mod check;
mod contract;
mod finding;
mod flags;
mod log_writer;
mod logging;
mod open_files;
mod report;
mod routes;
mod serve;
mod snippets;
mod tokens;
mod users;

use std::process::ExitCode;

use clap::Parser;
use flags::{Command, ContractCommand, Flags, TokenCommand, UserCommand};

/// Exit code of a command, or its error.
type CommandResult = Result<ExitCode, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let flags = Flags::parse();
    // actix logs its start-up, which `serve` reports itself.
    let levels = if flags.is_serving() { "info,actix_server=warn" } else { "warn" };
    let _flush = logging::start(levels);
    match run(flags) {
        Ok(code) => code,
        Err(error) => {
            print_error(&*error);
            ExitCode::FAILURE
        }
    }
}

fn run(flags: Flags) -> CommandResult {
    let settings = flags.settings()?;
    match flags.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::serve(settings),
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

fn print_error(error: &(dyn std::error::Error + 'static)) {
    // Problems are printed one per line, as by `check`.
    if let Some(problems) = check::problems_of(error) {
        for problem in problems {
            print_message(&problem.to_string());
        }
    }
    print_message(&format!("registrar: {error}"));
}
