//! What one kind of request suffers from another: reads while creates run at capacity, creates
//! without a password while passwords are hashed at capacity.

use super::measure::{all_good, count, median};
use super::server::Who;
use super::table::{Table, ratio, shown};
use super::wrk::{Loaded, Send, load, start};
use super::{Bench, Outcome, bodies};

/// Connections that read.
const READERS: u32 = 4;
/// Connections that create, with which Registrar is at capacity.
const WRITERS: u32 = 16;
/// Connections that create without a password beside those with one.
const PLAIN: u32 = 4;

pub(super) fn run(bench: &Bench) -> Outcome<String> {
    Ok(format!("{}\n{}", reads(bench)?, hashes(bench)?))
}

/// Repeats what gives two loads; gives rate, p50 and p99 of both, their medians.
fn repeat(
    bench: &Bench,
    mut measure: impl FnMut() -> Outcome<(Loaded, Loaded)>,
) -> Outcome<[[f64; 3]; 2]> {
    let mut all = Vec::new();
    for _ in 0..bench.repeats {
        let (one, other) = measure()?;
        all_good(&one)?;
        all_good(&other)?;
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
    let title = format!("GET /api/users/{{id}} on {READERS} connections, Registrar");
    let mut table = Table::new(&title, &head);
    let template = bodies::valid();
    let post = Send::Post { path: "/api/users", template: &template };
    for kind in bench.kinds.iter().copied() {
        let [idle, busy] = repeat(bench, || {
            let database = bench.databases.fresh(kind)?;
            let server = bench.start(Who::Registrar, &database)?;
            load(&server, post, WRITERS, 2)?;
            let get = Send::Get { last: database.users()? };
            let idle = load(&server, get, READERS, bench.seconds)?;
            let creates = start(&server, post, WRITERS, bench.seconds + 1)?;
            let busy = load(&server, get, READERS, bench.seconds)?;
            all_good(&creates.finish()?)?;
            Ok((idle, busy))
        })?;
        let creating = format!("creates on {WRITERS} connections");
        for (meanwhile, [rate, p50, p99]) in [("nothing", idle), (&creating, busy)] {
            table.row([
                kind.name().to_owned(),
                meanwhile.to_owned(),
                shown(rate),
                shown(p50),
                shown(p99),
                ratio(p99, idle[2]),
            ]);
        }
    }
    Ok(table)
}

fn hashes(bench: &Bench) -> Outcome<Table> {
    let head = ["database", "creates", "creates/s", "p50 ms", "p99 ms"];
    let title = format!(
        "Creates without a password on {PLAIN} connections while {WRITERS} send passwords, Registrar"
    );
    let mut table = Table::new(&title, &head);
    let (plain, secret) = (bodies::valid(), bodies::with_password());
    let plain = Send::Post { path: "/api/users", template: &plain };
    let secret = Send::Post { path: "/api/users", template: &secret };
    for kind in bench.kinds.iter().copied() {
        let [without, with] = repeat(bench, || {
            let database = bench.databases.fresh(kind)?;
            let server = bench.start(Who::Registrar, &database)?;
            load(&server, secret, WRITERS, 1)?;
            let hashing = start(&server, secret, WRITERS, bench.seconds)?;
            let without = load(&server, plain, PLAIN, bench.seconds)?;
            Ok((without, hashing.finish()?))
        })?;
        for (creates, [rate, p50, p99]) in [("without a password", without), ("with one", with)] {
            table.row([
                kind.name().to_owned(),
                creates.to_owned(),
                shown(rate),
                shown(p50),
                shown(p99),
            ]);
        }
    }
    Ok(table)
}
