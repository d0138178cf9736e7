//! What is left of a server when three times as much is asked of it as it can do: how many it still
//! creates, how long those wait, how long it takes to tell the others to come back, and its memory.

use std::time::Duration;

use super::burst::{Burst, Counted, burst};
use super::database::Database;
use super::measure::count;
use super::process::{Memory, memory, reset_peak};
use super::table::{Table, ratio, shown};
use super::wrk::{Send, load};
use super::{Bench, Outcome, bodies};

/// Connections with which Registrar is at capacity.
const USUAL: u32 = 16;
/// How many times its capacity is asked of it.
const TIMES: f64 = 3.0;
/// Connections that ask for it: more than may wait, so that some are told to come back.
const CONNECTIONS: usize = 512;
/// How many submissions may wait.
const QUEUE: &str = "64";

pub(super) fn run(bench: &Bench) -> Outcome<String> {
    let head = [
        "database",
        "capacity/s",
        "asked/s",
        "created/s",
        "÷ capacity",
        "p99 ms of created",
        "refused/s",
        "p99 ms of refused",
        "peak RSS MiB",
    ];
    let title = format!(
        "Three times the capacity, {CONNECTIONS} connections, a queue of {QUEUE}, Registrar"
    );
    let mut table = Table::new(&title, &head);
    for kind in bench.kinds.iter().copied() {
        let database = bench.databases.fresh(kind)?;
        let found = overload(bench, &database)?;
        table.row([
            kind.name().to_owned(),
            shown(found.capacity),
            shown(found.asked),
            shown(found.created),
            ratio(found.created, found.capacity),
            shown(found.created_p99),
            shown(found.refused),
            shown(found.refused_p99),
            shown(found.peak),
        ]);
    }
    Ok(table.to_string())
}

/// Rates are for each second, times in milliseconds, memory in MiB.
struct Found {
    capacity: f64,
    asked: f64,
    created: f64,
    created_p99: f64,
    refused: f64,
    refused_p99: f64,
    peak: f64,
}

fn overload(bench: &Bench, database: &Database<'_>) -> Outcome<Found> {
    let server = bench.start_with(database, &["--queue", QUEUE])?;
    let template = bodies::valid();
    let send = Send::Post { path: "/api/users", template: &template };
    load(&server, send, USUAL, 1)?;
    // By the same clients as the overload, before and after it: the database grows, and what else
    // the machine does changes.
    let usual = |tag: &'static str| -> Outcome<Counted> {
        let seconds = Duration::from_secs(u64::from(bench.seconds.clamp(5, 15)));
        let connections = usize::try_from(USUAL)?;
        burst(&server, &Burst { template: &template, tag, connections, rate: None, seconds })
    };
    let before = usual("b")?;
    let first = before.created_rate();
    reset_peak(server.pid)?;
    let over = burst(
        &server,
        &Burst {
            template: &template,
            tag: "o",
            connections: CONNECTIONS,
            rate: Some(first * TIMES),
            seconds: Duration::from_secs(u64::from(bench.seconds)),
        },
    )?;
    let peak = memory(server.pid, Memory::Peak)?;
    let after = usual("a")?;
    if before.others + over.others + after.others > 0 {
        return Err(format!("answers other than 201 and 503: {}", over.others).into());
    }
    let stored = u64::try_from(database.users()?)?;
    let created = before.created() + over.created() + after.created();
    if stored < created {
        return Err(format!("{created} were answered 201, {stored} are stored").into());
    }
    Ok(Found {
        capacity: f64::midpoint(first, after.created_rate()),
        asked: count(over.created() + over.refused()) / over.seconds,
        created: over.created_rate(),
        created_p99: over.created_p99(),
        refused: count(over.refused()) / over.seconds,
        refused_p99: over.refused_p99(),
        peak,
    })
}
