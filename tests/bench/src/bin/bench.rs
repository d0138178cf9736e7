//! Benchmark runner; see `tests/bench/README.md`.

use std::process::ExitCode;

use clap::Parser;
use registrar_bench::runner::{Options, run};

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a command-line tool")]
fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}
