//! The writer: a thread that takes all submissions that wait, commits them together, and answers
//! each after the commit.
//!
//! It outlives whatever the database does: it retries what may be retried, finds the submission
//! that makes a batch fail, reconnects, and never leaves a submission without an answer. A batch is
//! what came while the last one was written; when a writer begins one, [`crate::queue`] says.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::batch::{self, Done, Failure, Submission, Verdict};
use crate::change::{self, ChangeJob};
use crate::connection::WriterConnection;
use crate::dialect::{self, Fault, LOCK_WAIT, Role};
use crate::error::CreateError;
use crate::figures::Written;
use crate::once;
use crate::queue::Queue;
use crate::record::{Created, NewRecord};
use crate::settings::Database;

/// How often a transaction that somebody else's was in the way of is tried again.
const RETRIES: u32 = 3;

/// How long the writer waits between two attempts to reconnect.
const RECONNECT: Duration = Duration::from_millis(200);

/// How often the writer looks for answers that were kept long enough.
const FORGETS: Duration = Duration::from_secs(600);
/// The same, where the last look did not reach all of them.
const FORGETS_MORE: Duration = Duration::from_secs(1);

/// A submission that waits, and where its answer goes.
pub(crate) struct Job {
    pub(crate) record: NewRecord,
    pub(crate) answer: oneshot::Sender<Result<Created, CreateError>>,
    pub(crate) was_put_off: bool,
}

impl Job {
    fn answer(self, outcome: Result<Created, CreateError>) {
        // Nobody listens any more when the client hung up. What is stored stays stored.
        let _ = self.answer.send(outcome);
    }
}

impl Submission for Job {
    fn record(&self) -> &NewRecord {
        &self.record
    }

    fn was_put_off(&self) -> bool {
        self.was_put_off
    }
}

/// What waits for a writer.
#[expect(clippy::large_enum_variant, reason = "nearly all of them are the large one")]
pub(crate) enum Waiting {
    Create(Job),
    Change(ChangeJob),
}

/// The state of a writer thread.
pub(crate) struct Writer {
    pub(crate) database: Database,
    pub(crate) queue: Arc<Queue<Waiting>>,
    /// Whether the queue counts it among those at work.
    pub(crate) is_at_work: bool,
    /// How many submissions a batch has at most.
    pub(crate) most: usize,
    pub(crate) conn: Option<WriterConnection>,
    /// Whether there is a connection, for others to see.
    pub(crate) connected: Arc<AtomicBool>,
    /// What all writers count.
    pub(crate) written: Arc<Written>,
    /// When the last attempt to connect failed.
    pub(crate) failed_at: Option<Instant>,
    /// When answers that were kept long enough are looked for again.
    pub(crate) forgets_at: Instant,
    /// What the last batch put off.
    pub(crate) put_off: Vec<Job>,
    /// The changes of stored users that came with the batch.
    pub(crate) changes: Vec<ChangeJob>,
}

/// Why a batch was not written, as far as the answer depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// Another transaction was in the way.
    InTheWay,
    /// The connection broke before the commit: nothing is stored.
    Lost,
    /// There is no connection, or it broke in the commit.
    Unavailable,
    Full,
    Other,
}

impl From<Trouble> for CreateError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::InTheWay => Self::Busy,
            Trouble::Lost | Trouble::Unavailable => Self::Unavailable,
            Trouble::Full => Self::Full,
            Trouble::Other => Self::Failed,
        }
    }
}

impl Writer {
    /// Writes until nobody can send any more and all that was sent is answered.
    pub(crate) fn run(mut self) {
        while let Some(jobs) = self.gather() {
            let changes = mem::take(&mut self.changes);
            if jobs.is_empty() && changes.is_empty() {
                self.connect();
            }
            if !jobs.is_empty() {
                self.settle(jobs);
            }
            if !changes.is_empty() {
                self.settle_changes(changes);
            }
            self.forget();
        }
        if let Some(conn) = &mut self.conn
            && let Err(error) = dialect::checkpoint(&mut conn.conn)
        {
            log::warn!("store: the last checkpoint failed: {}", dialect::describe(&error));
        }
        self.disconnect();
    }

    /// The next batch: what was put off, and what waits; changes of stored users are laid aside.
    /// `None` at the end; an empty batch when it is time to try to reconnect.
    fn gather(&mut self) -> Option<Vec<Job>> {
        if mem::take(&mut self.is_at_work) {
            self.queue.done();
        }
        let mut jobs = mem::take(&mut self.put_off);
        let waiting = if jobs.is_empty() {
            let patience = self.conn.is_none().then_some(RECONNECT);
            self.queue.take(self.most, patience)?
        } else {
            self.queue.take_now(self.most.saturating_sub(jobs.len()))
        };
        self.is_at_work = !(jobs.is_empty() && waiting.is_empty());
        jobs.reserve(waiting.len());
        for waiting in waiting {
            match waiting {
                Waiting::Create(job) => jobs.push(job),
                Waiting::Change(job) => self.changes.push(job),
            }
        }
        Some(jobs)
    }

    /// Forgets some of the answers that were kept long enough, where it is time to: few at once, so
    /// that nobody waits for it, and more a second later where there are more.
    fn forget(&mut self) {
        let Some(conn) = self.conn.as_mut().filter(|_| self.forgets_at <= Instant::now()) else {
            return;
        };
        let more = match batch::transaction(conn, once::forget, |_| true) {
            Ok(done) => done.outcome,
            Err(Failure::Undone(error)) => {
                log::warn!("store: old answers stay: {}", dialect::describe(&error));
                false
            }
            Err(Failure::Broken(_) | Failure::Unknown(_)) => return self.disconnect(),
        };
        self.forgets_at = Instant::now() + if more { FORGETS_MORE } else { FORGETS };
    }

    /// Writes a batch and answers all of it, except for what is put off.
    fn settle(&mut self, jobs: Vec<Job>) {
        match self.attempt(&jobs, batch::write) {
            Ok(verdicts) => {
                for (mut job, verdict) in jobs.into_iter().zip(verdicts) {
                    match verdict {
                        Verdict::Created(created) => job.answer(Ok(created)),
                        Verdict::Refused(refusals) => {
                            job.answer(Err(CreateError::Refused(refusals)));
                        }
                        Verdict::Repeated => job.answer(Err(CreateError::Repeated)),
                        Verdict::TokenRefused => job.answer(Err(CreateError::TokenRefused)),
                        Verdict::PutOff => {
                            job.was_put_off = true;
                            self.put_off.push(job);
                        }
                    }
                }
            }
            Err(Trouble::Other) if jobs.len() > 1 => self.settle_singly(jobs),
            Err(trouble) => {
                for job in jobs {
                    job.answer(Err(trouble.into()));
                }
            }
        }
    }

    /// Writes each submission of a failed batch by itself, so that only the culprit fails.
    fn settle_singly(&mut self, jobs: Vec<Job>) {
        let begun = Instant::now();
        for job in jobs {
            // Each may wait for a lock; all of them together must not keep the others waiting.
            if begun.elapsed() > LOCK_WAIT {
                job.answer(Err(CreateError::Busy));
            } else {
                self.settle(vec![job]);
            }
        }
    }

    /// Makes changes and answers them. They have a transaction of their own: whatever becomes of
    /// it, the batch they came with does not notice.
    fn settle_changes(&mut self, jobs: Vec<ChangeJob>) {
        match self.attempt(&jobs, change::write) {
            Ok(outcomes) => {
                for (job, outcome) in jobs.into_iter().zip(outcomes) {
                    job.answer(outcome);
                }
            }
            Err(Trouble::Other) if jobs.len() > 1 => {
                let begun = Instant::now();
                for job in jobs {
                    if begun.elapsed() > LOCK_WAIT {
                        job.answer(Err(CreateError::Busy.into()));
                    } else {
                        self.settle_changes(vec![job]);
                    }
                }
            }
            Err(trouble) => {
                for job in jobs {
                    job.answer(Err(CreateError::from(trouble).into()));
                }
            }
        }
    }

    /// Writes jobs, again where that may help.
    fn attempt<J, T>(
        &mut self,
        jobs: &[J],
        write: fn(&mut WriterConnection, &[J]) -> Result<Done<T>, Failure>,
    ) -> Result<T, Trouble> {
        let begun = Instant::now();
        let mut retries = 0;
        loop {
            match self.attempt_once(jobs, write) {
                Err(Trouble::InTheWay | Trouble::Lost)
                    if retries < RETRIES && begun.elapsed() < LOCK_WAIT =>
                {
                    retries += 1;
                }
                outcome => return outcome,
            }
        }
    }

    fn attempt_once<J, T>(
        &mut self,
        jobs: &[J],
        write: fn(&mut WriterConnection, &[J]) -> Result<Done<T>, Failure>,
    ) -> Result<T, Trouble> {
        self.give_up_lost_file();
        self.connect();
        let Some(conn) = &mut self.conn else { return Err(Trouble::Unavailable) };
        // A panic in there leaves nothing half done but the connection, which is given up.
        let outcome = catch_unwind(AssertUnwindSafe(|| write(conn, jobs)));
        let Ok(outcome) = outcome else {
            log::error!("store: writing a batch of {} panicked", jobs.len());
            self.disconnect();
            return Err(Trouble::Other);
        };
        let failure = match outcome {
            Ok(Done { outcome, commit }) => {
                self.written.sizes.add(u64::try_from(jobs.len()).unwrap_or(u64::MAX));
                if let Some(took) = commit {
                    self.written.commits.add_duration(took);
                }
                // A transaction in a file that was removed meanwhile is lost.
                if self.give_up_lost_file() {
                    return Err(Trouble::Unavailable);
                }
                return Ok(outcome);
            }
            Err(failure) => failure,
        };
        let (Failure::Undone(error) | Failure::Broken(error) | Failure::Unknown(error)) = &failure;
        log::warn!("store: a batch of {} failed: {}", jobs.len(), dialect::describe(error));
        let trouble = match (dialect::fault(&conn.conn, error), &failure) {
            (_, Failure::Unknown(_)) => Trouble::Unavailable,
            (Fault::Retry, _) => Trouble::InTheWay,
            (Fault::Full, _) => Trouble::Full,
            (Fault::Lost, _) | (Fault::Other, Failure::Broken(_)) => Trouble::Lost,
            (Fault::Other, _) => Trouble::Other,
        };
        if trouble == Trouble::Lost || !matches!(failure, Failure::Undone(_)) {
            self.disconnect();
        }
        Err(trouble)
    }

    /// Disconnects where the file of the database is not the one that was opened; returns whether it is
    /// so.
    fn give_up_lost_file(&mut self) -> bool {
        let is_lost = !self.database.is_in_place();
        if is_lost {
            self.disconnect();
        }
        is_lost
    }

    fn disconnect(&mut self) {
        if self.conn.take().is_some() {
            self.connected.store(false, Ordering::Relaxed);
            self.queue.can_write(false);
        }
    }

    /// Connects, unless there is a connection or the last attempt failed just now.
    fn connect(&mut self) {
        let just_now = self.failed_at.is_some_and(|at| at.elapsed() < RECONNECT);
        // SQLite would make a new file in the place of a lost one.
        if self.conn.is_some() || just_now || !self.database.is_in_place() {
            return;
        }
        match dialect::connect_to_write(&self.database.target, Role::Writer) {
            Ok(conn) => {
                self.conn = Some(conn);
                self.failed_at = None;
                self.connected.store(true, Ordering::Relaxed);
                self.queue.can_write(true);
                log::info!("store: connected again");
            }
            Err(error) => {
                self.failed_at = Some(Instant::now());
                log::warn!("store: cannot connect: {}", self.database.redacted(&error));
            }
        }
    }
}

impl Drop for Writer {
    /// Also where it panicked.
    fn drop(&mut self) {
        if self.is_at_work {
            self.queue.done();
        }
        self.disconnect();
        self.queue.leave();
    }
}
