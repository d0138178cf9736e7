//! Load generator that measures successes and 503 responses separately, for which wrk has only a
//! single latency distribution.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Outcome;
use super::child::Server;
use super::http::{RESPONSE_TIMEOUT, parse_response, post_request};
use super::measure::count;

/// Parameters of a load.
#[derive(Debug, Clone, Copy)]
pub(super) struct Burst<'b> {
    pub(super) path: &'b str,
    /// A body, in which each `@@` becomes a text that no other request has.
    pub(super) template: &'b str,
    /// Tag that makes the strings of this load unique.
    pub(super) tag: &'b str,
    /// Number of connections; each sends one request at a time.
    pub(super) connections: usize,
    /// Target rate in requests per second over all connections, or `None` for as many as possible.
    pub(super) rate: Option<f64>,
    pub(super) seconds: Duration,
}

/// Results of a load.
#[derive(Debug, Default)]
pub(super) struct BurstResult {
    /// Duration in seconds.
    pub(super) seconds: f64,
    /// Latencies of 201 responses, in microseconds.
    created: Vec<u32>,
    /// Latencies of 503 responses, in microseconds.
    refused: Vec<u32>,
    /// Number of responses with another status.
    pub(super) others: u64,
}

impl BurstResult {
    pub(super) fn created(&self) -> u64 {
        self.created.len() as u64
    }

    pub(super) fn refused(&self) -> u64 {
        self.refused.len() as u64
    }

    /// Returns the number of created users per second.
    pub(super) fn created_rate(&self) -> f64 {
        count(self.created()) / self.seconds
    }

    /// Returns the 99th percentile latency of 201 responses, in milliseconds.
    pub(super) fn created_p99(&self) -> f64 {
        p99(&self.created)
    }

    /// Returns the 99th percentile latency of 503 responses, in milliseconds.
    pub(super) fn refused_p99(&self) -> f64 {
        p99(&self.refused)
    }
}

/// Returns the 99th percentile of sorted microseconds, in milliseconds, or 0 if there are none.
fn p99(sorted: &[u32]) -> f64 {
    let place = sorted.len() * 99 / 100;
    sorted.get(place).map_or(0.0, |micros| f64::from(*micros) / 1000.0)
}

/// Generates the load from a single thread, which leaves the other cores to the server.
pub(super) fn burst(server: &Server, burst: &Burst<'_>) -> Outcome<BurstResult> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut counted = tokio::task::LocalSet::new().block_on(&runtime, async {
        let started = Instant::now();
        let all: Vec<_> = (0..burst.connections)
            .map(|number| {
                let sender = Sender::new(server, burst, number, started);
                tokio::task::spawn_local(sender.send())
            })
            .collect();
        let mut counted = BurstResult::default();
        for one in all {
            let one = one.await??;
            counted.created.extend(one.created);
            counted.refused.extend(one.refused);
            counted.others += one.others;
        }
        counted.seconds = started.elapsed().as_secs_f64();
        Outcome::Ok(counted)
    })?;
    counted.created.sort_unstable();
    counted.refused.sort_unstable();
    Ok(counted)
}

/// A connection.
struct Sender {
    address: SocketAddr,
    path: String,
    token: String,
    template: String,
    /// Tag that makes the strings of this connection unique.
    tag: String,
    /// Interval between requests.
    pause: Option<Duration>,
    /// Time of the first request; connections start staggered.
    first: Instant,
    ends: Instant,
}

impl Sender {
    fn new(server: &Server, burst: &Burst<'_>, number: usize, started: Instant) -> Self {
        let connections = count(burst.connections as u64);
        let pause = burst.rate.map(|rate| Duration::from_secs_f64(connections / rate));
        let after = pause.map(|pause| pause.mul_f64(count(number as u64) / connections));
        Self {
            address: server.address,
            path: burst.path.to_owned(),
            token: server.token.clone(),
            template: burst.template.to_owned(),
            tag: format!("{}{number:x}", burst.tag),
            pause,
            first: started + after.unwrap_or_default(),
            ends: started + burst.seconds,
        }
    }

    async fn send(self) -> io::Result<BurstResult> {
        let mut stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let mut counted = BurstResult::default();
        let (mut next, mut buffer) = (self.first, Vec::with_capacity(4096));
        for nth in 0_u32.. {
            if let Some(pause) = self.pause {
                tokio::time::sleep_until(next.into()).await;
                // Requests missed because of a slow response are not made up for.
                next = (next + pause).max(Instant::now());
            }
            if Instant::now() > self.ends {
                break;
            }
            // Scattered numbers: e-mail addresses of real users do not arrive in sorted order.
            let scattered = nth.wrapping_mul(2_654_435_761);
            let body = self.template.replace("@@", &format!("{scattered:08x}{}", self.tag));
            let request = post_request(&self.path, &self.token, &body);
            let sent = Instant::now();
            let status = exchange(&mut stream, request.as_bytes(), &mut buffer);
            let status = timeout(RESPONSE_TIMEOUT, status).await.map_err(io::Error::other)??;
            let micros = u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX);
            match status {
                201 => counted.created.push(micros),
                503 => counted.refused.push(micros),
                _ => counted.others += 1,
            }
        }
        Ok(counted)
    }
}

/// Sends a request, waits for the complete response, and returns its status.
async fn exchange(stream: &mut TcpStream, request: &[u8], buffer: &mut Vec<u8>) -> io::Result<u16> {
    stream.write_all(request).await?;
    buffer.clear();
    loop {
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some((status, _)) = parse_response(buffer)? {
            return Ok(status);
        }
    }
}
