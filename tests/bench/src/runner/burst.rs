//! Load by threads of our own, where those who are created and those who are told to come back are to
//! be told apart: wrk knows one distribution of times.

use std::thread;
use std::time::{Duration, Instant};

use super::Outcome;
use super::child::Server;
use super::http::Client;
use super::measure::count;

/// What is sent, and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct Burst<'b> {
    /// A body, in which each `@@` becomes a text that no other request has.
    pub(super) template: &'b str,
    /// What sets its texts apart from those of other bursts.
    pub(super) tag: &'b str,
    /// Each sends one request at a time.
    pub(super) connections: usize,
    /// Requests a second of all together, where the answers come in time; without, as many as there
    /// are answers.
    pub(super) rate: Option<f64>,
    pub(super) seconds: Duration,
}

/// What came back.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// How long it took.
    pub(super) seconds: f64,
    /// Microseconds until each 201.
    created: Vec<u32>,
    /// Microseconds until each 503.
    refused: Vec<u32>,
    /// Answers of any other kind.
    pub(super) others: u64,
}

impl Counted {
    pub(super) fn created(&self) -> u64 {
        self.created.len() as u64
    }

    pub(super) fn refused(&self) -> u64 {
        self.refused.len() as u64
    }

    /// Those who were created, each second.
    pub(super) fn created_rate(&self) -> f64 {
        count(self.created()) / self.seconds
    }

    /// Milliseconds within which 99 of 100 were created.
    pub(super) fn created_p99(&self) -> f64 {
        p99(&self.created)
    }

    /// Milliseconds within which 99 of 100 of the others were told to come back.
    pub(super) fn refused_p99(&self) -> f64 {
        p99(&self.refused)
    }
}

/// The time, sorted, below which 99 of 100 are, in milliseconds; 0 of none.
fn p99(sorted: &[u32]) -> f64 {
    let place = sorted.len() * 99 / 100;
    sorted.get(place).map_or(0.0, |micros| f64::from(*micros) / 1000.0)
}

/// Loads a server.
pub(super) fn burst(server: &Server, burst: &Burst<'_>) -> Outcome<Counted> {
    let begun = Instant::now();
    let counted = thread::scope(|scope| {
        let threads: Vec<_> = (0..burst.connections)
            .map(|number| scope.spawn(move || send(server, burst, number, begun)))
            .collect();
        let mut all = Counted::default();
        for thread in threads {
            let one = thread.join().map_err(|_| "a thread panicked")??;
            all.created.extend(one.created);
            all.refused.extend(one.refused);
            all.others += one.others;
        }
        all.seconds = begun.elapsed().as_secs_f64();
        Outcome::Ok(all)
    });
    let mut counted = counted?;
    counted.created.sort_unstable();
    counted.refused.sort_unstable();
    Ok(counted)
}

/// What one connection does.
fn send(
    server: &Server,
    burst: &Burst<'_>,
    number: usize,
    begun: Instant,
) -> std::io::Result<Counted> {
    let mut client = Client::connect(server.address)?;
    let mut counted = Counted::default();
    let connections = count(burst.connections as u64);
    let pause = burst.rate.map(|rate| Duration::from_secs_f64(connections / rate));
    // They do not all begin at once.
    let mut next = begun
        + pause.map_or(Duration::ZERO, |pause| pause.mul_f64(count(number as u64) / connections));
    for nth in 0_u32.. {
        if let Some(pause) = pause {
            thread::sleep(next.saturating_duration_since(Instant::now()));
            // What was missed because an answer took long is not made up for.
            next = (next + pause).max(Instant::now());
        }
        if begun.elapsed() > burst.seconds {
            break;
        }
        // Numbers in an order that jumps about: users do not come in the order of their addresses.
        let scattered = nth.wrapping_mul(2_654_435_761);
        let text = format!("{scattered:08x}{}{number:x}", burst.tag);
        let body = burst.template.replace("@@", &text);
        let sent = Instant::now();
        let answer = client.post("/api/users", &server.token, &body)?;
        let micros = u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX);
        match answer.status {
            201 => counted.created.push(micros),
            503 => counted.refused.push(micros),
            _ => counted.others += 1,
        }
    }
    Ok(counted)
}
