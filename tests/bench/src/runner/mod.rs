//! Benchmark runner: builds the binaries, starts servers on fresh databases, generates load and
//! prints Markdown.
//!
//! Compared servers are measured interleaved in one run, so that disturbances affect all of them;
//! only ratios are meaningful.

mod bodies;
mod build;
mod burst;
mod child;
mod compare;
mod database;
mod forms;
mod growth;
pub mod http;
mod interleaved;
mod measure;
mod mixed;
mod overload;
mod password;
mod process;
mod refused;
mod scale;
mod server;
mod table;
mod wrk;

use std::error::Error;
use std::fmt::Write as _;
use std::process::Command;

use clap::{Parser, ValueEnum};

use build::Programs;
use database::{Databases, Kind};

/// Result of a benchmark.
pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// Runs the benchmarks and prints their tables as Markdown.
#[derive(Debug, Clone, Parser)]
pub struct Options {
    /// Benchmark to run.
    #[arg(value_enum, default_value_t = Benchmark::Compare)]
    pub what: Benchmark,
    /// Duration of each load, in seconds [default: 5; 2 for `all`].
    #[arg(long)]
    pub seconds: Option<u32>,
    /// Number of runs per measurement; medians are reported [default: 3; 1 for `all`].
    #[arg(long)]
    pub repeats: Option<u32>,
    /// Numbers of users stored before `growth` measures, one database each.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000_000])]
    pub users: Vec<u32>,
    /// Also writes the tables to this file.
    #[arg(long)]
    pub out: Option<std::path::PathBuf>,
    /// Numbers of connections for `compare`.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64])]
    pub connections: Vec<u32>,
    /// Skips PostgreSQL.
    #[arg(long)]
    pub sqlite_only: bool,
    /// Skips SQLite where possible.
    #[arg(long, conflicts_with = "sqlite_only")]
    pub postgres_only: bool,
    /// Uses the existing release binaries.
    #[arg(long)]
    pub no_build: bool,
}

/// Benchmark to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Benchmark {
    /// Creates without a password, against the handwritten server.
    Compare,
    /// Creates with a password, against a bare loop of hashes.
    Password,
    /// Reads during creates; creates during password hashing.
    Mixed,
    /// Invalid forms, against a bare handler.
    Refused,
    /// Creates with many stored users.
    Growth,
    /// Many forms, large forms, start-up time, memory and binary size.
    Forms,
    /// Several servers on one PostgreSQL.
    Scale,
    /// Three times the capacity.
    Overload,
    /// All benchmarks, with short loads.
    All,
}

/// A benchmark; returns its report as Markdown.
type BenchmarkFn = fn(&Bench) -> Outcome<String>;

/// Context of a benchmark run.
struct Bench {
    programs: Programs,
    databases: Databases,
    kinds: Vec<Kind>,
    connections: Vec<u32>,
    seconds: u32,
    repeats: u32,
    users: Vec<u32>,
}

/// Runs the selected benchmarks and returns the report.
///
/// # Errors
/// Returns an error if a requirement is missing or a server responds unexpectedly.
pub fn run(options: &Options) -> Outcome<String> {
    wrk::check()?;
    let programs = Programs::find(!options.no_build)?;
    let is_all = options.what == Benchmark::All;
    let bench = Bench {
        programs,
        databases: Databases::new()?,
        kinds: match (options.sqlite_only, options.postgres_only) {
            (true, _) => vec![Kind::Sqlite],
            (_, true) => vec![Kind::Postgres],
            _ => vec![Kind::Sqlite, Kind::Postgres],
        },
        connections: options.connections.iter().map(|number| (*number).max(1)).collect(),
        seconds: options.seconds.unwrap_or(if is_all { 2 } else { 5 }).max(1),
        repeats: options.repeats.unwrap_or(if is_all { 1 } else { 3 }).max(1),
        users: options.users.clone(),
    };
    let parts: [(Benchmark, BenchmarkFn); 8] = [
        (Benchmark::Compare, compare::run),
        (Benchmark::Password, password::run),
        (Benchmark::Mixed, mixed::run),
        (Benchmark::Refused, refused::run),
        (Benchmark::Growth, growth::run),
        (Benchmark::Forms, forms::run),
        (Benchmark::Scale, scale::run),
        (Benchmark::Overload, overload::run),
    ];
    let mut report = machine(&bench);
    for (what, part) in parts.into_iter().filter(|(what, _)| is_all || *what == options.what) {
        let name = what.to_possible_value().map(|value| value.get_name().to_owned());
        print_progress(&format!("# {}", name.unwrap_or_default()));
        let load = process::load();
        let table = part(&bench)?;
        let _ = write!(report, "\n{table}\nLoad of the machine before: {load}.\n");
    }
    if let Some(file) = &options.out {
        std::fs::write(file, &report)?;
    }
    Ok(report)
}

/// Describes the machine and the parameters of the run.
fn machine(bench: &Bench) -> String {
    let ask = |program: &str, argument: &str| {
        let output = Command::new(program).arg(argument).output().ok();
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        text.unwrap_or_default().lines().next().unwrap_or_default().trim().to_owned()
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    format!(
        "{}, Linux {}, {cores} cores ({}), wrk on the same cores; {} s each, medians of {}.\n",
        ask("date", "+%Y-%m-%d"),
        ask("uname", "-r"),
        cpu.trim_matches([' ', '\t', ':']),
        bench.seconds,
        bench.repeats,
    )
}

/// Prints a line of progress to standard error.
#[expect(clippy::print_stderr, reason = "progress goes to standard error")]
fn print_progress(text: &str) {
    eprintln!("{text}");
}
