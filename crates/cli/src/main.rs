//! The `registrar` command: serves, checks forms, holds servers against contracts, keeps tokens,
//! migrates.
//!
//! What it prints for people goes to standard error or, where it is the result, to standard
//! output; logs are env_logger's.

mod check;
mod contract;
mod flags;
mod logging;
mod open_files;
mod report;
mod serve;
mod tokens;
mod users;

use std::process::ExitCode;

use clap::Parser;
use flags::{Command, ContractCommand, Flags, TokenCommand, UserCommand};

/// What a command comes to: nothing, or what went wrong.
type Outcome = Result<ExitCode, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let flags = Flags::parse();
    // The web library's own start-up lines say nothing that ours do not.
    let levels = if flags.is_serving() { "info,actix_server=warn" } else { "warn" };
    logging::start(levels);
    match run(flags) {
        Ok(code) => code,
        Err(error) => {
            say_error(&*error);
            ExitCode::FAILURE
        }
    }
}

fn run(flags: Flags) -> Outcome {
    let settings = flags.settings()?;
    match flags.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::serve(settings),
        Command::Check(flags) => check::check(&settings, flags),
        Command::Schema { form } => check::schema(&settings, form.as_deref()),
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
    }
}

/// Prints a result.
fn print(text: &str) {
    use std::io::Write as _;
    // Whoever reads it may have read enough: `registrar rules | head`.
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Tells a person something beside the result.
#[expect(clippy::print_stderr, reason = "what is for people goes to standard error")]
fn say(text: &str) {
    eprintln!("{text}");
}

fn say_error(error: &(dyn std::error::Error + 'static)) {
    // Broken forms are told problem by problem, as `check` tells them.
    if let Some(problems) = check::problems_of(error) {
        for problem in problems {
            say(&problem.to_string());
        }
    }
    say(&format!("registrar: {error}"));
}
