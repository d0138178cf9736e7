//! Benchmark of creates with a password, against a bare loop of hashes on the same number of
//! threads.

use std::time::Duration;

use super::database::Kind;
use super::measure::{median, medians};
use super::server::ServerKind;
use super::table::{Table, format_number, ratio};
use super::{Bench, Outcome, bodies};
use crate::handwritten::bare_hash_rate;

const CONNECTIONS: u32 = 16;

pub(super) fn run(bench: &Bench) -> Outcome<String> {
    let head =
        ["what", "hashes/s", "p50 ms", "p99 ms", "CPU µs each", "peak RSS MiB", "rate ÷ bare"];
    let title = format!("Creates with a password, SQLite, {CONNECTIONS} connections");
    let mut table = Table::new(&title, &head);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let template = bodies::with_password();
    let (mut bare, mut all) = (Vec::new(), [const { Vec::new() }; 3]);
    for _ in 0..bench.repeats {
        bare.push(bare_hash_rate(threads, Duration::from_secs(bench.seconds.into())));
        for (who, figures) in ServerKind::ALL.into_iter().zip(&mut all) {
            let database = bench.databases.fresh(Kind::Sqlite)?;
            let server = bench.start(who, &database)?;
            figures.push(bench.creates(&server, &database, &template, CONNECTIONS)?);
        }
    }
    let bare = median(bare);
    let none = || "–".to_owned();
    let name = format!("bare loop, {threads} threads");
    table.row([name, format_number(bare), none(), none(), none(), none(), ratio(bare, bare)]);
    for (who, figures) in ServerKind::ALL.into_iter().zip(all.map(|figures| medians(&figures))) {
        table.row([
            who.name().to_owned(),
            format_number(figures.rate),
            format_number(figures.p50),
            format_number(figures.p99),
            format_number(figures.cpu),
            format_number(figures.peak),
            ratio(figures.rate, bare),
        ]);
    }
    Ok(table.to_string())
}
