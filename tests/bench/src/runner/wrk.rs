//! Load generation with wrk.

use std::io::{ErrorKind, Read};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use super::Outcome;
use super::child::Server;

const LUA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/lua/load.lua");

/// Requests to send.
#[derive(Debug, Clone, Copy)]
pub(super) enum WrkRequest<'a> {
    /// `POST` with a body in which each `@@` is replaced by a string that is unique to the request.
    Post { path: &'a str, template: &'a str },
    /// `GET /api/users/{id}` for random ids up to `last`.
    Get { last: i64 },
}

/// Results of a load.
#[derive(Debug, Clone, Copy)]
pub(super) struct LoadResult {
    pub(super) seconds: f64,
    /// Responses with a status below 400.
    pub(super) good: u64,
    /// Responses with a status of 400 or more.
    pub(super) refused: u64,
    /// Broken connections and missing responses.
    pub(super) broken: u64,
    /// Median latency, in milliseconds.
    pub(super) p50: f64,
    /// 99th percentile latency, in milliseconds.
    pub(super) p99: f64,
}

/// A running load.
#[derive(Debug)]
pub(super) struct Running {
    wrk: Child,
    deadline: Instant,
}

/// Returns an error if wrk is not installed.
pub(super) fn check() -> Outcome<()> {
    match Command::new("wrk").arg("-v").output() {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err("wrk is not installed: on Debian `apt-get install wrk`".into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Loads a server for this number of seconds.
pub(super) fn load(
    server: &Server,
    send: WrkRequest<'_>,
    connections: u32,
    seconds: u32,
) -> Outcome<LoadResult> {
    start(server, send, connections, seconds)?.finish()
}

/// Starts to load a server.
pub(super) fn start(
    server: &Server,
    send: WrkRequest<'_>,
    connections: u32,
    seconds: u32,
) -> Outcome<Running> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let threads = connections.min(2);
    let mut command = Command::new("wrk");
    command
        .args([format!("-t{threads}"), format!("-c{connections}"), format!("-d{seconds}s")])
        .args(["--latency", "--timeout", "20s", "-s", LUA])
        .arg(format!("http://{}", server.address))
        .arg("--");
    match send {
        WrkRequest::Get { last } => {
            command.args(["get", &server.token, "/api/users", &last.to_string()]);
        }
        WrkRequest::Post { path, template } => {
            let file = server.folder.join(format!("body-{number}.json"));
            fs::write(&file, template)?;
            command.args(["post", &server.token, path]).arg(&file).arg(format!("r{number}"));
        }
    }
    let wrk = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let deadline = Instant::now() + Duration::from_secs(u64::from(seconds) + 60);
    Ok(Running { wrk, deadline })
}

impl Running {
    /// Waits for the end of the load.
    pub(super) fn finish(mut self) -> Outcome<LoadResult> {
        while self.wrk.try_wait()?.is_none() {
            if Instant::now() > self.deadline {
                return Err("wrk does not end".into());
            }
            thread::sleep(Duration::from_millis(5));
        }
        let mut said = String::new();
        if let Some(stdout) = &mut self.wrk.stdout {
            stdout.read_to_string(&mut said)?;
        }
        if let Some(stderr) = &mut self.wrk.stderr {
            stderr.read_to_string(&mut said)?;
        }
        let line = said.lines().find_map(|line| line.strip_prefix("RESULT "));
        let line = line.ok_or_else(|| format!("wrk error: {said}"))?;
        let numbers: Vec<u64> =
            line.split(' ').map(|number| number.parse().unwrap_or_default()).collect();
        let [requests, micros, refused, broken, p50, p99] = numbers[..] else {
            return Err(format!("wrk said `{line}`").into());
        };
        let milliseconds = |micros: u64| Duration::from_micros(micros).as_secs_f64() * 1000.0;
        Ok(LoadResult {
            seconds: Duration::from_micros(micros).as_secs_f64(),
            good: requests.saturating_sub(refused),
            refused,
            broken,
            p50: milliseconds(p50),
            p99: milliseconds(p99),
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.wrk.kill();
        let _ = self.wrk.wait();
    }
}
