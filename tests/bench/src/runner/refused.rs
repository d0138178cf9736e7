//! Forms that break rules, beside a bare handler that parses the same body and answers.

use super::database::{Database, Kind};
use super::measure::{Figures, medians};
use super::server::Who;
use super::table::{Table, ratio, shown};
use super::wrk::{Send, load};
use super::{Bench, Outcome, bodies};

const CONNECTIONS: u32 = 16;

pub(super) fn run(bench: &Bench) -> Outcome<String> {
    let head =
        ["what", "answers/s", "p50 ms", "p99 ms", "CPU µs each", "rate ÷ bare", "CPU ÷ bare"];
    let title = format!("Refused forms (422), {CONNECTIONS} connections");
    let mut table = Table::new(&title, &head);
    let subjects = [
        ("bare handler: parse, answer", Who::Group, "/bare"),
        ("Registrar", Who::Registrar, "/api/users"),
        ("by hand: parse, check, answer", Who::Group, "/api/users"),
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
            shown(figures.rate),
            shown(figures.p50),
            shown(figures.p99),
            shown(figures.cpu),
            ratio(figures.rate, all[0].rate),
            ratio(figures.cpu, all[0].cpu),
        ]);
    }
    Ok(table.to_string())
}

fn refuse(bench: &Bench, who: Who, path: &str, database: &Database<'_>) -> Outcome<Figures> {
    let server = bench.start(who, database)?;
    let template = bodies::broken();
    let send = Send::Post { path, template: &template };
    load(&server, send, CONNECTIONS, 1)?;
    let (figures, loaded) = bench.measure(&server, database, send, CONNECTIONS)?;
    if loaded.good + loaded.broken > 0 {
        return Err(format!("not all was refused: {loaded:?}").into());
    }
    Ok(figures)
}
