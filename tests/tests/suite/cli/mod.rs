//! The `registrar` command line.

mod backup;
mod built_in_form;
mod check;
mod contracts;
mod forms_directory;
mod generated_files;
mod graceful_shutdown;
mod init;
mod new_form;
mod output_formats;
mod routes;
mod serve_messages;
mod serve_operation;
mod serve_start;
mod settings;
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
