//! Benchmark of interference: reads during creates at capacity, and creates without a password
//! during hashing at capacity.

use super::measure::{count, expect_all_ok, median};
use super::server::ServerKind;
use super::table::{Table, format_number, ratio};
use super::wrk::{LoadResult, WrkRequest, load, start};
use super::{Bench, Outcome, bodies};

/// Number of reading connections.
const READ_CONNECTIONS: u32 = 4;
/// Number of creating connections that bring Registrar to capacity.
const WRITE_CONNECTIONS: u32 = 16;
/// Number of connections that create without a password.
const PLAIN_CONNECTIONS: u32 = 4;

pub(super) fn run(bench: &Bench) -> Outcome<String> {
    Ok(format!("{}\n{}", reads(bench)?, hashes(bench)?))
}

/// Repeats a measurement of two loads and returns the median rate, p50 and p99 of both.
fn repeat(
    bench: &Bench,
    mut measure: impl FnMut() -> Outcome<(LoadResult, LoadResult)>,
) -> Outcome<[[f64; 3]; 2]> {
    let mut all = Vec::new();
    for _ in 0..bench.repeats {
        let (one, other) = measure()?;
        expect_all_ok(&one)?;
        expect_all_ok(&other)?;
        all.push(
            [one, other]
                .map(|loaded| [count(loaded.good) / loaded.seconds, loaded.p50, loaded.p99]),
        );
    }
    Ok([0, 1].map(|which| {
        [0, 1, 2].map(|figure| median(all.iter().map(|both| both[which][figure]).collect()))
    }))
}

fn reads(bench: &Bench) -> Outcome<Table> {
    let head = ["database", "meanwhile", "reads/s", "p50 ms", "p99 ms", "p99 ÷ idle"];
    let title = format!("GET /api/users/{{id}} on {READ_CONNECTIONS} connections, Registrar");
    let mut table = Table::new(&title, &head);
    let template = bodies::valid();
    let post = WrkRequest::Post { path: "/api/users", template: &template };
    for kind in bench.kinds.iter().copied() {
        let [idle, busy] = repeat(bench, || {
            let database = bench.databases.fresh(kind)?;
            let server = bench.start(ServerKind::Registrar, &database)?;
            load(&server, post, WRITE_CONNECTIONS, 2)?;
            let get = WrkRequest::Get { last: database.users()? };
            let idle = load(&server, get, READ_CONNECTIONS, bench.seconds)?;
            let creates = start(&server, post, WRITE_CONNECTIONS, bench.seconds + 1)?;
            let busy = load(&server, get, READ_CONNECTIONS, bench.seconds)?;
            expect_all_ok(&creates.finish()?)?;
            Ok((idle, busy))
        })?;
        let creating = format!("creates on {WRITE_CONNECTIONS} connections");
        for (meanwhile, [rate, p50, p99]) in [("nothing", idle), (&creating, busy)] {
            table.row([
                kind.name().to_owned(),
                meanwhile.to_owned(),
                format_number(rate),
                format_number(p50),
                format_number(p99),
                ratio(p99, idle[2]),
            ]);
        }
    }
    Ok(table)
}

fn hashes(bench: &Bench) -> Outcome<Table> {
    let head = ["database", "creates", "creates/s", "p50 ms", "p99 ms"];
    let title = format!(
        "Creates without a password on {PLAIN_CONNECTIONS} connections while {WRITE_CONNECTIONS} send passwords, Registrar"
    );
    let mut table = Table::new(&title, &head);
    let (plain, secret) = (bodies::valid(), bodies::with_password());
    let plain = WrkRequest::Post { path: "/api/users", template: &plain };
    let secret = WrkRequest::Post { path: "/api/users", template: &secret };
    for kind in bench.kinds.iter().copied() {
        let [without, with] = repeat(bench, || {
            let database = bench.databases.fresh(kind)?;
            let server = bench.start(ServerKind::Registrar, &database)?;
            load(&server, secret, WRITE_CONNECTIONS, 1)?;
            let hashing = start(&server, secret, WRITE_CONNECTIONS, bench.seconds)?;
            let without = load(&server, plain, PLAIN_CONNECTIONS, bench.seconds)?;
            Ok((without, hashing.finish()?))
        })?;
        for (creates, [rate, p50, p99]) in [("without a password", without), ("with one", with)] {
            table.row([
                kind.name().to_owned(),
                creates.to_owned(),
                format_number(rate),
                format_number(p50),
                format_number(p99),
            ]);
        }
    }
    Ok(table)
}
