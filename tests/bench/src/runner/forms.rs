//! Benchmarks of the number and size of forms, and of start-up time, memory and binary size.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, thread};

use super::child::Server;
use super::database::{Database, Kind};
use super::measure::medians;
use super::process::{Memory, memory};
use super::table::{Table, format_number, ratio};
use super::wrk::{WrkRequest, load};
use super::{Bench, Outcome, bodies, http};

const CONNECTIONS: u32 = 16;
const NUMBERS: [u32; 3] = [1, 100, 10_000];
const SIZES: [u32; 3] = [10, 100, 1_000];

pub(super) fn run(bench: &Bench) -> Outcome<String> {
    Ok(format!("{}\n{}\n{}", many(bench)?, large(bench)?, small_things(bench)?))
}

/// Many loaded forms, one of them in use.
fn many(bench: &Bench) -> Outcome<Table> {
    let head =
        ["forms", "start-up ms", "creates/s", "p99 ms", "CPU µs each", "CPU ÷ one", "peak RSS MiB"];
    let title = format!("Many forms: creates, SQLite, {CONNECTIONS} connections, Registrar");
    let mut table = Table::new(&title, &head);
    let folders: Vec<PathBuf> =
        NUMBERS.iter().map(|number| copies(bench, *number)).collect::<Outcome<_>>()?;
    let template = bodies::valid();
    let (mut all, mut starts) = ([const { Vec::new() }; 3], [const { Vec::new() }; 3]);
    for _ in 0..bench.repeats {
        for (index, folder) in folders.iter().enumerate() {
            let database = bench.databases.fresh(Kind::Sqlite)?;
            let token = bench.token(&database)?;
            let server = bench.registrar(&database, token, folder)?;
            starts[index].push(server.started_in.as_secs_f64() * 1000.0);
            all[index].push(bench.creates(&server, &database, &template, CONNECTIONS)?);
        }
    }
    let all = all.map(|figures| medians(&figures));
    for ((number, starts), figures) in NUMBERS.into_iter().zip(starts).zip(all) {
        table.row([
            number.to_string(),
            format_number(super::measure::median(starts)),
            format_number(figures.rate),
            format_number(figures.p99),
            format_number(figures.cpu),
            ratio(figures.cpu, all[0].cpu),
            format_number(figures.peak),
        ]);
    }
    Ok(table)
}

/// Forms with many fields, all of them submitted.
fn large(bench: &Bench) -> Outcome<Table> {
    let head = ["fields", "body bytes", "creates/s", "CPU µs each", "CPU µs per further field"];
    let title = format!("Large forms: creates, SQLite, {CONNECTIONS} connections, Registrar");
    let mut table = Table::new(&title, &head);
    let folder = bench.databases.folder.join("large");
    fs::create_dir_all(&folder)?;
    for size in SIZES {
        fs::write(folder.join(format!("large_{size}.yml")), large_form(size))?;
    }
    let mut all = [const { Vec::new() }; 3];
    for _ in 0..bench.repeats {
        for (size, figures) in SIZES.into_iter().zip(&mut all) {
            let database = bench.databases.fresh(Kind::Sqlite)?;
            let token = bench.token(&database)?;
            let server = bench.registrar(&database, token, &folder)?;
            figures.push(bench.creates(&server, &database, &large_body(size), CONNECTIONS)?);
        }
    }
    let all = all.map(|figures| medians(&figures));
    let mut before: Option<(u32, f64)> = None;
    for (size, figures) in SIZES.into_iter().zip(all) {
        let further = before.map(|(fewer, cpu)| (figures.cpu - cpu) / f64::from(size - fewer));
        table.row([
            size.to_string(),
            large_body(size).len().to_string(),
            format_number(figures.rate),
            format_number(figures.cpu),
            further.map_or_else(|| "–".to_owned(), format_number),
        ]);
        before = Some((size, figures.cpu));
    }
    Ok(table)
}

fn small_things(bench: &Bench) -> Outcome<Table> {
    let mut table = Table::new("Start-up, memory, size", &["what", "measured", "wanted"]);
    let database = bench.databases.fresh(Kind::Sqlite)?;
    let token = bench.token(&database)?;
    let fifty = copies(bench, 50)?;
    let mut starts = Vec::new();
    for _ in 0..bench.repeats.max(3) {
        starts.push(first_answer(bench, &database, &token, &fifty)?.as_secs_f64() * 1000.0);
    }
    let start = super::measure::median(starts);
    table.row([
        "start to first answer, 50 forms, existing database".to_owned(),
        format!("{} ms", format_number(start)),
        "100 ms".to_owned(),
    ]);

    let server = bench.registrar(&database, token, &bench.programs.forms)?;
    thread::sleep(Duration::from_secs(1));
    let idle = memory(server.pid, Memory::Resident)?;
    table.row([
        "RSS, idle".to_owned(),
        format!("{} MiB", format_number(idle)),
        "20 MiB".to_owned(),
    ]);
    let template = bodies::valid();
    load(&server, WrkRequest::Post { path: "/api/users", template: &template }, 64, bench.seconds)?;
    let peak = memory(server.pid, Memory::Peak)?;
    table.row([
        "peak RSS, 64 connections that create".to_owned(),
        format!("{} MiB", format_number(peak)),
        "100 MiB".to_owned(),
    ]);
    let bytes = fs::metadata(&bench.programs.registrar)?.len();
    table.row([
        "stripped binary".to_owned(),
        format!("{:.1} MB", super::measure::count(bytes) / 1e6),
        "20 MB".to_owned(),
    ]);
    Ok(table)
}

/// Returns the time from the start of the process to its first response.
fn first_answer(
    bench: &Bench,
    database: &Database<'_>,
    token: &str,
    forms: &Path,
) -> Outcome<Duration> {
    let server: Server = bench.registrar(database, token.to_owned(), forms)?;
    let started = Instant::now();
    let response = http::Client::connect(server.address)?.get("/health/live", token)?;
    match response.status {
        200 => Ok(server.started_in + started.elapsed()),
        status => Err(format!("/health/live answers {status}").into()),
    }
}

/// Creates a directory with the shipped types and this number of forms: `marketplace_seller` and
/// copies of it.
fn copies(bench: &Bench, number: u32) -> Outcome<PathBuf> {
    let folder = bench.databases.folder.join(format!("forms-{number}"));
    copy(&bench.programs.forms.join("types"), &folder.join("types"))?;
    let form = fs::read_to_string(bench.programs.forms.join("marketplace_seller.yml"))?;
    fs::write(folder.join("marketplace_seller.yml"), &form)?;
    for n in 1..number {
        let copy = form.replace("name: marketplace_seller", &format!("name: copy_{n}"));
        fs::write(folder.join(format!("copy_{n}.yml")), copy)?;
    }
    Ok(folder)
}

fn copy(from: &Path, to: &Path) -> Outcome<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn large_form(fields: u32) -> String {
    let mut form =
        format!("name: large_{fields}\nresource: User\nfields:\n  email:\n  properties:\n");
    for n in 0..fields {
        form.push_str(&format!(
            "    field_{n}: {{ type: string, validation: {{ presence: true, length: {{ maximum: 40 }} }} }}\n"
        ));
    }
    form
}

fn large_body(fields: u32) -> String {
    let entries: Vec<String> =
        (0..fields).map(|n| format!("\"field_{n}\":\"some text {n}\"")).collect();
    format!(
        "{{\"form_configuration_name\":\"large_{fields}\",\"form\":{{\"email\":\"ann.@@@example.com\",\
         \"properties\":{{{}}}}}}}",
        entries.join(",")
    )
}
