//! The writer thread: takes batches from the queue, commits them and answers each job after the
//! commit.
//!
//! It retries transient errors, isolates the job that makes a batch fail, and reconnects. Every job
//! is answered.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::batch::{self, CreateJob, CreateOutcome};
use super::jobs::{self, Job, WriteJob};
use super::queue::Queue;
use super::tokens::TokenUses;
use crate::connection::{
    AnyConnection, Committed, ConnectionRole, Database, ErrorKind, LOCK_TIMEOUT, TransactionError,
    WriterConnection, checkpoint, classify, connect_to_write, describe, transaction,
};
use crate::error::CreateError;
use crate::stats::WriterStats;
use crate::tables::api_tokens::{delete_ended, update_last_used};
use crate::tables::idempotency_records::delete_expired;

/// Maximum number of retries after a transient error.
const MAX_RETRIES: u32 = 3;

/// Minimum time between two attempts to connect.
const RECONNECT_INTERVAL: Duration = Duration::from_millis(200);

/// Time between two deletions of expired rows.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(600);
/// Time until the next deletion if the last one did not reach all expired rows.
const EXPIRY_BACKLOG_INTERVAL: Duration = Duration::from_secs(1);

/// Time between two updates of `api_tokens.last_used_at`.
const TOKEN_USE_INTERVAL: Duration = Duration::from_secs(60);

/// The state of a writer thread.
pub(crate) struct Writer {
    database: Database,
    queue: Arc<Queue<Job>>,
    /// Whether the queue counts this writer as active.
    is_active: bool,
    /// Maximum number of jobs in a batch.
    max_batch: usize,
    conn: Option<WriterConnection>,
    /// Whether there is a connection, shared with the store.
    is_connected: Arc<AtomicBool>,
    stats: Arc<WriterStats>,
    last_connect_failure: Option<Instant>,
    next_expiry: Instant,
    token_uses: Arc<TokenUses>,
    next_token_use_write: Instant,
    /// Users that the last batch deferred.
    deferred: Vec<CreateJob>,
    /// Jobs of the current batch that are written after its users.
    write_jobs: Vec<WriteJob>,
}

/// Error of a batch, as far as the reply depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BatchError {
    /// A conflict with another transaction.
    Contention,
    /// The connection broke before the commit.
    ConnectionLost,
    /// There is no connection, or it broke during the commit.
    Unavailable,
    DiskFull,
    Other,
}

impl From<BatchError> for CreateError {
    fn from(error: BatchError) -> Self {
        match error {
            BatchError::Contention => Self::Busy,
            BatchError::ConnectionLost | BatchError::Unavailable => Self::Unavailable,
            BatchError::DiskFull => Self::DiskFull,
            BatchError::Other => Self::Internal,
        }
    }
}

impl Writer {
    /// Returns a writer that uses `conn` and shares the other arguments with the store.
    pub(crate) fn new(
        (database, conn): (Database, WriterConnection),
        (queue, max_batch): (Arc<Queue<Job>>, usize),
        is_connected: Arc<AtomicBool>,
        stats: Arc<WriterStats>,
        token_uses: Arc<TokenUses>,
    ) -> Self {
        Self {
            database,
            queue,
            is_active: false,
            max_batch,
            conn: Some(conn),
            is_connected,
            stats,
            last_connect_failure: None,
            next_expiry: Instant::now(),
            token_uses,
            next_token_use_write: Instant::now() + TOKEN_USE_INTERVAL,
            deferred: Vec::new(),
            write_jobs: Vec::new(),
        }
    }

    /// Writes until the queue is closed and all jobs are answered.
    pub(crate) fn run(mut self) {
        while let Some(users) = self.next_batch() {
            let write_jobs = mem::take(&mut self.write_jobs);
            if users.is_empty() && write_jobs.is_empty() {
                self.connect();
            }
            if !users.is_empty() {
                self.commit_users(users);
            }
            if !write_jobs.is_empty() {
                self.commit_write_jobs(write_jobs);
            }
            self.delete_expired();
            self.write_token_uses();
        }
        self.next_token_use_write = Instant::now();
        self.write_token_uses();
        if let Some(conn) = &mut self.conn
            && let Err(error) = checkpoint(&mut conn.conn)
        {
            log::warn!("store: the last checkpoint failed: {}", describe(&error));
        }
        self.disconnect();
    }

    /// Waits for the next batch, puts its write jobs aside and returns its users, those that were
    /// deferred first. Returns `None` at shutdown, and an empty batch when it is time to reconnect.
    fn next_batch(&mut self) -> Option<Vec<CreateJob>> {
        if mem::take(&mut self.is_active) {
            self.queue.finish_batch();
        }
        let mut users = mem::take(&mut self.deferred);
        let jobs = if users.is_empty() {
            let standby_timeout = self.conn.is_none().then_some(RECONNECT_INTERVAL);
            self.queue.take(self.max_batch, standby_timeout)?
        } else {
            self.queue.try_take(self.max_batch.saturating_sub(users.len()))
        };
        self.is_active = !(users.is_empty() && jobs.is_empty());
        users.reserve(jobs.len());
        for job in jobs {
            match job {
                Job::Create(job) => users.push(job),
                Job::Write(job) => self.write_jobs.push(job),
            }
        }
        Some(users)
    }

    /// Deletes expired idempotency records and tokens if it is time to. A limited number is deleted at
    /// once, so that other writes do not wait.
    fn delete_expired(&mut self) {
        let Some(conn) = self.conn.as_mut().filter(|_| self.next_expiry <= Instant::now()) else {
            return;
        };
        let delete = |conn: &mut AnyConnection| {
            let has_more = delete_expired(conn)?;
            Ok(delete_ended(conn)? || has_more)
        };
        let has_more = match transaction(conn, delete, |_| true) {
            Ok(committed) => committed.value,
            Err(TransactionError::RolledBack(error)) => {
                log::warn!("store: expired rows are not deleted: {}", describe(&error));
                false
            }
            Err(TransactionError::ConnectionBroken(_) | TransactionError::CommitUnknown(_)) => {
                return self.disconnect();
            }
        };
        let interval = if has_more { EXPIRY_BACKLOG_INTERVAL } else { EXPIRY_INTERVAL };
        self.next_expiry = Instant::now() + interval;
    }

    /// Updates `api_tokens.last_used_at` if it is time to. Failures are ignored: the column is a hint
    /// for operators.
    fn write_token_uses(&mut self) {
        let is_due = self.next_token_use_write <= Instant::now();
        let Some(conn) = self.conn.as_mut().filter(|_| is_due) else { return };
        self.next_token_use_write = Instant::now() + TOKEN_USE_INTERVAL;
        let uses = self.token_uses.take();
        if uses.is_empty() {
            return;
        }
        let update = |conn: &mut AnyConnection| update_last_used(conn, &uses);
        match transaction(conn, update, |()| true) {
            Ok(_) => {}
            Err(TransactionError::RolledBack(error)) => {
                log::warn!("store: uses of tokens are not noted: {}", describe(&error));
            }
            Err(TransactionError::ConnectionBroken(_) | TransactionError::CommitUnknown(_)) => {
                self.disconnect();
            }
        }
    }

    /// Creates users in one transaction and answers all jobs but the deferred ones.
    fn commit_users(&mut self, jobs: Vec<CreateJob>) {
        match self.write_with_retries(&jobs, batch::write) {
            Ok(outcomes) => {
                for (mut job, outcome) in jobs.into_iter().zip(outcomes) {
                    let result = match outcome {
                        CreateOutcome::Created(created) => Ok(created),
                        CreateOutcome::Refused(refusals) => Err(CreateError::Refused(refusals)),
                        CreateOutcome::IdempotencyKeyUsed => Err(CreateError::IdempotencyKeyUsed),
                        CreateOutcome::InvalidToken => Err(CreateError::InvalidToken),
                        CreateOutcome::Deferred => {
                            job.was_deferred = true;
                            self.deferred.push(job);
                            continue;
                        }
                    };
                    job.reply(result);
                }
            }
            Err(BatchError::Other) if jobs.len() > 1 => {
                // One by one, so that only the job that causes the error fails. Each may wait for a
                // lock; all of them together must not delay the queue for long.
                let begun = Instant::now();
                for job in jobs {
                    if begun.elapsed() > LOCK_TIMEOUT {
                        job.reply(Err(CreateError::Busy));
                    } else {
                        self.commit_users(vec![job]);
                    }
                }
            }
            Err(error) => {
                for job in jobs {
                    job.reply(Err(error.into()));
                }
            }
        }
    }

    /// Runs write jobs in one transaction, separate from that of the batch's users, and answers them.
    fn commit_write_jobs(&mut self, jobs: Vec<WriteJob>) {
        match self.write_with_retries(&jobs, jobs::write) {
            Ok(results) => {
                for (job, result) in jobs.into_iter().zip(results) {
                    job.reply(result);
                }
            }
            Err(BatchError::Other) if jobs.len() > 1 => {
                let begun = Instant::now();
                for job in jobs {
                    if begun.elapsed() > LOCK_TIMEOUT {
                        job.reply(Err(CreateError::Busy.into()));
                    } else {
                        self.commit_write_jobs(vec![job]);
                    }
                }
            }
            Err(error) => {
                for job in jobs {
                    job.reply(Err(CreateError::from(error).into()));
                }
            }
        }
    }

    /// Writes jobs and retries after transient errors.
    fn write_with_retries<J, T>(
        &mut self,
        jobs: &[J],
        write: fn(&mut WriterConnection, &[J]) -> Result<Committed<T>, TransactionError>,
    ) -> Result<T, BatchError> {
        let begun = Instant::now();
        let mut retries = 0;
        loop {
            match self.try_write(jobs, write) {
                Err(BatchError::Contention | BatchError::ConnectionLost)
                    if retries < MAX_RETRIES && begun.elapsed() < LOCK_TIMEOUT =>
                {
                    retries += 1;
                }
                result => return result,
            }
        }
    }

    fn try_write<J, T>(
        &mut self,
        jobs: &[J],
        write: fn(&mut WriterConnection, &[J]) -> Result<Committed<T>, TransactionError>,
    ) -> Result<T, BatchError> {
        self.disconnect_if_replaced();
        self.connect();
        let Some(conn) = &mut self.conn else { return Err(BatchError::Unavailable) };
        // A panic can leave only the connection in an undefined state, and that is dropped.
        let Ok(result) = catch_unwind(AssertUnwindSafe(|| write(conn, jobs))) else {
            log::error!("store: writing a batch of {} panicked", jobs.len());
            self.disconnect();
            return Err(BatchError::Other);
        };
        let error = match result {
            Ok(Committed { value, commit_time }) => {
                self.stats.sizes.add(u64::try_from(jobs.len()).unwrap_or(u64::MAX));
                if let Some(duration) = commit_time {
                    self.stats.commits.add_duration(duration);
                }
                // A transaction in a file that was removed meanwhile is lost.
                if self.disconnect_if_replaced() {
                    return Err(BatchError::Unavailable);
                }
                return Ok(value);
            }
            Err(error) => error,
        };
        let (TransactionError::RolledBack(source)
        | TransactionError::ConnectionBroken(source)
        | TransactionError::CommitUnknown(source)) = &error;
        log::warn!("store: a batch of {} failed: {}", jobs.len(), describe(source));
        let batch_error = match (classify(&conn.conn, source), &error) {
            (_, TransactionError::CommitUnknown(_)) => BatchError::Unavailable,
            (ErrorKind::Transient, _) => BatchError::Contention,
            (ErrorKind::DiskFull, _) => BatchError::DiskFull,
            (ErrorKind::ConnectionLost, _)
            | (ErrorKind::Other, TransactionError::ConnectionBroken(_)) => {
                BatchError::ConnectionLost
            }
            (ErrorKind::Other, _) => BatchError::Other,
        };
        if batch_error == BatchError::ConnectionLost
            || !matches!(error, TransactionError::RolledBack(_))
        {
            self.disconnect();
        }
        Err(batch_error)
    }

    /// Disconnects and returns true if the SQLite file was removed or replaced.
    fn disconnect_if_replaced(&mut self) -> bool {
        let is_replaced = !self.database.is_unchanged();
        if is_replaced {
            self.disconnect();
        }
        is_replaced
    }

    fn disconnect(&mut self) {
        if self.conn.take().is_some() {
            self.is_connected.store(false, Ordering::Relaxed);
            self.queue.set_healthy(false);
        }
    }

    /// Connects unless there is a connection or the last attempt failed less than
    /// [`RECONNECT_INTERVAL`] ago.
    fn connect(&mut self) {
        let failed_recently =
            self.last_connect_failure.is_some_and(|at| at.elapsed() < RECONNECT_INTERVAL);
        // SQLite would create a new file in place of a removed one.
        if self.conn.is_some() || failed_recently || !self.database.is_unchanged() {
            return;
        }
        match connect_to_write(&self.database.target, ConnectionRole::Writer) {
            Ok(conn) => {
                self.conn = Some(conn);
                self.last_connect_failure = None;
                self.is_connected.store(true, Ordering::Relaxed);
                self.queue.set_healthy(true);
                log::info!("store: connected again");
            }
            Err(error) => {
                self.last_connect_failure = Some(Instant::now());
                log::warn!("store: cannot connect: {}", self.database.redacted(&error));
            }
        }
    }
}

impl Drop for Writer {
    /// Also runs if the thread panicked.
    fn drop(&mut self) {
        if self.is_active {
            self.queue.finish_batch();
        }
        self.disconnect();
        self.queue.remove_writer();
    }
}
