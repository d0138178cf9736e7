//! The `registrar_binary` command, as a person or a script runs it.

mod backup;
mod check;
mod contracts;
mod folders;
mod pages;
mod running;
mod serve;
mod settings;
mod stopping;
mod tokens;
mod users;

use std::process::Command;

use registrar_tests::{Database, ProcessOutput, Setup, run_command};

/// What a command that is to fail says to whoever ran it: one line, on the error stream alone.
#[track_caller]
fn refusal(command: &mut Command) -> String {
    let ProcessOutput { stdout, stderr, .. } = run_command(command).failure(1);
    assert_eq!(stdout, "");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    stderr.trim_end().to_owned()
}

/// Where the database does not matter.
fn setup() -> Setup {
    Setup::of(Database::Sqlite).unwrap()
}
