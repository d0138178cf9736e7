//! A bounded pool that hashes passwords with argon2id, apart from the threads that answer.
//!
//! A hash takes some 17 ms and 19 MiB: each thread keeps its memory, and what waits is bounded.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use argon2::password_hash::phc::{Output, ParamsString, Salt};
use argon2::{Algorithm, Argon2, Block, Params, PasswordHash, Version};
use registrar_core::aggregate::Secret;
use registrar_core::keys::opaque_string;
use registrar_core::rules::password_hash::{MOST_MEMORY_KIB, MOST_PASSES};
use registrar_store::{Counted, DURATIONS, Histogram};
use tokio::sync::oneshot;

/// Memory in KiB and passes of which a cost must reach at least one pair; lanes are always 1.
/// Source: OWASP Password Storage Cheat Sheet, "Argon2id".
const LEAST: [(u32, u32); 5] = [(47_104, 1), (19_456, 2), (12_288, 3), (9_216, 4), (7_168, 5)];
/// The most memory in KiB, and the most passes, that a hash may take.
const MOST: (u32, u32) = (MOST_MEMORY_KIB, MOST_PASSES);
const LANES: u32 = 1;
const SALT_LENGTH: usize = 16;
const HASH_LENGTH: usize = 32;

/// What one hash costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashCost {
    /// Memory in KiB. Each hashing thread keeps that much.
    pub memory_kib: u32,
    /// How often the memory is gone through.
    pub passes: u32,
}

impl Default for HashCost {
    /// 19 MiB, twice: the second of OWASP's equally strong settings.
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2 }
    }
}

/// A cost that is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CostError {
    /// Guessing would be too easy.
    #[error(
        "hash_memory_kib {} with hash_passes {} is below what OWASP advises: expected at least \
         19456 with 2, 47104 with 1, 12288 with 3, 9216 with 4 or 7168 with 5", .0.memory_kib, .0.passes
    )]
    TooCheap(HashCost),
    /// The server could not bear it.
    #[error("hash_memory_kib is above {} or hash_passes is above {}", MOST.0, MOST.1)]
    TooDear,
}

impl HashCost {
    /// Whether it is allowed.
    ///
    /// # Errors
    /// Where it is below OWASP's minimum, or absurd.
    pub fn check(self) -> Result<(), CostError> {
        let Self { memory_kib, passes } = self;
        if memory_kib > MOST.0 || passes > MOST.1 {
            return Err(CostError::TooDear);
        }
        let reaches = |(memory, least): &(u32, u32)| memory_kib >= *memory && passes >= *least;
        if LEAST.iter().any(reaches) { Ok(()) } else { Err(CostError::TooCheap(self)) }
    }
}

/// The pool. Cloning gives another handle of the same.
#[derive(Debug, Clone)]
pub struct HashPool {
    jobs: SyncSender<Job>,
    counts: Arc<Counts>,
}

/// What the pool counts.
#[derive(Debug)]
struct Counts {
    waiting: AtomicUsize,
    most_waiting: usize,
    turned_away: AtomicU64,
    took: Histogram,
}

/// What the pool is at, and what it did since it was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HashFigures {
    /// How many passwords wait.
    pub(crate) waiting: usize,
    /// How many may wait.
    pub(crate) most_waiting: usize,
    /// How many were refused because as many waited as may.
    pub(crate) turned_away: u64,
    /// How long hashing and verifying took, in microseconds, without the waiting.
    pub(crate) took: Counted,
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
    Verify { phc: Option<String>, answer: oneshot::Sender<Result<bool, HashError>> },
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
    /// Starts that many threads; `waiting` passwords may wait for them.
    ///
    /// # Errors
    /// Where the operating system gives no thread, or argon2 refuses the cost.
    pub fn start(threads: usize, waiting: usize, cost: HashCost) -> std::io::Result<Self> {
        let (jobs, queue) = sync_channel(waiting);
        let queue = Arc::new(Mutex::new(queue));
        let counts = Arc::new(Counts {
            waiting: AtomicUsize::new(0),
            most_waiting: waiting,
            turned_away: AtomicU64::new(0),
            took: Histogram::new(DURATIONS),
        });
        for number in 0..threads {
            let (queue, counts) = (Arc::clone(&queue), Arc::clone(&counts));
            let hasher = Hasher::new(cost).map_err(std::io::Error::other)?;
            thread::Builder::new()
                .name(format!("hash-{number}"))
                .spawn(move || work(&queue, &counts, hasher))?;
        }
        Ok(Self { jobs, counts })
    }

    /// Hashes a password; the answer is in PHC string format.
    ///
    /// # Errors
    /// At once where too many wait already.
    pub async fn hash(&self, password: Secret) -> Result<String, HashError> {
        let (answer, hashed) = oneshot::channel();
        self.push(Job { password, work: Work::Hash(answer) })?;
        hashed.await.unwrap_or(Err(HashError::Failed))
    }

    /// Whether a password is the one of a hash in PHC string format. Where there is no hash (nobody
    /// of that name, or one without a password) it takes as long, and is not.
    ///
    /// # Errors
    /// At once where too many wait already; where the hash is none of ours, or asks for more than
    /// the server could bear.
    pub async fn verify(&self, password: Secret, phc: Option<String>) -> Result<bool, HashError> {
        let (answer, verified) = oneshot::channel();
        self.push(Job { password, work: Work::Verify { phc, answer } })?;
        verified.await.unwrap_or(Err(HashError::Failed))
    }

    fn push(&self, job: Job) -> Result<(), HashError> {
        // Counted before it can be taken, so that the count never falls below zero.
        self.counts.waiting.fetch_add(1, Ordering::Relaxed);
        self.jobs.try_send(job).map_err(|error| {
            self.counts.waiting.fetch_sub(1, Ordering::Relaxed);
            match error {
                TrySendError::Full(_) => {
                    self.counts.turned_away.fetch_add(1, Ordering::Relaxed);
                    HashError::Busy
                }
                TrySendError::Disconnected(_) => HashError::Failed,
            }
        })
    }

    /// What it is at, and what it did so far.
    pub(crate) fn figures(&self) -> HashFigures {
        let Counts { waiting, most_waiting, turned_away, took } = &*self.counts;
        HashFigures {
            // One that is just being refused is counted for a moment.
            waiting: waiting.load(Ordering::Relaxed).min(*most_waiting),
            most_waiting: *most_waiting,
            turned_away: turned_away.load(Ordering::Relaxed),
            took: took.counted(),
        }
    }
}

fn work(queue: &Mutex<Receiver<Job>>, counts: &Counts, mut hasher: Hasher) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { password, work }) = job else { return };
        counts.waiting.fetch_sub(1, Ordering::Relaxed);
        let (password, begun) = (opaque_string(password.reveal()), Instant::now());
        let password = &*password;
        // Nobody waits any more where the client went away while the password was in the queue.
        match work {
            Work::Hash(answer) if !answer.is_closed() => {
                let hashed = hasher.hash(password);
                counts.took.add_duration(begun.elapsed());
                let _ = answer.send(hashed.ok_or(HashError::Failed));
            }
            Work::Verify { phc, answer } if !answer.is_closed() => {
                let verified = hasher.verify(password, phc.as_deref());
                counts.took.add_duration(begun.elapsed());
                let _ = answer.send(verified.ok_or(HashError::Failed));
            }
            Work::Hash(_) | Work::Verify { .. } => {}
        }
    }
}

/// Argon2id with the memory that it needs.
#[derive(Debug)]
struct Hasher {
    argon2: Argon2<'static>,
    memory: Vec<Block>,
}

impl Hasher {
    fn new(cost: HashCost) -> Result<Self, argon2::Error> {
        let HashCost { memory_kib, passes } = cost;
        let params = Params::new(memory_kib, passes, LANES, Some(HASH_LENGTH))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        // Filled at the first hash: a server that sees no password keeps no memory for one.
        Ok(Self { argon2, memory: Vec::new() })
    }

    fn hash(&mut self, password: &str) -> Option<String> {
        let params = self.argon2.params();
        self.memory.resize(params.block_count(), Block::default());
        let mut salt = [0_u8; SALT_LENGTH];
        getrandom::fill(&mut salt).ok()?;
        let mut hash = [0_u8; HASH_LENGTH];
        self.argon2
            .hash_password_into_with_memory(password.as_bytes(), &salt, &mut hash, &mut self.memory)
            .ok()?;
        let phc = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(params).ok()?,
            salt: Some(Salt::new(&salt).ok()?),
            hash: Some(Output::new(&hash).ok()?),
        };
        Some(phc.to_string())
    }

    /// Whether it is the password of a hash; nothing where the hash cannot be judged.
    fn verify(&mut self, password: &str, phc: Option<&str>) -> Option<bool> {
        let Some(phc) = phc else { return self.hash(password).map(|_| false) };
        let known = PasswordHash::new(phc).ok()?;
        let (salt, hash) = (known.salt.as_ref()?, known.hash.as_ref()?);
        let params = Params::try_from(&known).ok()?;
        let is_ours = known.algorithm == Algorithm::Argon2id.ident()
            && known.version == Some(Version::V0x13.into());
        let is_bearable =
            params.m_cost() <= MOST.0 && params.t_cost() <= MOST.1 && params.p_cost() == LANES;
        if !is_ours || !is_bearable {
            return None;
        }
        self.memory.resize(params.block_count(), Block::default());
        let mut found = vec![0_u8; hash.len()];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(password.as_bytes(), salt, &mut found, &mut self.memory)
            .ok()?;
        // It compares in constant time.
        Some(Output::new(&found).ok()? == *hash)
    }
}

#[cfg(test)]
mod tests {
    use argon2::PasswordVerifier;

    use super::*;

    #[test]
    fn a_hash_verifies_its_password_and_no_other() {
        let mut hasher = Hasher::new(HashCost::default()).unwrap();
        let (one, other) = (hasher.hash("secret1").unwrap(), hasher.hash("secret1").unwrap());
        assert_ne!(one, other, "each has a salt of its own");
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        let parsed = PasswordHash::new(&one).unwrap();
        assert!(Argon2::default().verify_password(b"secret1", &parsed).is_ok());
        assert!(Argon2::default().verify_password(b"secret2", &parsed).is_err());
    }

    #[test]
    fn a_password_is_verified_whatever_its_hash_cost() {
        let other = HashCost { memory_kib: 12_288, passes: 3 };
        let old = Hasher::new(other).unwrap().hash("secret1").unwrap();
        let mut hasher = Hasher::new(HashCost::default()).unwrap();
        let new = hasher.hash("secret1").unwrap();
        for (password, phc, is_it) in [
            ("secret1", Some(&*new), Some(true)),
            ("secret1", Some(&*old), Some(true)),
            ("secret2", Some(&*old), Some(false)),
            ("", Some(&*new), Some(false)),
            ("secret1", None, Some(false)),
            ("secret1", Some("$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ"), None),
            ("secret1", Some(&*new.replace("m=19456", "m=4000000")), None),
            ("secret1", Some(&*new.replace("t=2", "t=65")), None),
            ("secret1", Some(&*new.replace("argon2id", "argon2i")), None),
            ("secret1", Some("secret1"), None),
        ] {
            assert_eq!(hasher.verify(password, phc), is_it, "{password} {phc:?}");
        }
    }

    #[test]
    fn what_waits_is_verified_beside_what_is_hashed() {
        let pool = HashPool::start(1, 4, HashCost::default()).unwrap();
        let secret = || Secret::new("secret1".to_owned());
        let run = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let phc = run.block_on(pool.hash(secret())).unwrap();
        assert_eq!(run.block_on(pool.verify(secret(), Some(phc))), Ok(true));
        // The same password, as two keyboards spell it.
        let composed = Secret::new("gr\u{fc}n\u{a0}Haus".to_owned());
        let phc = run.block_on(pool.hash(composed)).unwrap();
        let decomposed = Secret::new("gru\u{308}n Haus".to_owned());
        assert_eq!(run.block_on(pool.verify(decomposed, Some(phc))), Ok(true));
        assert_eq!(run.block_on(pool.verify(secret(), None)), Ok(false));
        let broken = Some("$".to_owned());
        assert_eq!(run.block_on(pool.verify(secret(), broken)), Err(HashError::Failed));
    }

    #[test]
    fn a_cost_below_the_advised_ones_is_refused() {
        for (memory_kib, passes, is_allowed) in [
            (19_456, 2, true),
            (47_104, 1, true),
            (65_536, 3, true),
            (19_456, 1, false),
            (19_455, 2, false),
            (7_168, 4, false),
            (2_000_000, 2, false),
        ] {
            let cost = HashCost { memory_kib, passes };
            assert_eq!(cost.check().is_ok(), is_allowed, "{cost:?}");
        }
    }
}
