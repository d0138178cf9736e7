//! Committing as a group: a thread takes all that waits, writes it in one transaction, and answers
//! each after the commit.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::sync::oneshot;

use super::connection::Connection;
use super::seller::{Outcome, Seller};

/// How many submissions may wait.
const QUEUE: usize = 4096;
/// How many submissions one transaction writes at most.
const BATCH: usize = 256;

struct Job {
    seller: Seller,
    answer: oneshot::Sender<Outcome>,
}

/// The way to the writers.
#[derive(Clone)]
pub(super) struct Group {
    queue: SyncSender<Job>,
}

impl Group {
    /// Starts a writer for each connection.
    pub(super) fn start(connections: Vec<Connection>) -> io::Result<Self> {
        let (queue, waiting) = sync_channel(QUEUE);
        let waiting = Arc::new(Mutex::new(waiting));
        for (number, conn) in connections.into_iter().enumerate() {
            let waiting = Arc::clone(&waiting);
            let writer = thread::Builder::new().name(format!("writer-{number}"));
            writer.spawn(move || write(&waiting, conn))?;
        }
        Ok(Self { queue })
    }

    /// Writes a seller; `None` when too many wait already.
    pub(super) async fn create(&self, seller: Seller) -> Option<Outcome> {
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Job { seller, answer }).ok()?;
        Some(answered.await.unwrap_or(Outcome::Failed))
    }
}

fn write(queue: &Mutex<Receiver<Job>>, mut conn: Connection) {
    let mut jobs: Vec<Job> = Vec::new();
    loop {
        {
            let queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
            if jobs.is_empty() {
                let Ok(job) = queue.recv() else { return };
                jobs.push(job);
            }
            let room = BATCH.saturating_sub(jobs.len());
            jobs.extend(queue.try_iter().take(room));
        }
        let sellers: Vec<&Seller> = jobs.iter().map(|job| &job.seller).collect();
        let Ok(outcomes) = conn.write(&sellers) else {
            for job in jobs.drain(..) {
                let _ = job.answer.send(Outcome::Failed);
            }
            continue;
        };
        let mut put_off = Vec::new();
        for (job, outcome) in jobs.drain(..).zip(outcomes) {
            if let Outcome::PutOff = outcome {
                put_off.push(job);
            } else {
                let _ = job.answer.send(outcome);
            }
        }
        jobs = put_off;
    }
}
