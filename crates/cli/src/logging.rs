//! Logging: env_logger with a rate limit for other crates, written by a thread of its own.
//!
//! actix-http logs each malformed request at level ERROR: any client could fill a disk with those lines.

use std::collections::HashMap;
use std::io::{IsTerminal as _, stderr};
use std::panic;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use env_logger::{Builder, Env, Logger, Target};
use log::{LevelFilter, Log, Metadata, Record};

use registrar_server::settings::LogFormat;

use crate::json_log;
use crate::log_writer::LogWriter;

/// Maximum number of lines of a target per [`PERIOD`].
const MAX_LINES: u32 = 10;
const PERIOD: Duration = Duration::from_secs(60);
/// Prefix of Registrar's own targets, which are not limited: they write a line per request.
const OWN_TARGETS: &str = "registrar";

/// A logger that limits the lines of other crates by target and reports the number of dropped lines.
struct LimitedLogger {
    inner: Logger,
    writer: Option<LogWriter>,
    targets: Mutex<HashMap<String, LineWindow>>,
}

/// Number of lines of a target in the current period.
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

    /// Counts a line. Returns whether it is written, and the number of lines dropped in the last period.
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
        // Lower levels are written only if `RUST_LOG` enables them.
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
                let notice =
                    Record::builder().metadata(record.metadata().clone()).args(text).build();
                self.inner.log(&notice);
            }
            if !is_admitted {
                return;
            }
        }
        self.inner.log(record);
    }

    fn flush(&self) {
        if let Some(writer) = &self.writer {
            writer.drain();
        }
    }
}

/// Flushes the log when it is dropped, also by a panic.
pub(crate) struct FlushGuard(Option<LogWriter>);

impl Drop for FlushGuard {
    fn drop(&mut self) {
        if let Some(writer) = &self.0 {
            writer.drain();
        }
    }
}

/// Starts logging with the levels in `RUST_LOG`, by default `levels`. On a terminal, lines are written
/// directly, and text with colours.
pub(crate) fn start(levels: &str, format: LogFormat) -> FlushGuard {
    let mut builder = Builder::from_env(Env::default().default_filter_or(levels));
    // It traces the numbers that it parses, but submitted values must not be logged at any level.
    builder.filter_module("rlibphonenumber", LevelFilter::Off);
    if format == LogFormat::Json {
        builder.format(json_log::write);
    }
    let is_terminal = stderr().is_terminal();
    let writer = (!is_terminal).then(|| LogWriter::start(stderr()).ok()).flatten();
    if let Some(writer) = &writer {
        builder.target(Target::Pipe(Box::new(writer.clone())));
    }
    let inner = builder.build();
    log::set_max_level(inner.filter());
    let guard = FlushGuard(writer.clone());
    let logger = LimitedLogger { inner, writer, targets: Mutex::default() };
    if log::set_boxed_logger(Box::new(logger)).is_ok() {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            log::logger().flush();
            report(info);
        }));
    }
    guard
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panic_flushes_the_log() {
        use std::io::{PipeWriter, Read as _, Write as _, pipe};

        let (mut reader, stream): (_, PipeWriter) = pipe().unwrap();
        let writer = LogWriter::start(stream).unwrap();
        let panicked = panic::catch_unwind(|| {
            let _flush = FlushGuard(Some(writer.clone()));
            for line in 0..1_000 {
                writer.clone().write_all(format!("{line:09}\n").as_bytes()).unwrap();
            }
            panic!("expected");
        });
        assert!(panicked.is_err());
        let mut bytes = vec![0; 10_000];
        reader.read_exact(&mut bytes).unwrap();
        assert!(bytes.ends_with(b"000000999\n"));
    }

    #[test]
    fn log_lines_are_rate_limited_and_dropped_lines_counted() {
        let start = Instant::now();
        let mut window = LineWindow::new(start);
        let admitted = (0..1000).filter(|_| window.admit(start).0).count();
        assert_eq!(admitted, MAX_LINES as usize);
        let dropped = 1000 - u64::from(MAX_LINES);
        assert_eq!(window.admit(start + PERIOD), (true, dropped));
        assert_eq!(window.admit(start + PERIOD), (true, 0));
    }
}
