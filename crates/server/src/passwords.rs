//! A bounded pool that hashes passwords with argon2id, apart from the threads that answer.
//!
//! A hash takes some 17 ms and 19 MiB: each thread keeps its memory, and what waits is bounded.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use argon2::password_hash::phc::{Output, ParamsString, Salt};
use argon2::{Algorithm, Argon2, Block, Params, PasswordHash, Version};
use registrar_core::aggregate::Secret;
use registrar_core::keys::opaque_string;
use registrar_core::rules::password_hash::{MAX_COST, MAX_MEMORY_KIB, MAX_PASSES, is_bearable};
use registrar_store::{Counted, DURATIONS, Histogram};
use tokio::sync::oneshot;

/// Memory in KiB and passes of which a cost must reach at least one pair; lanes are always 1.
/// Source: OWASP Password Storage Cheat Sheet, "Argon2id".
const LEAST: [(u32, u32); 5] = [(47_104, 1), (19_456, 2), (12_288, 3), (9_216, 4), (7_168, 5)];
/// The most memory in KiB, and the most passes, that a hash may take.
const MOST: (u32, u32) = (MAX_MEMORY_KIB, MAX_PASSES);
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
    #[error("hash_memory_kib is above {}, hash_passes is above {}, or their product is above {MAX_COST}", MOST.0, MOST.1)]
    TooDear,
}

impl HashCost {
    /// Whether it is allowed.
    ///
    /// # Errors
    /// Where it is below OWASP's minimum, or absurd.
    pub fn check(self) -> Result<(), CostError> {
        let Self { memory_kib, passes } = self;
        if !is_bearable(memory_kib, passes) {
            return Err(CostError::TooDear);
        }
        let reaches = |(memory, least): &(u32, u32)| memory_kib >= *memory && passes >= *least;
        if LEAST.iter().any(reaches) { Ok(()) } else { Err(CostError::TooCheap(self)) }
    }
}

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
    Verify { phc: Option<String>, answer: oneshot::Sender<Result<Verified, HashError>> },
}

/// Whether a password was the right one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verified {
    /// It was not, or there is no hash.
    Wrong,
    /// It was.
    Right {
        /// The hash to store instead, where the stored one has other parameters than new ones.
        rehashed: Option<String>,
    },
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
            took: Histogram::new(DURATIONS),
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
            took: self.0.took.counted(),
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

    /// Compares a password with a hash, or returns `None` where the hash cannot be verified.
    fn verify(&mut self, password: &str, phc: Option<&str>) -> Option<Verified> {
        let Some(phc) = phc else { return self.hash(password).map(|_| Verified::Wrong) };
        let known = PasswordHash::new(phc).ok()?;
        let (salt, hash) = (known.salt.as_ref()?, known.hash.as_ref()?);
        let params = Params::try_from(&known).ok()?;
        let is_ours = known.algorithm == Algorithm::Argon2id.ident()
            && known.version == Some(Version::V0x13.into());
        let is_allowed = is_bearable(params.m_cost(), params.t_cost()) && params.p_cost() == LANES;
        if !is_ours || !is_allowed {
            return None;
        }
        let own = self.argon2.params();
        let costs = |params: &Params| (params.m_cost(), params.t_cost());
        let (is_outdated, kept) = (costs(&params) != costs(own), own.block_count());
        self.memory.resize(params.block_count(), Block::default());
        let mut found = vec![0_u8; hash.len()];
        let computed = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(
                password.as_bytes(),
                salt,
                &mut found,
                &mut self.memory,
            );
        // A hash that costs more than ours must not keep its memory for good.
        if self.memory.len() > kept {
            self.memory = Vec::new();
        }
        computed.ok()?;
        // It compares in constant time.
        if Output::new(&found).ok()? != *hash {
            return Some(Verified::Wrong);
        }
        let rehashed = if is_outdated { self.hash(password) } else { None };
        Some(Verified::Right { rehashed })
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
        let right = Some(Verified::Right { rehashed: None });
        for (password, phc, verified) in [
            ("secret1", Some(&*new), right.clone()),
            ("secret2", Some(&*old), Some(Verified::Wrong)),
            ("", Some(&*new), Some(Verified::Wrong)),
            ("secret1", None, Some(Verified::Wrong)),
            ("secret1", Some("$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ"), None),
            ("secret1", Some(&*new.replace("m=19456", "m=4000000")), None),
            ("secret1", Some(&*new.replace("t=2", "t=65")), None),
            ("secret1", Some(&*new.replace("argon2id", "argon2i")), None),
            ("secret1", Some("secret1"), None),
        ] {
            assert_eq!(hasher.verify(password, phc), verified, "{password} {phc:?}");
        }
        let Some(Verified::Right { rehashed: Some(rehashed) }) =
            hasher.verify("secret1", Some(&old))
        else {
            panic!("a hash of another cost is replaced")
        };
        assert_eq!(hasher.verify("secret1", Some(&rehashed)), right);
    }

    #[test]
    fn a_dearer_hash_keeps_no_memory() {
        let dear = HashCost { memory_kib: 65_536, passes: 1 };
        let phc = Hasher::new(dear).unwrap().hash("secret1").unwrap();
        let mut hasher = Hasher::new(HashCost { memory_kib: 7_168, passes: 5 }).unwrap();
        assert_eq!(hasher.verify("secret2", Some(&phc)), Some(Verified::Wrong));
        assert!(hasher.memory.capacity() <= 7_168, "{}", hasher.memory.capacity());
        assert!(hasher.verify("secret1", Some(&phc)).is_some());
        assert!(hasher.memory.capacity() <= 7_168, "{}", hasher.memory.capacity());
    }

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
