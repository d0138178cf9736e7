//! The `registrar` command line.

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

/// Returns the error of a failing command: a single line on standard error.
#[track_caller]
fn error_line(command: &mut Command) -> String {
    let ProcessOutput { stdout, stderr, .. } = run_command(command).failure(1);
    assert_eq!(stdout, "");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    stderr.trim_end().to_owned()
}

/// Setup for tests in which the database does not matter.
fn setup() -> Setup {
    Setup::of(Database::Sqlite).unwrap()
}
