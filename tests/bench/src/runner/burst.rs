//! Load by a thread of our own, where those who are created and those who are told to come back are to
//! be told apart: wrk knows one distribution of times.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Outcome;
use super::child::Server;
use super::http::{PATIENCE, posting, whole};
use super::measure::count;

/// What is sent, and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct Burst<'b> {
    pub(super) path: &'b str,
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

/// Loads a server, by all connections in one thread: what the load costs is not the server's to use.
pub(super) fn burst(server: &Server, burst: &Burst<'_>) -> Outcome<Counted> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut counted = tokio::task::LocalSet::new().block_on(&runtime, async {
        let begun = Instant::now();
        let all: Vec<_> = (0..burst.connections)
            .map(|number| {
                let sender = Sender::new(server, burst, number, begun);
                tokio::task::spawn_local(sender.send())
            })
            .collect();
        let mut counted = Counted::default();
        for one in all {
            let one = one.await??;
            counted.created.extend(one.created);
            counted.refused.extend(one.refused);
            counted.others += one.others;
        }
        counted.seconds = begun.elapsed().as_secs_f64();
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
    /// What sets its texts apart from those of the others.
    tag: String,
    /// Between one request and the next.
    pause: Option<Duration>,
    /// When its first request is due: they do not all begin at once.
    first: Instant,
    ends: Instant,
}

impl Sender {
    fn new(server: &Server, burst: &Burst<'_>, number: usize, begun: Instant) -> Self {
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
            first: begun + after.unwrap_or_default(),
            ends: begun + burst.seconds,
        }
    }

    async fn send(self) -> io::Result<Counted> {
        let mut stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let mut counted = Counted::default();
        let (mut next, mut buffer) = (self.first, Vec::with_capacity(4096));
        for nth in 0_u32.. {
            if let Some(pause) = self.pause {
                tokio::time::sleep_until(next.into()).await;
                // What was missed because an answer took long is not made up for.
                next = (next + pause).max(Instant::now());
            }
            if Instant::now() > self.ends {
                break;
            }
            // Numbers in an order that jumps about: users do not come in the order of their addresses.
            let scattered = nth.wrapping_mul(2_654_435_761);
            let body = self.template.replace("@@", &format!("{scattered:08x}{}", self.tag));
            let request = posting(&self.path, &self.token, &body);
            let sent = Instant::now();
            let status = exchange(&mut stream, request.as_bytes(), &mut buffer);
            let status = timeout(PATIENCE, status).await.map_err(io::Error::other)??;
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

/// Sends a request, waits for the whole answer, and says its status.
async fn exchange(stream: &mut TcpStream, request: &[u8], buffer: &mut Vec<u8>) -> io::Result<u16> {
    stream.write_all(request).await?;
    buffer.clear();
    loop {
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some((status, _)) = whole(buffer)? {
            return Ok(status);
        }
    }
}
