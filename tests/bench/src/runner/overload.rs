//! Benchmark of overload: three times the capacity. Measures the rate and latency of creates, the
//! latency of 503 responses, and peak memory.
//!
//! Load generator and server share the cores. A control run with the same number of creates, in
//! which a bare handler answers the rest, shows the cost of responding as such.

use std::thread;
use std::time::Duration;

use super::burst::{Burst, BurstResult, burst};
use super::child::Server;
use super::database::Database;
use super::measure::count;
use super::process::{Memory, memory, reset_peak};
use super::server::ServerKind;
use super::table::{Table, format_number, ratio};
use super::wrk::{WrkRequest, load};
use super::{Bench, Outcome, bodies};

/// Length of the queue, and number of connections that bring Registrar to capacity.
const QUEUE: u32 = 64;
/// Offered load, as a multiple of the capacity.
const OVERLOAD_FACTOR: f64 = 3.0;
/// Number of connections, larger than the queue so that some requests are rejected.
const CONNECTIONS: usize = 512;

pub(super) fn run(bench: &Bench) -> Outcome<String> {
    let head = [
        "database",
        "capacity/s",
        "offered/s",
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
            format_number(found.capacity),
            format_number(found.offered),
            ratio(found.offered, found.capacity),
            format_number(found.created),
            ratio(found.created, found.capacity),
            ratio(found.control, found.capacity),
            format_number(found.created_p99),
            format_number(found.refused),
            format_number(found.refused_p99),
            format_number(found.peak),
        ]);
    }
    Ok(table.to_string())
}

/// Rates per second, latencies in milliseconds, memory in MiB.
struct OverloadResult {
    capacity: f64,
    offered: f64,
    created: f64,
    /// Creates per second while a bare handler answers the rest of the load.
    control: f64,
    created_p99: f64,
    refused: f64,
    refused_p99: f64,
    peak: f64,
}

fn overload(bench: &Bench, database: &Database<'_>) -> Outcome<OverloadResult> {
    let server = bench.start_with(database, &["--queue", &QUEUE.to_string()])?;
    let template = bodies::valid();
    let send = WrkRequest::Post { path: "/api/users", template: &template };
    load(&server, send, QUEUE, 1)?;
    // Measured by the same client before and after the overload, since the database grows and the
    // machine's other load varies.
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
            rate: Some(first * OVERLOAD_FACTOR),
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
    let created = [&before, &over, &after, &control].into_iter().map(BurstResult::created).sum();
    if stored < created {
        return Err(format!("{created} were answered 201, {stored} are stored").into());
    }
    Ok(OverloadResult {
        capacity: f64::midpoint(first, after.created_rate()),
        offered: count(over.created()) / over.seconds + refused,
        created: over.created_rate(),
        control: control.created_rate(),
        created_p99: over.created_p99(),
        refused,
        refused_p99: over.refused_p99(),
        peak,
    })
}

/// Creates with as many connections as the queue holds, while the rest of the load goes to a bare
/// handler at this rate.
fn control(bench: &Bench, server: &Server, creates: &Burst<'_>, rate: f64) -> Outcome<BurstResult> {
    let database = bench.databases.fresh(super::database::Kind::Sqlite)?;
    let other = bench.start(ServerKind::Group, &database)?;
    let connections = CONNECTIONS - creates.connections;
    let rest = Burst { path: "/bare", connections, rate: Some(rate), ..*creates };
    thread::scope(|scope| {
        let rest = scope.spawn(|| burst(&other, &rest).map_err(|error| error.to_string()));
        let created = burst(server, creates);
        rest.join().map_err(|_| "a thread panicked")??;
        created
    })
}
