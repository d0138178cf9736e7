//! Bounded thread pool that hashes passwords with argon2id.
//!
//! A hash takes about 17 ms and 19 MiB. Each thread keeps its memory, and the queues are bounded.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use registrar_core::aggregate::Secret;
use registrar_core::canonical::opaque_string;
use registrar_store::{DURATION_BUCKETS, Histogram, HistogramSnapshot};
use tokio::sync::oneshot;

pub use super::password_hasher::Verification;

use super::password_hasher::PasswordHasher;
use crate::error::ApiError;
use crate::settings::HashCost;

/// A password pool. Clones are handles to the same pool.
///
/// Hashing and verification have separate queues that are served in turn: password guessing cannot starve
/// sign-ups.
#[derive(Debug)]
pub struct PasswordPool(Arc<PoolState>);

#[derive(Debug)]
struct PoolState {
    queues: Mutex<Queues>,
    /// Notified when a job is queued and when the pool closes.
    queued: Condvar,
    /// Capacity of each queue.
    capacities: [usize; 2],
    /// Number of handles; the threads end with the last one.
    handles: AtomicUsize,
    rejected: AtomicU64,
    durations: Histogram,
}

#[derive(Debug, Default)]
struct Queues {
    waiting: [VecDeque<Job>; 2],
    /// Queue that the next free thread serves first.
    first: usize,
    is_closed: bool,
}

const HASHING: usize = 0;
const VERIFYING: usize = 1;

/// Ratio of the capacity of the hashing queue to that of the verification queue.
const VERIFYING_SHARE: usize = 4;

/// Statistics of the pool since it started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PasswordPoolStats {
    /// Number of passwords waiting to be hashed.
    pub(crate) waiting: usize,
    /// Capacity of the hashing queue.
    pub(crate) capacity: usize,
    /// Number of jobs rejected because a queue was full.
    pub(crate) rejected: u64,
    /// Durations of hashing and verification in microseconds, without waiting.
    pub(crate) durations: HistogramSnapshot,
}

#[derive(Debug)]
struct Job {
    password: Secret,
    work: PasswordTask,
}

/// A task and the channel for its result.
#[derive(Debug)]
enum PasswordTask {
    Hash(oneshot::Sender<Result<String, HashError>>),
    Verify { phc: Option<String>, answer: oneshot::Sender<Result<Verification, HashError>> },
}

/// Error hashing or verifying a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// The queue is full; a retry may succeed.
    #[error("too many passwords wait to be hashed")]
    Busy,
    /// The random source failed, the hash is invalid, or no thread is left.
    #[error("the password cannot be hashed")]
    Failed,
}

impl From<HashError> for ApiError {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy => Self::unavailable("busy", error.to_string(), 1),
            HashError::Failed => Self::internal(),
        }
    }
}

impl PasswordPool {
    /// Starts the threads. `capacity` bounds the hashing queue; the verification queue has a quarter of it.
    ///
    /// # Errors
    /// Returns an error if a thread cannot be started or argon2 rejects the cost.
    pub fn start(threads: usize, capacity: usize, cost: HashCost) -> std::io::Result<Self> {
        let shared = Arc::new(PoolState {
            queues: Mutex::default(),
            queued: Condvar::new(),
            capacities: [capacity, capacity.div_ceil(VERIFYING_SHARE)],
            handles: AtomicUsize::new(1),
            rejected: AtomicU64::new(0),
            durations: Histogram::new(DURATION_BUCKETS),
        });
        let pool = Self(Arc::clone(&shared));
        for number in 0..threads {
            let shared = Arc::clone(&shared);
            let hasher = PasswordHasher::new(cost).map_err(std::io::Error::other)?;
            thread::Builder::new()
                .name(format!("hash-{number}"))
                .spawn(move || work(&shared, hasher))?;
        }
        Ok(pool)
    }

    /// Hashes a password. Returns the hash in PHC string format.
    ///
    /// # Errors
    /// Returns [`HashError::Busy`] if the queue is full.
    pub async fn hash(&self, password: Secret) -> Result<String, HashError> {
        let (answer, hashed) = oneshot::channel();
        self.push(HASHING, Job { password, work: PasswordTask::Hash(answer) })?;
        hashed.await.unwrap_or(Err(HashError::Failed))
    }

    /// Compares a password with a hash in PHC string format. Without a hash (unknown user, or a user without
    /// a password) it takes as long as for a wrong password, so that users cannot be enumerated.
    ///
    /// # Errors
    /// Returns an error if the queue is full or the parameters of the hash are not allowed.
    pub async fn verify(
        &self,
        password: Secret,
        phc: Option<String>,
    ) -> Result<Verification, HashError> {
        let (answer, verified) = oneshot::channel();
        self.push(VERIFYING, Job { password, work: PasswordTask::Verify { phc, answer } })?;
        verified.await.unwrap_or(Err(HashError::Failed))
    }

    fn push(&self, queue: usize, job: Job) -> Result<(), HashError> {
        let mut queues = self.0.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = &mut queues.waiting[queue];
        if waiting.len() >= self.0.capacities[queue] {
            self.0.rejected.fetch_add(1, Ordering::Relaxed);
            return Err(HashError::Busy);
        }
        waiting.push_back(job);
        drop(queues);
        self.0.queued.notify_one();
        Ok(())
    }

    /// Returns the statistics of the pool.
    pub(crate) fn stats(&self) -> PasswordPoolStats {
        let waiting = {
            let queues = self.0.queues.lock().unwrap_or_else(PoisonError::into_inner);
            queues.waiting[HASHING].len()
        };
        PasswordPoolStats {
            waiting,
            capacity: self.0.capacities[HASHING],
            rejected: self.0.rejected.load(Ordering::Relaxed),
            durations: self.0.durations.snapshot(),
        }
    }
}

impl Clone for PasswordPool {
    fn clone(&self) -> Self {
        self.0.handles.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(&self.0))
    }
}

impl Drop for PasswordPool {
    fn drop(&mut self) {
        if self.0.handles.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.queues.lock().unwrap_or_else(PoisonError::into_inner).is_closed = true;
            self.0.queued.notify_all();
        }
    }
}

impl PoolState {
    /// Returns the next job, alternating between the queues, or `None` once the pool is closed and empty.
    fn next(&self) -> Option<Job> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            for queue in [queues.first, 1 - queues.first] {
                if let Some(job) = queues.waiting[queue].pop_front() {
                    queues.first = 1 - queue;
                    return Some(job);
                }
            }
            if queues.is_closed {
                return None;
            }
            queues = self.queued.wait(queues).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn work(shared: &PoolState, mut hasher: PasswordHasher) {
    while let Some(Job { password, work }) = shared.next() {
        let (password, started) = (opaque_string(password.reveal()), Instant::now());
        let password = &*password;
        // The client may have disconnected while the job was queued.
        match work {
            PasswordTask::Hash(answer) if !answer.is_closed() => {
                let hashed = hasher.hash(password);
                shared.durations.add_duration(started.elapsed());
                let _ = answer.send(hashed.ok_or(HashError::Failed));
            }
            PasswordTask::Verify { phc, answer } if !answer.is_closed() => {
                let verified = hasher.verify(password, phc.as_deref());
                shared.durations.add_duration(started.elapsed());
                let _ = answer.send(verified.ok_or(HashError::Failed));
            }
            PasswordTask::Hash(_) | PasswordTask::Verify { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queued_verifications_do_not_delay_hashing() {
        let pool = PasswordPool::start(1, 8, HashCost::default()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let secret = || Secret::new("secret1".to_owned());
            let guesses: Vec<_> = (0..20).map(|_| Box::pin(pool.verify(secret(), None))).collect();
            let guesses = futures_util::future::join_all(guesses);
            let hashed = pool.hash(secret());
            let (guesses, hashed) = tokio::join!(guesses, hashed);
            assert!(hashed.is_ok(), "{hashed:?}");
            assert!(guesses.contains(&Err(HashError::Busy)));
        });
    }

    #[test]
    fn passwords_are_hashed_and_verified() {
        let pool = PasswordPool::start(1, 4, HashCost::default()).unwrap();
        let secret = || Secret::new("secret1".to_owned());
        let right = || Ok(Verification::Right { rehashed: None });
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let phc = runtime.block_on(pool.hash(secret())).unwrap();
        assert_eq!(runtime.block_on(pool.verify(secret(), Some(phc))), right());
        // One password in two Unicode normalization forms.
        let composed = Secret::new("gr\u{fc}n\u{a0}Haus".to_owned());
        let phc = runtime.block_on(pool.hash(composed)).unwrap();
        let decomposed = Secret::new("gru\u{308}n Haus".to_owned());
        assert_eq!(runtime.block_on(pool.verify(decomposed, Some(phc))), right());
        assert_eq!(runtime.block_on(pool.verify(secret(), None)), Ok(Verification::Wrong));
        let broken = Some("$".to_owned());
        assert_eq!(runtime.block_on(pool.verify(secret(), broken)), Err(HashError::Failed));
    }
}
