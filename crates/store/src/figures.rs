//! What the store counts while it works, and how it tells. Counting takes no lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::store::Store;

/// Bounds for how long things take, in microseconds: 0.1 ms to 10 s.
pub const DURATIONS: &[u64] = &[
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 5_000_000, 10_000_000,
];

/// Bounds for how many are written together.
const SIZES: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

/// Counts values by size. Any number of threads may add to it.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [u64],
    /// How many fell up to each bound and above the one before; the last one, above all bounds.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// A histogram as it was at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Upper bounds, which belong to what is below them. Durations are microseconds.
    pub bounds: &'static [u64],
    /// How many fell up to each bound and above the one before; the last one, above all bounds.
    pub counts: Vec<u64>,
    /// All values together.
    pub sum: u64,
}

impl Histogram {
    /// An empty one with these upper bounds, in growing order.
    #[must_use]
    pub fn new(bounds: &'static [u64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, counts, sum: AtomicU64::new(0) }
    }

    /// Adds a value.
    pub fn add(&self, value: u64) {
        let place = self.bounds.partition_point(|bound| *bound < value);
        self.counts[place].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// Adds a duration, in whole microseconds.
    pub fn add_duration(&self, duration: Duration) {
        self.add(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX));
    }

    /// What it counted so far.
    #[must_use]
    pub fn counted(&self) -> Counted {
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        Counted { bounds: self.bounds, counts, sum: self.sum.load(Ordering::Relaxed) }
    }
}

/// What the writers count together.
#[derive(Debug)]
pub(crate) struct Written {
    /// How many submissions or changes each transaction had.
    pub(crate) sizes: Histogram,
    /// How long commits took: that of the transaction's end alone.
    pub(crate) commits: Histogram,
}

impl Written {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { sizes: Histogram::new(SIZES), commits: Histogram::new(DURATIONS) })
    }
}

/// What the store is at, and what it did since it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// How many submissions and changes wait for a writer.
    pub waiting: usize,
    /// How many may wait.
    pub most_waiting: usize,
    /// How many were refused because as many waited as may.
    pub turned_away: u64,
    /// How many writers there are.
    pub writers: usize,
    /// How many of them have a connection.
    pub connected: usize,
    /// How many submissions or changes the transactions had.
    pub batches: Counted,
    /// How long their commits took, in microseconds: each from `COMMIT` to the disk's answer.
    pub commits: Counted,
    /// How many connections for reads are in use.
    pub readers: u32,
    /// How many there may be.
    pub most_readers: u32,
    /// How large SQLite's log is, in bytes; `None` for PostgreSQL.
    pub log_bytes: Option<u64>,
}

impl Store {
    /// What it is at, and what it did so far.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let (queue, written, readers, connected) = self.counted();
        let of_readers = readers.state();
        Figures {
            waiting: queue.waiting(),
            most_waiting: queue.most(),
            turned_away: queue.turned_away(),
            writers: connected.len(),
            connected: connected.iter().filter(|up| up.load(Ordering::Relaxed)).count(),
            batches: written.sizes.counted(),
            commits: written.commits.counted(),
            readers: of_readers.connections.saturating_sub(of_readers.idle_connections),
            most_readers: readers.max_size(),
            log_bytes: self.database().log_bytes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_counts_for_the_smallest_bound_that_holds_it() {
        let histogram = Histogram::new(&[1, 4]);
        for value in [0, 1, 2, 4, 5, 100] {
            histogram.add(value);
        }
        let counted = histogram.counted();
        assert_eq!((counted.counts, counted.sum), (vec![2, 2, 2], 112));
        histogram.add_duration(Duration::from_micros(3));
        assert_eq!(histogram.counted().counts, [2, 3, 2]);
    }
}
