//! One measurement, and the median of several.

use std::thread;
use std::time::Duration;

use super::child::Server;
use super::database::Database;
use super::process::{Memory, cpu, memory, reset_peak};
use super::wrk::{Loaded, Send, load};
use super::{Bench, Outcome};

/// How long a server is loaded before it counts, in seconds.
const WARM_UP: u32 = 1;

/// What was measured.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Figures {
    /// Answers a second.
    pub(super) rate: f64,
    /// Milliseconds.
    pub(super) p50: f64,
    /// Milliseconds.
    pub(super) p99: f64,
    /// Time on the processors for each answer, of the server and its database, in microseconds.
    pub(super) cpu: f64,
    /// The database's part of it.
    pub(super) cpu_of_database: f64,
    /// The most memory of the server, in MiB.
    pub(super) peak: f64,
}

impl Bench {
    /// Warms up, then measures creates; all must be created and stored.
    pub(super) fn creates(
        &self,
        server: &Server,
        database: &Database<'_>,
        template: &str,
        connections: u32,
    ) -> Outcome<Figures> {
        let send = Send::Post { path: "/api/users", template };
        load(server, send, connections, WARM_UP)?;
        let before = stored(database)?;
        let (figures, loaded) = self.measure(server, database, send, connections)?;
        all_good(&loaded)?;
        let more = u64::try_from(stored(database)? - before)?;
        if more < loaded.good || more > loaded.good + u64::from(connections) {
            return Err(format!("{} were answered 201, {more} are stored", loaded.good).into());
        }
        Ok(figures)
    }

    /// Measures any load, without a warm-up.
    pub(super) fn measure(
        &self,
        server: &Server,
        database: &Database<'_>,
        send: Send<'_>,
        connections: u32,
    ) -> Outcome<(Figures, Loaded)> {
        reset_peak(server.pid)?;
        let used = || -> Outcome<_> { Ok((cpu(server.pid)?, database.cpu()?)) };
        let before = used()?;
        let loaded = load(server, send, connections, self.seconds)?;
        let after = used()?;
        let micros = |time: Duration| time.as_secs_f64() * 1e6;
        let by_database = micros(after.1 - before.1);
        let by_server = micros(after.0 - before.0);
        let answers = count(loaded.good + loaded.refused).max(1.0);
        let figures = Figures {
            rate: answers / loaded.seconds,
            p50: loaded.p50,
            p99: loaded.p99,
            cpu: (by_server + by_database) / answers,
            cpu_of_database: by_database / answers,
            peak: memory(server.pid, Memory::Peak)?,
        };
        Ok((figures, loaded))
    }
}

/// How many users are stored once nothing is under way any more: when wrk ends, it hangs up on
/// requests that wait for their answer, and they are stored all the same.
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

/// Refuses a load of which anything was refused or broken.
pub(super) fn all_good(loaded: &Loaded) -> Outcome<()> {
    if loaded.refused + loaded.broken > 0 || loaded.good == 0 {
        return Err(format!("not all was well: {loaded:?}").into());
    }
    Ok(())
}

/// A count as a number to divide with.
#[expect(clippy::cast_precision_loss, reason = "no count here comes near 2^52")]
pub(super) fn count(count: u64) -> f64 {
    count as f64
}

/// The median of several measurements, figure by figure.
pub(super) fn medians(all: &[Figures]) -> Figures {
    let of = |figure: fn(&Figures) -> f64| median(all.iter().map(figure).collect());
    Figures {
        rate: of(|f| f.rate),
        p50: of(|f| f.p50),
        p99: of(|f| f.p99),
        cpu: of(|f| f.cpu),
        cpu_of_database: of(|f| f.cpu_of_database),
        peak: of(|f| f.peak),
    }
}

/// The median; 0 of nothing.
pub(super) fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or_default()
}
