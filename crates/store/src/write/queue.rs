//! The bounded FIFO queue of write jobs, shared by the writer threads.
//!
//! A transaction is expensive and one more job in it is cheap. While another writer is active, a
//! writer starts a batch only if enough jobs are queued or if the active writer seems stalled. A
//! writer without a connection stands by while another one is connected.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Number of queued jobs for which a writer starts a batch beside another one. Measured on
/// PostgreSQL with 16 connections: at 1, small batches use up the processors; at 16 and more, the
/// second writer stays idle.
const BATCH_THRESHOLD: usize = 8;

/// Time after which an active writer counts as stalled, for example behind a lock.
const STALL_TIMEOUT: Duration = Duration::from_millis(100);

/// A bounded FIFO queue.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    state: Mutex<QueueState<T>>,
    /// Signals queued jobs to writers.
    available: Condvar,
    /// Signals writers that stand by.
    standby: Condvar,
    /// Maximum number of queued jobs.
    capacity: usize,
    /// Number of queued jobs for which a second batch is started.
    batch_threshold: usize,
    /// Number of jobs rejected because the queue was full.
    rejected: AtomicU64,
}

#[derive(Debug)]
struct QueueState<T> {
    jobs: VecDeque<T>,
    is_closed: bool,
    /// Number of writers.
    writers: u32,
    /// Number of writers with a connection.
    healthy: u32,
    /// Number of writers that are writing a batch.
    active: u32,
    /// Whether an idle writer waits for the active ones with [`STALL_TIMEOUT`].
    has_monitor: bool,
}

/// Reason why a job was not queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PushError {
    /// The queue is full.
    Full,
    /// The queue is closed.
    Closed,
    /// All writers have ended.
    NoWriters,
}

impl<T> Queue<T> {
    /// Returns an empty queue for `writers` writers that take at most `max_batch` jobs at once.
    pub(crate) fn new(writers: u32, max_batch: usize, capacity: usize) -> Self {
        let state = QueueState {
            jobs: VecDeque::new(),
            is_closed: false,
            writers,
            healthy: writers,
            active: 0,
            has_monitor: false,
        };
        Self {
            state: Mutex::new(state),
            available: Condvar::new(),
            standby: Condvar::new(),
            capacity,
            batch_threshold: BATCH_THRESHOLD.min(max_batch).min(capacity),
            rejected: AtomicU64::new(0),
        }
    }

    fn state(&self) -> MutexGuard<'_, QueueState<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a job.
    pub(crate) fn push(&self, job: T) -> Result<(), PushError> {
        let mut state = self.state();
        if state.is_closed {
            return Err(PushError::Closed);
        }
        if state.writers == 0 {
            return Err(PushError::NoWriters);
        }
        if state.jobs.len() >= self.capacity {
            self.rejected.fetch_add(1, Ordering::Relaxed);
            return Err(PushError::Full);
        }
        state.jobs.push_back(job);
        let notifies = state.active == 0 || state.jobs.len() >= self.batch_threshold;
        drop(state);
        if notifies {
            self.available.notify_one();
        }
        Ok(())
    }

    /// Returns whether the queue has room for one more job; if not, counts a rejection.
    pub(crate) fn has_room(&self) -> bool {
        let has_room = self.state().jobs.len() < self.capacity;
        if !has_room {
            self.rejected.fetch_add(1, Ordering::Relaxed);
        }
        has_room
    }

    /// Returns the number of queued jobs.
    pub(crate) fn len(&self) -> usize {
        self.state().jobs.len()
    }

    /// Returns the maximum number of queued jobs.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Returns the number of jobs rejected because the queue was full.
    pub(crate) fn rejected(&self) -> u64 {
        self.rejected.load(Ordering::Relaxed)
    }

    /// Rejects all further jobs. Queued jobs are still taken.
    pub(crate) fn close(&self) {
        self.state().is_closed = true;
        self.available.notify_all();
        self.standby.notify_all();
    }

    /// Takes up to `max` jobs without waiting and marks the writer as active.
    pub(crate) fn try_take(&self, max: usize) -> Vec<T> {
        let mut state = self.state();
        state.active += 1;
        drain(&mut state, max)
    }

    /// Waits for jobs, takes up to `max` of them and marks the writer as active until it calls
    /// [`finish_batch`](Self::finish_batch). Returns `None` if the queue is closed and empty.
    ///
    /// A writer without a connection passes `standby_timeout`: it gets jobs only if no other writer
    /// has a connection, and an empty batch when the time is over.
    pub(crate) fn take(&self, max: usize, standby_timeout: Option<Duration>) -> Option<Vec<T>> {
        let mut state = self.state();
        loop {
            if let Some(timeout) = standby_timeout
                && state.healthy > 0
            {
                if state.is_closed {
                    return None;
                }
                // Passes on a notification that this writer may have consumed.
                self.available.notify_one();
                let (guard, wait) = self
                    .standby
                    .wait_timeout(state, timeout)
                    .unwrap_or_else(PoisonError::into_inner);
                if wait.timed_out() {
                    return Some(Vec::new());
                }
                state = guard;
                continue;
            }
            let others = state.active;
            let is_enough = others == 0 || state.jobs.len() >= self.batch_threshold;
            if !state.jobs.is_empty() && is_enough {
                break;
            }
            if state.is_closed {
                if state.jobs.is_empty() {
                    return None;
                }
                break;
            }
            let monitors = others > 0 && !state.has_monitor;
            let timeout = if monitors { Some(STALL_TIMEOUT) } else { standby_timeout };
            let Some(timeout) = timeout else {
                state = self.available.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            state.has_monitor |= monitors;
            let (guard, wait) =
                self.available.wait_timeout(state, timeout).unwrap_or_else(PoisonError::into_inner);
            state = guard;
            if monitors {
                state.has_monitor = false;
                if wait.timed_out() && !state.jobs.is_empty() {
                    break;
                }
            } else if wait.timed_out() {
                break;
            }
        }
        if state.jobs.is_empty() {
            return Some(Vec::new());
        }
        state.active += 1;
        let batch = drain(&mut state, max);
        let notifies = !state.has_monitor && state.writers > state.active;
        drop(state);
        if notifies {
            self.available.notify_one();
        }
        Some(batch)
    }

    /// Marks a writer as no longer active.
    pub(crate) fn finish_batch(&self) {
        let mut state = self.state();
        state.active = state.active.saturating_sub(1);
    }

    /// Records that a writer got or lost its connection. All have one at first.
    pub(crate) fn set_healthy(&self, is_healthy: bool) {
        let mut state = self.state();
        if is_healthy {
            state.healthy += 1;
            return;
        }
        state.healthy = state.healthy.saturating_sub(1);
        if state.healthy == 0 {
            drop(state);
            self.standby.notify_all();
        }
    }

    /// Records that a writer without a connection ends. After the last one, queued jobs are dropped.
    pub(crate) fn remove_writer(&self) {
        let mut state = self.state();
        state.writers = state.writers.saturating_sub(1);
        if state.writers == 0 {
            state.jobs.clear();
        }
    }
}

fn drain<T>(state: &mut QueueState<T>, max: usize) -> Vec<T> {
    let count = state.jobs.len().min(max);
    state.jobs.drain(..count).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, mpsc};
    use std::thread;
    use std::time::Instant;

    use super::*;

    #[test]
    fn second_writer_starts_a_batch_at_the_threshold() {
        let queue = Arc::new(Queue::new(2, 256, 256));
        queue.push(0).unwrap();
        assert_eq!(queue.take(256, None), Some(vec![0]), "no writer is active");
        let other = Arc::clone(&queue);
        let second = thread::spawn(move || other.take(256, None).map(|batch| batch.len()));
        for item in 0..BATCH_THRESHOLD {
            queue.push(item).unwrap();
        }
        assert_eq!(second.join().unwrap(), Some(BATCH_THRESHOLD));
    }

    #[test]
    fn stalled_writer_does_not_block_the_queue() {
        let queue = Arc::new(Queue::new(2, 256, 256));
        let other = Arc::clone(&queue);
        // It waits before any writer is active and becomes the monitor of the first one.
        let second = thread::spawn(move || {
            let mut batches = Vec::new();
            while let Some(batch) = other.take(256, None) {
                batches.push((batch, Instant::now()));
                other.finish_batch();
            }
            batches
        });
        let first = Instant::now();
        queue.push(1).unwrap();
        let ours = queue.take(256, Some(Duration::ZERO));
        queue.push(2).unwrap();
        thread::sleep(STALL_TIMEOUT * 3);
        queue.close();
        let batches = second.join().unwrap();
        let taken = batches.iter().find(|(batch, _)| batch.contains(&2)).unwrap();
        assert!(taken.1 - first < STALL_TIMEOUT * 2, "{ours:?} {batches:?}");
    }

    #[test]
    fn disconnected_writer_yields_to_a_connected_one() {
        let queue = Arc::new(Queue::new(2, 256, 256));
        queue.set_healthy(false);
        for item in 0..BATCH_THRESHOLD {
            queue.push(item).unwrap();
        }
        let soon = Some(Duration::from_millis(1));
        assert_eq!(queue.take(256, soon), Some(Vec::new()), "the other writer is connected");
        let other = Arc::clone(&queue);
        let begun = Instant::now();
        let standby = thread::spawn(move || other.take(256, Some(Duration::from_secs(60))));
        queue.set_healthy(false);
        assert_eq!(
            standby.join().unwrap().map(|batch| batch.len()),
            Some(BATCH_THRESHOLD),
            "no writer is connected"
        );
        assert!(begun.elapsed() < Duration::from_secs(30));
        queue.finish_batch();
        queue.set_healthy(true);
        queue.push(0).unwrap();
        queue.close();
        assert_eq!(queue.take(256, soon), None, "the connected writer takes the rest");
        assert_eq!(queue.take(256, None), Some(vec![0]));
    }

    #[test]
    fn disconnected_writer_passes_notifications_on() {
        let queue = Arc::new(Queue::new(2, 256, 256));
        queue.set_healthy(false);
        queue.set_healthy(false);
        let waits = |standby_timeout| {
            let (other, (sender, receiver)) = (Arc::clone(&queue), mpsc::channel());
            thread::spawn(move || sender.send(other.take(256, standby_timeout)));
            thread::sleep(STALL_TIMEOUT);
            receiver
        };
        // It waits for jobs while no writer is connected; then the other one connects and waits too.
        let disconnected = waits(Some(Duration::from_secs(60)));
        queue.set_healthy(true);
        let connected = waits(None);
        queue.push(1).unwrap();
        let soon = Duration::from_secs(10);
        assert_eq!(connected.recv_timeout(soon), Ok(Some(vec![1])));
        queue.finish_batch();
        queue.close();
        assert_eq!(disconnected.recv_timeout(soon), Ok(None));
    }

    #[test]
    fn single_writer_takes_all_queued_jobs() {
        let queue = Queue::new(1, 2, 4);
        for item in 0..4 {
            queue.push(item).unwrap();
        }
        assert_eq!((queue.len(), queue.rejected()), (4, 0));
        assert_eq!(queue.push(4), Err(PushError::Full));
        assert_eq!((queue.len(), queue.rejected()), (4, 1));
        assert_eq!(queue.take(2, None), Some(vec![0, 1]));
        queue.finish_batch();
        queue.close();
        assert_eq!(queue.push(5), Err(PushError::Closed));
        assert_eq!(queue.rejected(), 1, "a closed queue is not a full one");
        assert_eq!(queue.take(2, None), Some(vec![2, 3]));
        queue.finish_batch();
        assert_eq!(queue.take(2, None), None);
    }

    #[test]
    fn queue_without_writers_drops_jobs() {
        let queue = Queue::new(1, 2, 4);
        queue.push(Arc::new(())).unwrap();
        queue.set_healthy(false);
        queue.remove_writer();
        assert_eq!(queue.push(Arc::new(())), Err(PushError::NoWriters));
        let batch = queue.take(2, Some(Duration::ZERO));
        assert_eq!(batch, Some(Vec::new()), "queued jobs are dropped");
    }
}
