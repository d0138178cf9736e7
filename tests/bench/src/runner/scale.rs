//! Benchmark of several servers on one PostgreSQL: their total rate, and that concurrent requests
//! for one e-mail address create one user.

use std::net::SocketAddr;
use std::sync::{Barrier, Mutex, PoisonError};
use std::thread;

use super::child::Server;
use super::database::{Database, Kind};
use super::measure::{count, expect_all_ok, median};
use super::table::{Table, format_number, ratio};
use super::wrk::{WrkRequest, load, start};
use super::{Bench, Outcome, bodies, http};

/// Number of connections over all servers.
const CONNECTIONS: u32 = 48;
const CLIENTS: usize = 64;
const ROUNDS: usize = 100;

pub(super) fn run(bench: &Bench) -> Outcome<String> {
    if !bench.kinds.contains(&Kind::Postgres) {
        return Ok("Several servers need PostgreSQL, which was left out.\n".to_owned());
    }
    let title = format!("Servers over one PostgreSQL, {CONNECTIONS} connections in all, Registrar");
    let head = ["servers", "creates/s", "highest p99 ms", "CPU µs each", "rate ÷ one server"];
    let mut table = Table::new(&title, &head);
    let mut all: [[Vec<f64>; 3]; 3] = Default::default();
    for _ in 0..bench.repeats {
        for (servers, figures) in (1..).zip(&mut all) {
            let measured = measure_servers(bench, servers)?;
            for (figure, measured) in figures.iter_mut().zip(measured) {
                figure.push(measured);
            }
        }
    }
    let all = all.map(|figures| figures.map(median));
    for (servers, [rate, p99, cpu]) in (1_u32..).zip(all) {
        let than_one = ratio(rate, all[0][0]);
        table.row([
            servers.to_string(),
            format_number(rate),
            format_number(p99),
            format_number(cpu),
            than_one,
        ]);
    }
    Ok(format!("{table}\n{}", race_for_one_email(bench)?))
}

fn start_servers(bench: &Bench, database: &Database<'_>, number: u32) -> Outcome<Vec<Server>> {
    let token = bench.token(database)?;
    (0..number).map(|_| bench.registrar(database, token.clone(), &bench.programs.forms)).collect()
}

/// Returns the total rate of this number of servers, the highest p99 among them, and the CPU time
/// per create.
fn measure_servers(bench: &Bench, number: u32) -> Outcome<[f64; 3]> {
    let database = bench.databases.fresh(Kind::Postgres)?;
    let servers = start_servers(bench, &database, number)?;
    let template = bodies::valid();
    let send = WrkRequest::Post { path: "/api/users", template: &template };
    for server in &servers {
        load(server, send, CONNECTIONS / number, 1)?;
    }
    let used = || -> Outcome<f64> {
        let mut sum = database.cpu()?;
        for server in &servers {
            sum += super::process::cpu(server.pid)?;
        }
        Ok(sum.as_secs_f64() * 1e6)
    };
    let before = used()?;
    let running: Vec<_> = servers
        .iter()
        .map(|server| start(server, send, CONNECTIONS / number, bench.seconds))
        .collect::<Outcome<_>>()?;
    let (mut rate, mut p99, mut created) = (0.0, 0.0_f64, 0.0);
    for running in running {
        let loaded = running.finish()?;
        expect_all_ok(&loaded)?;
        rate += count(loaded.good) / loaded.seconds;
        created += count(loaded.good);
        p99 = p99.max(loaded.p99);
    }
    Ok([rate, p99, (used()? - before) / created])
}

/// Concurrent clients that request one e-mail address, spread over all servers.
fn race_for_one_email(bench: &Bench) -> Outcome<String> {
    let database = bench.databases.fresh(Kind::Postgres)?;
    let servers = start_servers(bench, &database, 3)?;
    let addresses: Vec<SocketAddr> = servers.iter().map(|server| server.address).collect();
    let token = servers.first().map(|server| server.token.as_str()).unwrap_or_default();
    let barrier = Barrier::new(CLIENTS);
    let statuses = Mutex::new(vec![Vec::new(); ROUNDS]);
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (barrier, statuses) = (&barrier, &statuses);
            let address = addresses[client % addresses.len()];
            scope.spawn(move || {
                let mut connection = http::Client::connect(address);
                for round in 0..ROUNDS {
                    let email = format!("one.{round}@example.com");
                    let body = bodies::with_email(&email, &format!("r{round}c{client}"));
                    barrier.wait();
                    let status = match &mut connection {
                        Ok(connection) => connection.post("/api/users", token, &body),
                        Err(error) => Err(std::io::Error::other(error.to_string())),
                    };
                    let status = status.map_or(0, |response| response.status);
                    statuses.lock().unwrap_or_else(PoisonError::into_inner)[round].push(status);
                }
            });
        }
    });
    let statuses = statuses.into_inner().unwrap_or_else(PoisonError::into_inner);
    let are =
        |round: &[u16], expected: u16| round.iter().filter(|status| **status == expected).count();
    let fair =
        statuses.iter().filter(|round| are(round, 201) == 1 && are(round, 422) == CLIENTS - 1);
    let fair = fair.count();
    let stored = database.users()?;
    if fair != ROUNDS || stored != i64::try_from(ROUNDS)? {
        return Err(format!("{fair} of {ROUNDS} rounds had one winner; {stored} users").into());
    }
    Ok(format!(
        "{CLIENTS} clients posted one e-mail address to 3 servers at once, {ROUNDS} rounds: one 201 \
         and {} times 422 in every round, {stored} users stored.\n",
        CLIENTS - 1
    ))
}
