//! Group commit: a thread takes all queued jobs, writes them in one transaction, and responds after
//! the commit.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::sync::oneshot;

use super::connection::Connection;
use super::seller::{Outcome, Seller};

/// Maximum number of queued submissions.
const MAX_QUEUE_LEN: usize = 4096;
/// Maximum number of submissions per transaction.
const MAX_BATCH_LEN: usize = 256;

struct Job {
    seller: Seller,
    response: oneshot::Sender<Outcome>,
}

/// Handle to the writers.
#[derive(Clone)]
pub(super) struct Group {
    queue: SyncSender<Job>,
}

impl Group {
    /// Starts one writer per connection.
    pub(super) fn start(connections: Vec<Connection>) -> io::Result<Self> {
        let (queue, waiting) = sync_channel(MAX_QUEUE_LEN);
        let waiting = Arc::new(Mutex::new(waiting));
        for (number, conn) in connections.into_iter().enumerate() {
            let waiting = Arc::clone(&waiting);
            let writer = thread::Builder::new().name(format!("writer-{number}"));
            writer.spawn(move || write(&waiting, conn))?;
        }
        Ok(Self { queue })
    }

    /// Writes a seller; `None` if the queue is full.
    pub(super) async fn create(&self, seller: Seller) -> Option<Outcome> {
        let (response, receiver) = oneshot::channel();
        self.queue.try_send(Job { seller, response }).ok()?;
        Some(receiver.await.unwrap_or(Outcome::Failed))
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
            let room = MAX_BATCH_LEN.saturating_sub(jobs.len());
            jobs.extend(queue.try_iter().take(room));
        }
        let sellers: Vec<&Seller> = jobs.iter().map(|job| &job.seller).collect();
        let Ok(outcomes) = conn.write(&sellers) else {
            for job in jobs.drain(..) {
                let _ = job.response.send(Outcome::Failed);
            }
            continue;
        };
        let mut deferred = Vec::new();
        for (job, outcome) in jobs.drain(..).zip(outcomes) {
            if let Outcome::Deferred = outcome {
                deferred.push(job);
            } else {
                let _ = job.response.send(outcome);
            }
        }
        jobs = deferred;
    }
}
