//! Statistics of the store. Counting takes no lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Bucket bounds for durations in microseconds: 0.1 ms to 10 s.
pub const DURATION_BUCKETS: &[u64] = &[
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 5_000_000, 10_000_000,
];

/// Bucket bounds for batch sizes.
const SIZE_BUCKETS: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

/// A histogram that any number of threads may add to.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [u64],
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// The state of a [`Histogram`] at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistogramSnapshot {
    /// Inclusive upper bounds of the buckets, ascending. Durations are in microseconds.
    pub bounds: &'static [u64],
    /// Number of values in each bucket; the last one counts those above all bounds.
    pub counts: Vec<u64>,
    /// Sum of all values.
    pub sum: u64,
}

impl Histogram {
    /// Returns an empty histogram with these inclusive upper bounds, which must be ascending.
    #[must_use]
    pub fn new(bounds: &'static [u64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, counts, sum: AtomicU64::new(0) }
    }

    /// Adds a value.
    pub fn add(&self, value: u64) {
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// Adds a duration in whole microseconds.
    pub fn add_duration(&self, duration: Duration) {
        self.add(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX));
    }

    /// Returns the current counts.
    #[must_use]
    pub fn snapshot(&self) -> HistogramSnapshot {
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        HistogramSnapshot { bounds: self.bounds, counts, sum: self.sum.load(Ordering::Relaxed) }
    }
}

/// Histograms that the writers share.
#[derive(Debug)]
pub(crate) struct WriterStats {
    /// Number of jobs per transaction.
    pub(crate) sizes: Histogram,
    /// Duration of `COMMIT`.
    pub(crate) commits: Histogram,
}

impl WriterStats {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            sizes: Histogram::new(SIZE_BUCKETS),
            commits: Histogram::new(DURATION_BUCKETS),
        })
    }
}

/// Statistics of a store since it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreStats {
    /// Number of jobs in the queue.
    pub queued: usize,
    /// Maximum number of jobs in the queue.
    pub queue_capacity: usize,
    /// Number of jobs rejected because the queue was full.
    pub rejected: u64,
    /// Number of writers.
    pub writers: usize,
    /// Number of writers that have a connection.
    pub connected_writers: usize,
    /// Number of jobs per transaction.
    pub batches: HistogramSnapshot,
    /// Duration of `COMMIT` in microseconds.
    pub commits: HistogramSnapshot,
    /// Number of read connections in use.
    pub readers_in_use: u32,
    /// Maximum number of read connections.
    pub max_readers: u32,
    /// Size of SQLite's write-ahead log in bytes, or `None` for PostgreSQL.
    pub wal_bytes: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn histogram_bucket_bounds_are_inclusive() {
        let histogram = Histogram::new(&[1, 4]);
        for value in [0, 1, 2, 4, 5, 100] {
            histogram.add(value);
        }
        let snapshot = histogram.snapshot();
        assert_eq!((snapshot.counts, snapshot.sum), (vec![2, 2, 2], 112));
        histogram.add_duration(Duration::from_micros(3));
        assert_eq!(histogram.snapshot().counts, [2, 3, 2]);
    }
}
