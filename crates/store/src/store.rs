//! The [`Store`]: opens the database, starts the writers and queues writes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use diesel::QueryResult;
use tokio::sync::oneshot;

use crate::audit::Actor;
use crate::connection::AnyConnection;
use crate::dialect::{self, ConnectionRole, ErrorKind};
use crate::error::{CreateError, OpenError, PingError, ReadError, WriteError};
use crate::migrate;
use crate::pool::{ReadPool, read_pool};
use crate::queue::{PushError, Queue};
use crate::records::{CreateRecord, RecordKind, UpdateRecord};
use crate::requests::{CreateUser, Created, UpdateUser};
use crate::settings::{Database, DatabaseTarget, StoreSettings};
use crate::stats::{StoreStats, WriterStats};
use crate::tls;
use crate::tokens::{NewToken, TokenUses};
use crate::transaction::{TransactionError, transaction};
use crate::write_jobs::{WriteJob, WriteOperation};
use crate::writer::{CreateJob, Job, Writer};

/// A handle to an open database. Clones share it and are cheap.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    database: Database,
    readers: ReadPool,
    /// A connection for token look-ups, so that long reads do not delay them.
    token_reader: ReadPool,
    /// Whether opening created the tables.
    is_new: bool,
    queue: Arc<Queue<Job>>,
    writers: Mutex<Vec<JoinHandle<()>>>,
    /// For each writer, whether it has a connection.
    connected: Vec<Arc<AtomicBool>>,
    stats: Arc<WriterStats>,
    token_uses: Arc<TokenUses>,
}

impl Store {
    /// Opens the database, applies pending migrations if the settings allow it, and starts the writers.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(settings: &StoreSettings) -> Result<Self, OpenError> {
        let mut database = Database::from_settings(settings)?;
        if let DatabaseTarget::Sqlite(path) = &database.target
            && !settings.create
            && !path.exists()
        {
            return Err(OpenError::Missing { path: path.display().to_string() });
        }
        if !settings.create && migrate::is_empty(&database)? {
            return Err(OpenError::Empty);
        }
        let mut is_new = false;
        if settings.migrate {
            let applied = migrate::apply(&database)?;
            is_new = migrate::is_complete_set(&applied, &database)?;
        } else {
            let names = migrate::pending_of(&database)?;
            if !names.is_empty() {
                return Err(OpenError::Pending { names });
            }
        }
        if tls::is_unencrypted(&settings.url) {
            log::warn!(
                "store: the connection to PostgreSQL is not encrypted: this build has no TLS"
            );
        }
        database.track_file();
        let count = match database.target {
            DatabaseTarget::Sqlite(_) => 1,
            DatabaseTarget::Postgres { .. } => settings.writers.max(1),
        };
        let max_batch = settings.batch.max(1);
        let queue = Arc::new(Queue::new(count, max_batch, settings.queue.max(1)));
        let stats = WriterStats::new();
        let token_uses = Arc::new(TokenUses::default());
        let mut connected = Vec::new();
        let mut writers = Vec::new();
        for number in 1..=count {
            let conn = dialect::connect_to_write(&database.target, ConnectionRole::Writer)
                .map_err(|error| database.connect_error(&error))?;
            let is_connected = Arc::new(AtomicBool::new(true));
            connected.push(Arc::clone(&is_connected));
            let writer = Writer::new(
                (database.clone(), conn),
                (Arc::clone(&queue), max_batch),
                is_connected,
                Arc::clone(&stats),
                Arc::clone(&token_uses),
            );
            let thread = thread::Builder::new()
                .name(format!("writer-{number}"))
                .spawn(move || writer.run())
                .map_err(OpenError::Thread)?;
            writers.push(thread);
        }
        let readers = read_pool(&database, settings.readers);
        let token_reader = read_pool(&database, 1);
        let writers = Mutex::new(writers);
        let inner = Inner {
            database,
            readers,
            token_reader,
            is_new,
            queue,
            writers,
            connected,
            stats,
            token_uses,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Returns whether opening created the database or its tables.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.inner.is_new
    }

    /// Returns whether the write queue has room; if not, counts a rejection. Called before a submission
    /// is validated, it avoids work that [`create`](Self::create) would reject with
    /// [`CreateError::Busy`].
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.inner.queue.has_room()
    }

    /// Creates a user with its nested records and returns its ids once they are durable.
    ///
    /// The call queues the job, not the first poll of the future. Dropping the future does not cancel
    /// it.
    ///
    /// # Errors
    /// See [`CreateError`]. Returns [`CreateError::Busy`] at once if the queue is full.
    pub fn create(
        &self,
        request: CreateUser,
    ) -> impl Future<Output = Result<Created, CreateError>> + Send + use<> {
        debug_assert!(
            request.user.password.is_none() || request.password_hash.is_some(),
            "the caller must hash the password"
        );
        let (reply, result) = oneshot::channel();
        let queued = self.push(Job::Create(CreateJob { request, reply, was_deferred: false }));
        async move {
            queued?;
            // A writer that ends without a reply has stored nothing, or ended during the commit.
            result.await.unwrap_or(Err(CreateError::Unavailable))
        }
    }

    /// Updates a user and returns once that is durable. Queued like [`create`](Self::create).
    ///
    /// # Errors
    /// See [`WriteError`]. Returns [`WriteError::Conflict`] if the user was changed since it was
    /// loaded.
    pub fn update(
        &self,
        request: UpdateUser,
    ) -> impl Future<Output = Result<(), WriteError>> + Send + use<> {
        debug_assert!(
            request.changed.user.password.is_none() || request.password_hash.is_some(),
            "the caller must hash the password"
        );
        without_id(self.submit(WriteOperation::Update(Box::new(request))))
    }

    /// Deletes a user with its nested records, password and claims, and returns once that is durable.
    ///
    /// # Errors
    /// See [`WriteError`]. Returns [`WriteError::NotFound`] if the user does not exist.
    pub fn delete(
        &self,
        id: i64,
        actor: Actor,
    ) -> impl Future<Output = Result<(), WriteError>> + Send + use<> {
        without_id(self.submit(WriteOperation::Delete { id, actor }))
    }

    /// Creates a record and returns its id once it is durable. Queued like [`create`](Self::create).
    ///
    /// # Errors
    /// See [`CreateError`]. Returns [`crate::Refusal::MissingOwner`] if its owner is unknown.
    pub fn create_record(
        &self,
        request: CreateRecord,
    ) -> impl Future<Output = Result<i64, CreateError>> + Send + use<> {
        let submitted = self.submit(WriteOperation::CreateRecord(Box::new(request)));
        async move {
            submitted.await.map_err(|error| match error {
                WriteError::Create(error) => error,
                // The owner is not the user that the actor is restricted to.
                WriteError::NotFound => CreateError::OwnerMismatch,
                WriteError::Conflict => CreateError::Internal,
            })
        }
    }

    /// Updates a record and returns once that is durable.
    ///
    /// # Errors
    /// See [`WriteError`]. Returns [`WriteError::Conflict`] if its user, or the relationship, was
    /// changed since it was loaded.
    pub fn update_record(
        &self,
        request: UpdateRecord,
    ) -> impl Future<Output = Result<(), WriteError>> + Send + use<> {
        without_id(self.submit(WriteOperation::UpdateRecord(Box::new(request))))
    }

    /// Deletes a record with its nested records and claims, and returns once that is durable. With a
    /// relationship its users and transactables are removed from it.
    ///
    /// # Errors
    /// See [`WriteError`]. Returns [`WriteError::NotFound`] if the record does not exist.
    pub fn delete_record(
        &self,
        kind: RecordKind,
        id: i64,
        actor: Actor,
    ) -> impl Future<Output = Result<(), WriteError>> + Send + use<> {
        without_id(self.submit(WriteOperation::DeleteRecord { kind, id, actor }))
    }

    /// Stores a token, in a transaction that checks its parent token, and returns its id once that is
    /// durable. Queued like [`create`](Self::create).
    ///
    /// # Errors
    /// See [`WriteError`]. Returns [`WriteError::Conflict`] if the name or the hash exists, and
    /// [`WriteError::NotFound`] if its user does not exist.
    pub fn issue_token(
        &self,
        token: NewToken,
    ) -> impl Future<Output = Result<i64, WriteError>> + Send + use<> {
        self.submit(WriteOperation::IssueToken(Box::new(token)))
    }

    /// Revokes all tokens of a user's sessions except the actor's own, and returns once that is
    /// durable.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub fn end_sessions(
        &self,
        user_id: i64,
        actor: Actor,
    ) -> impl Future<Output = Result<(), WriteError>> + Send + use<> {
        without_id(self.submit(WriteOperation::EndSessions { user_id, actor }))
    }

    /// Revokes a token by its name and returns once that is durable.
    ///
    /// # Errors
    /// See [`WriteError`]. Returns [`WriteError::NotFound`] if there is no such token or it is already
    /// revoked.
    pub fn revoke(
        &self,
        name: String,
        actor: Actor,
    ) -> impl Future<Output = Result<(), WriteError>> + Send + use<> {
        without_id(self.submit(WriteOperation::RevokeToken { name, actor }))
    }

    /// Replaces the hash of a password by another hash of the same password. Does nothing if the job
    /// cannot be queued or the password was changed meanwhile.
    pub fn rehash(&self, user_id: i64, old: String, new: String) {
        drop(self.submit(WriteOperation::Rehash { user_id, old, new }));
    }

    /// Records a failed sign-in in the audit log. Does nothing if the job cannot be queued.
    pub fn record_failed_sign_in(&self, user_id: i64, actor: Actor) {
        drop(self.submit(WriteOperation::FailedSignIn { user_id, actor }));
    }

    fn submit(
        &self,
        operation: WriteOperation,
    ) -> impl Future<Output = Result<i64, WriteError>> + Send + use<> {
        let (reply, result) = oneshot::channel();
        let queued = self.push(Job::Write(WriteJob { operation, reply }));
        async move {
            queued?;
            result.await.unwrap_or(Err(CreateError::Unavailable.into()))
        }
    }

    fn push(&self, job: Job) -> Result<(), CreateError> {
        self.inner.queue.push(job).map_err(|error| match error {
            PushError::Full => CreateError::Busy,
            PushError::Closed => CreateError::ShuttingDown,
            PushError::NoWriters => CreateError::Unavailable,
        })
    }

    /// Checks whether the database can be read and written, for a readiness probe. Blocks for up to
    /// two seconds.
    ///
    /// # Errors
    /// See [`PingError`].
    pub fn ping(&self) -> Result<(), PingError> {
        if !self.inner.database.is_unchanged() {
            return Err(PingError::Replaced);
        }
        let mut conn = self.inner.readers.get().map_err(|_| PingError::Readers)?;
        dialect::ping(&mut conn).map_err(|_| PingError::Readers)?;
        if self.inner.connected.iter().all(|is_connected| is_connected.load(Ordering::Relaxed)) {
            Ok(())
        } else {
            Err(PingError::Writers)
        }
    }

    /// Returns the current statistics.
    #[must_use]
    pub fn stats(&self) -> StoreStats {
        let Inner { database, readers, queue, connected, stats, .. } = &*self.inner;
        let read_pool = readers.state();
        StoreStats {
            queued: queue.len(),
            queue_capacity: queue.capacity(),
            rejected: queue.rejected(),
            writers: connected.len(),
            connected_writers: connected.iter().filter(|it| it.load(Ordering::Relaxed)).count(),
            batches: stats.sizes.snapshot(),
            commits: stats.commits.snapshot(),
            readers_in_use: read_pool.connections.saturating_sub(read_pool.idle_connections),
            max_readers: readers.max_size(),
            wal_bytes: database.wal_bytes(),
        }
    }

    /// Rejects further writes, finishes the queued ones, and checkpoints SQLite's write-ahead log.
    /// Blocks until then. Reads still work afterwards. Further calls have no effect.
    pub fn shutdown(&self) {
        self.inner.queue.close();
        let writers =
            std::mem::take(&mut *self.inner.writers.lock().unwrap_or_else(PoisonError::into_inner));
        for writer in writers {
            if writer.join().is_err() {
                log::error!("store: a writer had panicked");
            }
        }
    }

    pub(crate) fn token_uses(&self) -> &TokenUses {
        &self.inner.token_uses
    }

    pub(crate) fn database(&self) -> &Database {
        &self.inner.database
    }

    /// Runs reads that see one snapshot of the database.
    pub(crate) fn reading<T>(
        &self,
        reads: impl FnOnce(&mut AnyConnection) -> QueryResult<T>,
    ) -> Result<T, ReadError> {
        self.reading_from(&self.inner.readers, reads)
    }

    /// Runs reads of tokens, which do not wait for other reads.
    pub(crate) fn reading_tokens<T>(
        &self,
        reads: impl FnOnce(&mut AnyConnection) -> QueryResult<T>,
    ) -> Result<T, ReadError> {
        self.reading_from(&self.inner.token_reader, reads)
    }

    fn reading_from<T>(
        &self,
        readers: &ReadPool,
        reads: impl FnOnce(&mut AnyConnection) -> QueryResult<T>,
    ) -> Result<T, ReadError> {
        if !self.inner.database.is_unchanged() {
            return Err(ReadError::Unavailable);
        }
        let mut conn = readers.get().map_err(|_| ReadError::Unavailable)?;
        dialect::read(&mut conn, reads).map_err(|error| read_error(&conn, &error))
    }

    /// Runs an operator's write on a connection of its own, past the queue.
    pub(crate) fn writing<T>(
        &self,
        writes: impl FnOnce(&mut AnyConnection) -> QueryResult<T>,
    ) -> Result<QueryResult<T>, ReadError> {
        let database = &self.inner.database;
        let mut writer = dialect::connect_to_write(&database.target, ConnectionRole::Writer)
            .map_err(|error| {
                log::warn!("store: cannot connect: {}", database.redacted(&error));
                ReadError::Unavailable
            })?;
        match transaction(&mut writer, writes, |_| true) {
            Ok(committed) => Ok(Ok(committed.value)),
            Err(TransactionError::RolledBack(error)) if dialect::is_unique_violation(&error) => {
                Ok(Err(error))
            }
            Err(
                TransactionError::RolledBack(error)
                | TransactionError::ConnectionBroken(error)
                | TransactionError::CommitUnknown(error),
            ) => Err(read_error(&writer.conn, &error)),
        }
    }
}

async fn without_id(
    submitted: impl Future<Output = Result<i64, WriteError>> + Send,
) -> Result<(), WriteError> {
    submitted.await.map(drop)
}

fn read_error(conn: &AnyConnection, error: &diesel::result::Error) -> ReadError {
    log::warn!("store: reading failed: {}", dialect::describe(error));
    match dialect::classify(conn, error) {
        ErrorKind::Other => ReadError::Failed,
        _ => ReadError::Unavailable,
    }
}
