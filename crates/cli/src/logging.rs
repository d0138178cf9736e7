//! The log: env_logger's, with a limit on the lines of other crates.
//!
//! actix-http logs each malformed request at level ERROR: any client could fill a disk with those lines.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use env_logger::{Builder, Env, Logger};
use log::{LevelFilter, Log, Metadata, Record};

/// How many lines a target may write in a [`PERIOD`].
const MAX_LINES: u32 = 10;
const PERIOD: Duration = Duration::from_secs(60);
/// Prefix of Registrar's own targets, which are not limited: a client causes one line per request there.
const OWN_TARGETS: &str = "registrar";

/// A logger that limits the lines of each target of another crate and reports how many it dropped.
struct LimitedLogger {
    inner: Logger,
    targets: Mutex<HashMap<String, LineWindow>>,
}

/// The count of one target's lines in a period.
#[derive(Debug)]
struct LineWindow {
    began: Instant,
    written: u32,
    dropped: u64,
}

impl LineWindow {
    fn new(began: Instant) -> Self {
        Self { began, written: 0, dropped: 0 }
    }

    /// Returns whether one more line may be written, and how many of the last period were dropped.
    fn admit(&mut self, now: Instant) -> (bool, u64) {
        let mut dropped = 0;
        if now.duration_since(self.began) >= PERIOD {
            dropped = self.dropped;
            *self = Self::new(now);
        }
        if self.written >= MAX_LINES {
            self.dropped += 1;
            return (false, 0);
        }
        self.written += 1;
        (true, dropped)
    }
}

impl Log for LimitedLogger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.inner.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        let target = record.target();
        if !self.inner.matches(record) {
            return;
        }
        // Lower levels are written only where `RUST_LOG` asks for them.
        let is_limited = record.level() <= log::Level::Warn && !target.starts_with(OWN_TARGETS);
        if is_limited {
            let now = Instant::now();
            let mut targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
            let period = targets.entry(target.to_owned()).or_insert_with(|| LineWindow::new(now));
            let (is_admitted, dropped) = period.admit(now);
            drop(targets);
            if dropped > 0 {
                let seconds = PERIOD.as_secs();
                let text = format_args!(
                    "{dropped} more such lines were dropped: at most {MAX_LINES} in {seconds} s"
                );
                let more = Record::builder().metadata(record.metadata().clone()).args(text).build();
                self.inner.log(&more);
            }
            if !is_admitted {
                return;
            }
        }
        self.inner.log(record);
    }

    fn flush(&self) {
        self.inner.flush();
    }
}

/// Sets up the log as `RUST_LOG` says, else as `levels` print_message. Setting it up twice does nothing.
pub(crate) fn start(levels: &str) {
    let inner = Builder::from_env(Env::default().default_filter_or(levels)).build();
    let level: LevelFilter = inner.filter();
    let log = LimitedLogger { inner, targets: Mutex::default() };
    if log::set_boxed_logger(Box::new(log)).is_ok() {
        log::set_max_level(level);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_writes_so_many_lines_in_a_period_and_tells_how_many_it_did_not() {
        let begin = Instant::now();
        let mut period = LineWindow::new(begin);
        let admitted = (0..1000).filter(|_| period.admit(begin).0).count();
        assert_eq!(admitted, MAX_LINES as usize);
        let dropped = 1000 - u64::from(MAX_LINES);
        assert_eq!(period.admit(begin + PERIOD), (true, dropped));
        assert_eq!(period.admit(begin + PERIOD), (true, 0));
    }
}
