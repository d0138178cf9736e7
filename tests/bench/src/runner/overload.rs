//! What is left of a server when three times as much is asked of it as it can do: how many it still
//! creates, how long those wait, how long it takes to tell the others to come back, and its memory.
//!
//! The load shares the cores with the server. What it costs to answer the others at all is told by a
//! control: as many creates as before, while a handler that does nothing else answers the rest.

use std::thread;
use std::time::Duration;

use super::burst::{Burst, Counted, burst};
use super::child::Server;
use super::database::Database;
use super::measure::count;
use super::process::{Memory, memory, reset_peak};
use super::server::Who;
use super::table::{Table, ratio, shown};
use super::wrk::{Send, load};
use super::{Bench, Outcome, bodies};

/// How many submissions may wait, and connections with which Registrar is at capacity.
const QUEUE: u32 = 64;
/// How many times its capacity is asked of it.
const TIMES: f64 = 3.0;
/// Connections that ask for it: more than may wait, so that some are told to come back.
const CONNECTIONS: usize = 512;

pub(super) fn run(bench: &Bench) -> Outcome<String> {
    let head = [
        "database",
        "capacity/s",
        "asked/s",
        "÷ capacity",
        "created/s",
        "÷ capacity",
        "control ÷ capacity",
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
            ratio(found.asked, found.capacity),
            shown(found.created),
            ratio(found.created, found.capacity),
            ratio(found.control, found.capacity),
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
    /// Those created while the rest was asked of a handler that does nothing.
    control: f64,
    created_p99: f64,
    refused: f64,
    refused_p99: f64,
    peak: f64,
}

fn overload(bench: &Bench, database: &Database<'_>) -> Outcome<Found> {
    let server = bench.start_with(database, &["--queue", &QUEUE.to_string()])?;
    let template = bodies::valid();
    let send = Send::Post { path: "/api/users", template: &template };
    load(&server, send, QUEUE, 1)?;
    // By the same client as the overload, before and after it: the database grows, and what else
    // the machine does changes.
    let at_capacity = Burst {
        path: "/api/users",
        template: &template,
        tag: "b",
        connections: usize::try_from(QUEUE)?,
        rate: None,
        seconds: Duration::from_secs(u64::from(bench.seconds.clamp(5, 15))),
    };
    let before = burst(&server, &at_capacity)?;
    let first = before.created_rate();
    reset_peak(server.pid)?;
    let over = burst(
        &server,
        &Burst {
            tag: "o",
            connections: CONNECTIONS,
            rate: Some(first * TIMES),
            seconds: Duration::from_secs(u64::from(bench.seconds)),
            ..at_capacity
        },
    )?;
    let peak = memory(server.pid, Memory::Peak)?;
    let refused = count(over.refused()) / over.seconds;
    let after = burst(&server, &Burst { tag: "a", ..at_capacity })?;
    let control = control(bench, &server, &Burst { tag: "c", ..at_capacity }, refused)?;
    if before.others + over.others + after.others + control.others > 0 {
        return Err(format!("answers other than 201 and 503: {}", over.others).into());
    }
    let stored = u64::try_from(database.users()?)?;
    let created = [&before, &over, &after, &control].into_iter().map(Counted::created).sum();
    if stored < created {
        return Err(format!("{created} were answered 201, {stored} are stored").into());
    }
    Ok(Found {
        capacity: f64::midpoint(first, after.created_rate()),
        asked: count(over.created()) / over.seconds + refused,
        created: over.created_rate(),
        control: control.created_rate(),
        created_p99: over.created_p99(),
        refused,
        refused_p99: over.refused_p99(),
        peak,
    })
}

/// Creates by as many connections as may wait, while the others ask so many times a second for an
/// answer of another server that parses and answers.
fn control(bench: &Bench, server: &Server, creates: &Burst<'_>, rate: f64) -> Outcome<Counted> {
    let database = bench.databases.fresh(super::database::Kind::Sqlite)?;
    let other = bench.start(Who::Group, &database)?;
    let connections = CONNECTIONS - creates.connections;
    let rest = Burst { path: "/bare", connections, rate: Some(rate), ..*creates };
    thread::scope(|scope| {
        let rest = scope.spawn(|| burst(&other, &rest).map_err(|error| error.to_string()));
        let created = burst(server, creates);
        rest.join().map_err(|_| "a thread panicked")??;
        created
    })
}
