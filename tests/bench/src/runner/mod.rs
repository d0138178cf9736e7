//! The runner: builds, starts servers on fresh databases, loads them, and prints Markdown.
//!
//! What is compared runs in one run, one after the other and interleaved, so that what else the
//! machine does meets all alike; what counts are the ratios.

mod bodies;
mod build;
mod burst;
mod child;
mod compare;
mod contest;
mod database;
mod forms;
mod growth;
pub mod http;
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

/// What a part comes to, or why it could not be measured.
pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// Runs the benchmarks, and prints their tables as Markdown.
#[derive(Debug, Clone, Parser)]
pub struct Options {
    /// What to measure.
    #[arg(value_enum, default_value_t = What::Compare)]
    pub what: What,
    /// How long each load lasts, in seconds [default: 5; 2 for `all`].
    #[arg(long)]
    pub seconds: Option<u32>,
    /// How often each is measured; the medians count [default: 3; 1 for `all`].
    #[arg(long)]
    pub repeats: Option<u32>,
    /// How many users `growth` stores beforehand: a database for each.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000_000])]
    pub users: Vec<u32>,
    /// Writes the tables to this file too.
    #[arg(long)]
    pub out: Option<std::path::PathBuf>,
    /// At how many connections `compare` measures.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64])]
    pub connections: Vec<u32>,
    /// Leaves PostgreSQL out.
    #[arg(long)]
    pub sqlite_only: bool,
    /// Leaves SQLite out, where that makes sense.
    #[arg(long, conflicts_with = "sqlite_only")]
    pub postgres_only: bool,
    /// Takes the release binaries as they are.
    #[arg(long)]
    pub no_build: bool,
}

/// What to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// Creates without a password, beside the server written by hand.
    Compare,
    /// Creates with a password, beside a bare loop of hashes.
    Password,
    /// Reads while creates run; creates while passwords are hashed.
    Mixed,
    /// Refused forms, beside a bare handler.
    Refused,
    /// Creates with many users stored.
    Growth,
    /// Many forms, large forms, start-up, memory, size.
    Forms,
    /// Several servers over one PostgreSQL.
    Scale,
    /// Three times as much as can be done.
    Overload,
    /// Everything, shortly.
    All,
}

/// A part: it measures, and gives its Markdown.
type Part = fn(&Bench) -> Outcome<String>;

/// What every part works with.
struct Bench {
    programs: Programs,
    databases: Databases,
    kinds: Vec<Kind>,
    connections: Vec<u32>,
    seconds: u32,
    repeats: u32,
    users: Vec<u32>,
}

/// Measures what is asked for; gives the Markdown.
///
/// # Errors
/// Where something is missing that it needs, or a server answers what it must not.
pub fn run(options: &Options) -> Outcome<String> {
    wrk::check()?;
    let programs = Programs::find(!options.no_build)?;
    let is_all = options.what == What::All;
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
    let parts: [(What, Part); 8] = [
        (What::Compare, compare::run),
        (What::Password, password::run),
        (What::Mixed, mixed::run),
        (What::Refused, refused::run),
        (What::Growth, growth::run),
        (What::Forms, forms::run),
        (What::Scale, scale::run),
        (What::Overload, overload::run),
    ];
    let mut report = machine(&bench);
    for (what, part) in parts.into_iter().filter(|(what, _)| is_all || *what == options.what) {
        let name = what.to_possible_value().map(|value| value.get_name().to_owned());
        say(&format!("# {}", name.unwrap_or_default()));
        let load = process::load();
        let table = part(&bench)?;
        let _ = write!(report, "\n{table}\nLoad of the machine before: {load}.\n");
    }
    if let Some(file) = &options.out {
        std::fs::write(file, &report)?;
    }
    Ok(report)
}

/// The machine, and how it was measured.
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

/// Tells a person how far it is.
#[expect(clippy::print_stderr, reason = "progress is for people")]
fn say(text: &str) {
    eprintln!("{text}");
}
