//! Password hashing with argon2id, on threads that reuse their memory.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{io, thread};

use argon2::password_hash::phc::{Output, ParamsString, Salt};
use argon2::{Algorithm, Argon2, Block, Params, PasswordHash, Version};
use tokio::sync::oneshot;

/// Maximum number of queued passwords.
const MAX_QUEUE_LEN: usize = 256;

struct Job {
    password: String,
    response: oneshot::Sender<Option<String>>,
}

/// Handle to the hashing threads.
#[derive(Clone)]
pub(super) struct Passwords {
    queue: SyncSender<Job>,
}

impl Passwords {
    /// Starts this number of threads.
    pub(super) fn start(threads: usize) -> io::Result<Self> {
        let (queue, waiting) = sync_channel(MAX_QUEUE_LEN);
        let waiting = Arc::new(Mutex::new(waiting));
        for number in 0..threads {
            let waiting = Arc::clone(&waiting);
            let mut hasher =
                Hasher::new().ok_or_else(|| io::Error::other("argon2 refuses its cost"))?;
            thread::Builder::new()
                .name(format!("hash-{number}"))
                .spawn(move || work(&waiting, &mut hasher))?;
        }
        Ok(Self { queue })
    }

    /// Returns the hash; `None` if the queue is full.
    pub(super) async fn hash(&self, password: String) -> Option<String> {
        let (response, receiver) = oneshot::channel();
        self.queue.try_send(Job { password, response }).ok()?;
        receiver.await.ok()?
    }
}

fn work(queue: &Mutex<Receiver<Job>>, hasher: &mut Hasher) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { password, response }) = job else { return };
        let _ = response.send(hasher.hash(&password));
    }
}

/// Returns the hashes per second of a bare loop on this number of threads: an upper bound for any
/// server.
#[must_use]
pub fn bare_hash_rate(threads: usize, time: Duration) -> f64 {
    let started = Instant::now();
    let work = move || {
        let Some(mut hasher) = Hasher::new() else { return 0_u32 };
        let mut count = 0;
        while started.elapsed() < time && hasher.hash("correct horse").is_some() {
            count += 1;
        }
        count
    };
    let workers: Vec<_> = (0..threads).map(|_| thread::spawn(work)).collect();
    let count: u32 = workers.into_iter().filter_map(|worker| worker.join().ok()).sum();
    f64::from(count) / started.elapsed().as_secs_f64()
}

/// argon2id with the cost recommended by OWASP (19 MiB, 2 passes, 1 lane), and its memory.
pub(super) struct Hasher {
    argon2: Argon2<'static>,
    memory: Vec<Block>,
}

impl Hasher {
    /// Creates a hasher; its memory is allocated on first use.
    pub(super) fn new() -> Option<Self> {
        let params = Params::new(19_456, 2, 1, Some(32)).ok()?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        Some(Self { argon2, memory: Vec::new() })
    }

    /// Returns the hash in PHC string format.
    pub(super) fn hash(&mut self, password: &str) -> Option<String> {
        let params = self.argon2.params();
        self.memory.resize(params.block_count(), Block::default());
        let (mut salt, mut hash) = ([0_u8; 16], [0_u8; 32]);
        getrandom::fill(&mut salt).ok()?;
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
}
