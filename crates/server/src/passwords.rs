//! A bounded pool that hashes passwords with argon2id, apart from the threads that answer.
//!
//! A hash takes some 17 ms and 19 MiB: each thread keeps its memory, and what waits is bounded.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use registrar_core::aggregate::Secret;
use registrar_core::keys::opaque_string;
use registrar_store::{DURATION_BUCKETS, Histogram, HistogramSnapshot};
use tokio::sync::oneshot;

pub use crate::hasher::{CostError, HashCost, Verified};

use crate::hasher::Hasher;

/// The pool. Clones are handles to the same one.
///
/// New passwords and sign-ins wait in queues of their own, and threads that are free take from both in
/// turn: strangers who guess passwords cannot keep sign-ups waiting.
#[derive(Debug)]
pub struct HashPool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    queues: Mutex<Queues>,
    /// Notified when a job is queued, and when the pool closes.
    queued: Condvar,
    /// How many jobs may wait in each queue.
    max_waiting: [usize; 2],
    /// How many handles there are; the threads end with the last.
    handles: AtomicUsize,
    turned_away: AtomicU64,
    took: Histogram,
}

#[derive(Debug, Default)]
struct Queues {
    waiting: [VecDeque<Job>; 2],
    /// The queue that a free thread looks at first.
    first: usize,
    is_closed: bool,
}

const HASHING: usize = 0;
const VERIFYING: usize = 1;

/// Of the passwords that may wait to be hashed, one in this many may wait to be verified besides.
const VERIFYING_SHARE: usize = 4;

/// The state of the pool, and what it did since it was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HashFigures {
    /// How many new passwords wait.
    pub(crate) waiting: usize,
    /// How many may wait.
    pub(crate) most_waiting: usize,
    /// How many passwords were refused because a queue was full.
    pub(crate) turned_away: u64,
    /// How long hashing and verifying took, in microseconds, without the waiting.
    pub(crate) took: HistogramSnapshot,
}

#[derive(Debug)]
struct Job {
    password: Secret,
    work: Work,
}

/// What is to be done with a password, and where the answer goes.
#[derive(Debug)]
enum Work {
    Hash(oneshot::Sender<Result<String, HashError>>),
    Verify { phc: Option<String>, answer: oneshot::Sender<Result<Verified, HashError>> },
}

/// Why there is no hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// Too many passwords wait; the same may succeed a moment later.
    #[error("too many passwords wait to be hashed")]
    Busy,
    /// The machine gives no randomness, or no thread is left.
    #[error("the password cannot be hashed")]
    Failed,
}

impl HashPool {
    /// Starts that many threads; `waiting` new passwords may wait for them, and a quarter as many
    /// sign-ins.
    ///
    /// # Errors
    /// Where the operating system gives no thread, or argon2 refuses the cost.
    pub fn start(threads: usize, waiting: usize, cost: HashCost) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            queues: Mutex::default(),
            queued: Condvar::new(),
            max_waiting: [waiting, waiting.div_ceil(VERIFYING_SHARE)],
            handles: AtomicUsize::new(1),
            turned_away: AtomicU64::new(0),
            took: Histogram::new(DURATION_BUCKETS),
        });
        let pool = Self(Arc::clone(&shared));
        for number in 0..threads {
            let shared = Arc::clone(&shared);
            let hasher = Hasher::new(cost).map_err(std::io::Error::other)?;
            thread::Builder::new()
                .name(format!("hash-{number}"))
                .spawn(move || work(&shared, hasher))?;
        }
        Ok(pool)
    }

    /// Hashes a password; the answer is in PHC string format.
    ///
    /// # Errors
    /// At once where too many wait already.
    pub async fn hash(&self, password: Secret) -> Result<String, HashError> {
        let (answer, hashed) = oneshot::channel();
        self.push(HASHING, Job { password, work: Work::Hash(answer) })?;
        hashed.await.unwrap_or(Err(HashError::Failed))
    }

    /// Compares a password with a hash in PHC string format. Where there is no hash (no user of that
    /// name, or one without a password) it takes as long as where the password is wrong.
    ///
    /// # Errors
    /// At once where too many wait already; where the hash has parameters that are not allowed.
    pub async fn verify(
        &self,
        password: Secret,
        phc: Option<String>,
    ) -> Result<Verified, HashError> {
        let (answer, verified) = oneshot::channel();
        self.push(VERIFYING, Job { password, work: Work::Verify { phc, answer } })?;
        verified.await.unwrap_or(Err(HashError::Failed))
    }

    fn push(&self, queue: usize, job: Job) -> Result<(), HashError> {
        let mut queues = self.0.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = &mut queues.waiting[queue];
        if waiting.len() >= self.0.max_waiting[queue] {
            self.0.turned_away.fetch_add(1, Ordering::Relaxed);
            return Err(HashError::Busy);
        }
        waiting.push_back(job);
        drop(queues);
        self.0.queued.notify_one();
        Ok(())
    }

    /// Returns the state of the pool.
    pub(crate) fn figures(&self) -> HashFigures {
        let waiting = {
            let queues = self.0.queues.lock().unwrap_or_else(PoisonError::into_inner);
            queues.waiting[HASHING].len()
        };
        HashFigures {
            waiting,
            most_waiting: self.0.max_waiting[HASHING],
            turned_away: self.0.turned_away.load(Ordering::Relaxed),
            took: self.0.took.snapshot(),
        }
    }
}

impl Clone for HashPool {
    fn clone(&self) -> Self {
        self.0.handles.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(&self.0))
    }
}

impl Drop for HashPool {
    fn drop(&mut self) {
        if self.0.handles.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.queues.lock().unwrap_or_else(PoisonError::into_inner).is_closed = true;
            self.0.queued.notify_all();
        }
    }
}

impl Shared {
    /// Returns the next job, from both queues in turn, or `None` once the pool is closed and empty.
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

fn work(shared: &Shared, mut hasher: Hasher) {
    while let Some(Job { password, work }) = shared.next() {
        let (password, begun) = (opaque_string(password.reveal()), Instant::now());
        let password = &*password;
        // A client that went away while the password was queued waits for no answer.
        match work {
            Work::Hash(answer) if !answer.is_closed() => {
                let hashed = hasher.hash(password);
                shared.took.add_duration(begun.elapsed());
                let _ = answer.send(hashed.ok_or(HashError::Failed));
            }
            Work::Verify { phc, answer } if !answer.is_closed() => {
                let verified = hasher.verify(password, phc.as_deref());
                shared.took.add_duration(begun.elapsed());
                let _ = answer.send(verified.ok_or(HashError::Failed));
            }
            Work::Hash(_) | Work::Verify { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sign_ins_that_wait_do_not_keep_new_passwords_waiting() {
        let pool = HashPool::start(1, 8, HashCost::default()).unwrap();
        let run = tokio::runtime::Builder::new_current_thread().build().unwrap();
        run.block_on(async {
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
    fn what_waits_is_verified_beside_what_is_hashed() {
        let pool = HashPool::start(1, 4, HashCost::default()).unwrap();
        let secret = || Secret::new("secret1".to_owned());
        let right = || Ok(Verified::Right { rehashed: None });
        let run = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let phc = run.block_on(pool.hash(secret())).unwrap();
        assert_eq!(run.block_on(pool.verify(secret(), Some(phc))), right());
        // The same password, as two keyboards spell it.
        let composed = Secret::new("gr\u{fc}n\u{a0}Haus".to_owned());
        let phc = run.block_on(pool.hash(composed)).unwrap();
        let decomposed = Secret::new("gru\u{308}n Haus".to_owned());
        assert_eq!(run.block_on(pool.verify(decomposed, Some(phc))), right());
        assert_eq!(run.block_on(pool.verify(secret(), None)), Ok(Verified::Wrong));
        let broken = Some("$".to_owned());
        assert_eq!(run.block_on(pool.verify(secret(), broken)), Err(HashError::Failed));
    }
}
