//! A single measurement, and medians.

use std::thread;
use std::time::Duration;

use super::child::Server;
use super::database::Database;
use super::process::{Memory, cpu, memory, reset_peak};
use super::wrk::{LoadResult, WrkRequest, load};
use super::{Bench, Outcome};

/// Duration of the warm-up, in seconds.
const WARM_UP: u32 = 1;

/// Measured values.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Measurement {
    /// Responses per second.
    pub(super) rate: f64,
    /// Median latency, in milliseconds.
    pub(super) p50: f64,
    /// 99th percentile latency, in milliseconds.
    pub(super) p99: f64,
    /// CPU time per response of the server and its database, in microseconds.
    pub(super) cpu: f64,
    /// Share of the database, in microseconds.
    pub(super) cpu_of_database: f64,
    /// Peak resident set size of the server, in MiB.
    pub(super) peak: f64,
}

impl Bench {
    /// Warms up, then measures creates. Returns an error unless all users are created and stored.
    pub(super) fn creates(
        &self,
        server: &Server,
        database: &Database<'_>,
        template: &str,
        connections: u32,
    ) -> Outcome<Measurement> {
        let send = WrkRequest::Post { path: "/api/users", template };
        load(server, send, connections, WARM_UP)?;
        let before = stored(database)?;
        let (figures, loaded) = self.measure(server, database, send, connections)?;
        expect_all_ok(&loaded)?;
        let more = u64::try_from(stored(database)? - before)?;
        if more < loaded.good || more > loaded.good + u64::from(connections) {
            return Err(format!("{} were answered 201, {more} are stored", loaded.good).into());
        }
        Ok(figures)
    }

    /// Measures a load without a warm-up.
    pub(super) fn measure(
        &self,
        server: &Server,
        database: &Database<'_>,
        send: WrkRequest<'_>,
        connections: u32,
    ) -> Outcome<(Measurement, LoadResult)> {
        reset_peak(server.pid)?;
        let used = || -> Outcome<_> { Ok((cpu(server.pid)?, database.cpu()?)) };
        let before = used()?;
        let loaded = load(server, send, connections, self.seconds)?;
        let after = used()?;
        let micros = |time: Duration| time.as_secs_f64() * 1e6;
        let by_database = micros(after.1 - before.1);
        let by_server = micros(after.0 - before.0);
        let responses = count(loaded.good + loaded.refused).max(1.0);
        let figures = Measurement {
            rate: responses / loaded.seconds,
            p50: loaded.p50,
            p99: loaded.p99,
            cpu: (by_server + by_database) / responses,
            cpu_of_database: by_database / responses,
            peak: memory(server.pid, Memory::Peak)?,
        };
        Ok((figures, loaded))
    }
}

/// Returns the number of stored users once it is stable: requests that wrk aborts at its end are
/// stored nonetheless.
fn stored(database: &Database<'_>) -> Outcome<i64> {
    let mut users = database.users()?;
    loop {
        thread::sleep(Duration::from_millis(200));
        let now = database.users()?;
        if now == users {
            return Ok(now);
        }
        users = now;
    }
}

/// Returns an error if any request was rejected or broken.
pub(super) fn expect_all_ok(loaded: &LoadResult) -> Outcome<()> {
    if loaded.refused + loaded.broken > 0 || loaded.good == 0 {
        return Err(format!("not all was well: {loaded:?}").into());
    }
    Ok(())
}

/// Converts a count to a float.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(super) fn count(count: u64) -> f64 {
    count as f64
}

/// Returns the median of each value.
pub(super) fn medians(all: &[Measurement]) -> Measurement {
    let of = |figure: fn(&Measurement) -> f64| median(all.iter().map(figure).collect());
    Measurement {
        rate: of(|f| f.rate),
        p50: of(|f| f.p50),
        p99: of(|f| f.p99),
        cpu: of(|f| f.cpu),
        cpu_of_database: of(|f| f.cpu_of_database),
        peak: of(|f| f.peak),
    }
}

/// Returns the median, or 0 if there are no values.
pub(super) fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or_default()
}
