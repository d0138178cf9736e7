//! Writes log lines to a stream on a thread of its own. Lines that arrive within [`WRITE_INTERVAL`] are
//! written at once, which saves a system call per request.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Time that lines are collected before they are written.
const WRITE_INTERVAL: Duration = Duration::from_millis(5);
/// Number of buffered bytes at which they are written immediately.
const FLUSH_THRESHOLD: usize = 64 * 1024;
/// Maximum number of buffered bytes; loggers wait if the stream is slower.
const MAX_BUFFERED_BYTES: usize = 1024 * 1024;

/// A buffered log stream. Clones write to the same stream.
#[derive(Clone)]
pub(crate) struct LogWriter(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Notified when the writer thread should look at the buffer.
    work: Condvar,
    /// Notified after each write.
    written: Condvar,
}

#[derive(Default)]
struct State {
    buffer: Vec<u8>,
    /// True while the thread waits for the first line.
    is_idle: bool,
    /// True while the thread writes to the stream.
    is_writing: bool,
    /// True if a caller waits for all lines to be written.
    is_flushing: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Collects lines and writes them, forever.
    fn run(&self, mut stream: impl Write) {
        let mut bytes = Vec::new();
        loop {
            let mut state = self.lock();
            state.is_writing = false;
            self.written.notify_all();
            state.is_idle = true;
            while state.buffer.is_empty() {
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.is_idle = false;
            let can_wait =
                |state: &mut State| !state.is_flushing && state.buffer.len() < FLUSH_THRESHOLD;
            state = match self.work.wait_timeout_while(state, WRITE_INTERVAL, can_wait) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
            std::mem::swap(&mut bytes, &mut state.buffer);
            state.is_writing = true;
            drop(state);
            // The log is where an error would be reported.
            let _ = stream.write_all(&bytes).and_then(|()| stream.flush());
            bytes.clear();
        }
    }
}

impl LogWriter {
    /// Starts the thread.
    ///
    /// # Errors
    /// Returns an error if the thread cannot be started.
    pub(crate) fn start(stream: impl Write + Send + 'static) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let writer = Self(Arc::clone(&shared));
        thread::Builder::new().name("log".to_owned()).spawn(move || shared.run(stream))?;
        Ok(writer)
    }

    /// Waits until all lines are written.
    pub(crate) fn drain(&self) {
        let mut state = self.0.lock();
        while state.is_writing || !state.buffer.is_empty() {
            state.is_flushing = true;
            self.0.work.notify_one();
            state = self.0.written.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.is_flushing = false;
    }
}

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.0.lock();
        while state.buffer.len() > MAX_BUFFERED_BYTES {
            state = self.0.written.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.buffer.extend_from_slice(bytes);
        if state.is_idle || state.buffer.len() >= FLUSH_THRESHOLD {
            state.is_idle = false;
            self.0.work.notify_one();
        }
        Ok(bytes.len())
    }

    /// Does nothing: env_logger flushes after each line. See [`LogWriter::drain`].
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stream that is slow and counts its writes.
    #[derive(Clone, Default)]
    struct SlowStream(Arc<Mutex<(Vec<u8>, usize)>>);

    impl Write for SlowStream {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            thread::sleep(Duration::from_millis(1));
            let mut state = self.0.lock().unwrap();
            state.0.extend_from_slice(bytes);
            state.1 += 1;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn concurrent_lines_are_batched_without_loss() {
        let stream = SlowStream::default();
        let writer = LogWriter::start(stream.clone()).unwrap();
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                let mut writer = writer.clone();
                thread::spawn(move || {
                    for line in 0..2_000 {
                        let line_text = format!("{thread} {line:01000}\n");
                        writer.write_all(line_text.as_bytes()).unwrap();
                        if line % 500 == 0 {
                            writer.drain();
                        }
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        writer.drain();
        let (bytes, writes) = stream.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(text.lines().count(), 16_000);
        assert!(text.lines().all(|line| line.len() == 1_002));
        assert!(writes < 4_000, "{writes}");
    }
}
