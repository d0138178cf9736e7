//! Benchmark of invalid forms, against a bare handler that parses the same body and responds.

use super::database::{Database, Kind};
use super::measure::{Measurement, medians};
use super::server::ServerKind;
use super::table::{Table, format_number, ratio};
use super::wrk::{WrkRequest, load};
use super::{Bench, Outcome, bodies};

const CONNECTIONS: u32 = 16;

pub(super) fn run(bench: &Bench) -> Outcome<String> {
    let head =
        ["what", "answers/s", "p50 ms", "p99 ms", "CPU µs each", "rate ÷ bare", "CPU ÷ bare"];
    let title = format!("Refused forms (422), {CONNECTIONS} connections");
    let mut table = Table::new(&title, &head);
    let subjects = [
        ("bare handler: parse, answer", ServerKind::Group, "/bare"),
        ("Registrar", ServerKind::Registrar, "/api/users"),
        ("by hand: parse, check, answer", ServerKind::Group, "/api/users"),
    ];
    let mut all = [const { Vec::new() }; 3];
    for _ in 0..bench.repeats {
        for ((_, who, path), figures) in subjects.into_iter().zip(&mut all) {
            let database = bench.databases.fresh(Kind::Sqlite)?;
            figures.push(refuse(bench, who, path, &database)?);
        }
    }
    let all = all.map(|figures| medians(&figures));
    for ((name, ..), figures) in subjects.into_iter().zip(all) {
        table.row([
            name.to_owned(),
            format_number(figures.rate),
            format_number(figures.p50),
            format_number(figures.p99),
            format_number(figures.cpu),
            ratio(figures.rate, all[0].rate),
            ratio(figures.cpu, all[0].cpu),
        ]);
    }
    Ok(table.to_string())
}

fn refuse(
    bench: &Bench,
    who: ServerKind,
    path: &str,
    database: &Database<'_>,
) -> Outcome<Measurement> {
    let server = bench.start(who, database)?;
    let template = bodies::invalid();
    let send = WrkRequest::Post { path, template: &template };
    load(&server, send, CONNECTIONS, 1)?;
    let (figures, loaded) = bench.measure(&server, database, send, CONNECTIONS)?;
    if loaded.good + loaded.broken > 0 {
        return Err(format!("not all was refused: {loaded:?}").into());
    }
    Ok(figures)
}
