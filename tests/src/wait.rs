//! Polling with a deadline.

use std::thread;
use std::time::{Duration, Instant};

/// Polls until `ask` returns a value.
///
/// # Panics
/// Panics if there is none after `limit`; the message names `what`.
#[track_caller]
pub fn eventually<T>(what: &str, limit: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(response) = ask() {
            return response;
        }
        assert!(started.elapsed() < limit, "not within {limit:?}: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}
