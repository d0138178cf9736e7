//! The store: the handle that the rest of Registrar holds.
//!
//! Opening, writing, shutting down. Reading is in [`crate::read`], tokens in [`crate::tokens`].

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use diesel::QueryResult;
use tokio::sync::oneshot;

use crate::audit::Asker;
use crate::batch::{self, Failure};
use crate::change::{Change, ChangeJob};
use crate::connection::AnyConnection;
use crate::dialect::{self, Fault, Role};
use crate::error::{ChangeError, CreateError, OpenError, PingError, ReadError};
use crate::figures::Written;
use crate::migrate;
use crate::pool::{Readers, readers};
use crate::queue::{Queue, Refused};
use crate::record::{Created, NewRecord, UpdateRecord};
use crate::records::{NewRecordOf, RecordKind, UpdateRecordOf};
use crate::settings::{Database, StoreSettings, Target};
use crate::tls;
use crate::tokens::NewToken;
use crate::writer::{Job, Waiting, Writer};

/// An open database. Clones are handles to the same one, and cheap.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    database: Database,
    readers: Readers,
    /// A connection for token look-ups only, so that lists cannot delay them.
    token_reader: Readers,
    /// Whether opening made the tables.
    is_new: bool,
    /// Closed once the store is shutting down.
    queue: Arc<Queue<Waiting>>,
    writers: Mutex<Vec<JoinHandle<()>>>,
    /// For each writer, whether it has a connection.
    connected: Vec<Arc<AtomicBool>>,
    written: Arc<Written>,
}

impl Store {
    /// Opens the database, migrates it when asked to, and starts the writers.
    ///
    /// # Errors
    /// See [`OpenError`]: a URL that names no database, one that lets nobody in, missing
    /// migrations that it was told not to apply, a schema newer than this program.
    pub fn open(settings: &StoreSettings) -> Result<Self, OpenError> {
        let mut database = Database::of(settings)?;
        if let Target::Sqlite(path) = &database.target
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
            is_new = migrate::is_all(&applied, &database)?;
        } else {
            let names = migrate::lacking(&database)?;
            if !names.is_empty() {
                return Err(OpenError::Pending { names });
            }
        }
        if tls::is_in_clear(&settings.url) {
            log::warn!(
                "store: the connection to PostgreSQL is not encrypted: this build has no TLS"
            );
        }
        database.note_file();
        let count = match database.target {
            Target::Sqlite(_) => 1,
            Target::Postgres { .. } => settings.writers.max(1),
        };
        let most = settings.batch.max(1);
        let queue = Arc::new(Queue::new(count, most, settings.queue.max(1)));
        let written = Written::new();
        let mut connected = Vec::new();
        let mut writers = Vec::new();
        for number in 1..=count {
            let conn = dialect::connect_to_write(&database.target, Role::Writer)
                .map_err(|error| database.refused(&error))?;
            let up = Arc::new(AtomicBool::new(true));
            connected.push(Arc::clone(&up));
            let writer = Writer {
                database: database.clone(),
                queue: Arc::clone(&queue),
                is_at_work: false,
                most,
                conn: Some(conn),
                connected: up,
                written: Arc::clone(&written),
                failed_at: None,
                forgets_at: Instant::now(),
                put_off: Vec::new(),
                changes: Vec::new(),
            };
            let thread = thread::Builder::new()
                .name(format!("writer-{number}"))
                .spawn(move || writer.run())
                .map_err(OpenError::Thread)?;
            writers.push(thread);
        }
        let (token_reader, readers) = (readers(&database, 1), readers(&database, settings.readers));
        let writers = Mutex::new(writers);
        let inner =
            Inner { database, readers, token_reader, is_new, queue, writers, connected, written };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Returns whether there was no database, or an empty one, before this store was opened.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.inner.is_new
    }

    /// Whether one more submission may wait to be written just now; if not, it counts as turned away.
    /// Asked before a submission is judged, it saves the judging of one that [`create`](Self::create)
    /// would most likely refuse as [`CreateError::Busy`].
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.inner.queue.has_room()
    }

    /// Writes a user with everything nested in it; the answer comes once that is durable.
    ///
    /// The submission is queued by this call, not by the first poll of the future. Dropping the
    /// future does not take it back.
    ///
    /// # Errors
    /// See [`CreateError`]. [`CreateError::Busy`] comes at once when the queue is full.
    pub fn create(
        &self,
        record: NewRecord,
    ) -> impl Future<Output = Result<Created, CreateError>> + Send + use<> {
        debug_assert!(
            record.user.password.is_none() || record.password_hash.is_some(),
            "a password must be hashed before it comes here"
        );
        let queued = self.enqueue(record);
        async move {
            // Every job is answered; a writer that dies all the same has stored nothing of it
            // that it had not answered, or died in the commit.
            queued?.await.unwrap_or(Err(CreateError::Unavailable))
        }
    }

    /// Changes a user as a whole; the answer comes once that is durable. As with
    /// [`create`](Self::create), it is queued by this call.
    ///
    /// # Errors
    /// See [`ChangeError`]. [`ChangeError::Conflict`] where the user is not as it was loaded.
    pub fn update(
        &self,
        record: UpdateRecord,
    ) -> impl Future<Output = Result<(), ChangeError>> + Send + use<> {
        debug_assert!(
            record.changed.user.password.is_none() || record.password_hash.is_some(),
            "a password must be hashed before it comes here"
        );
        unnamed(self.change(Change::Update(Box::new(record))))
    }

    /// Deletes a user with everything nested in it, its password and its claims; the answer comes
    /// once that is durable.
    ///
    /// # Errors
    /// See [`ChangeError`]. [`ChangeError::NotFound`] where there is no such user.
    pub fn delete(
        &self,
        id: i64,
        by: Asker,
    ) -> impl Future<Output = Result<(), ChangeError>> + Send + use<> {
        unnamed(self.change(Change::Delete { id, by }))
    }

    /// Writes a record of a user who is there, or a relationship; the answer is its id, once that is
    /// durable. As with [`create`](Self::create), it is queued by this call.
    ///
    /// # Errors
    /// See [`CreateError`]. [`crate::Refusal::Ownerless`] where nobody is there that it belongs to.
    pub fn create_record(
        &self,
        record: NewRecordOf,
    ) -> impl Future<Output = Result<i64, CreateError>> + Send + use<> {
        let changed = self.change(Change::CreateRecord(Box::new(record)));
        async move {
            changed.await.map_err(|error| match error {
                ChangeError::NotWritten(error) => error,
                // Nothing is changed that could be gone.
                ChangeError::NotFound | ChangeError::Conflict => CreateError::Failed,
            })
        }
    }

    /// Changes a record; the answer comes once that is durable.
    ///
    /// # Errors
    /// See [`ChangeError`]. [`ChangeError::Conflict`] where its user, or the relationship, is not as
    /// it was loaded.
    pub fn update_record(
        &self,
        record: UpdateRecordOf,
    ) -> impl Future<Output = Result<(), ChangeError>> + Send + use<> {
        unnamed(self.change(Change::UpdateRecord(Box::new(record))))
    }

    /// Deletes a record with everything that hangs on it and what it alone claims; the answer comes
    /// once that is durable. A relationship takes its memberships and listings along.
    ///
    /// # Errors
    /// See [`ChangeError`]. [`ChangeError::NotFound`] where there is no such record.
    pub fn delete_record(
        &self,
        kind: RecordKind,
        id: i64,
        by: Asker,
    ) -> impl Future<Output = Result<(), ChangeError>> + Send + use<> {
        unnamed(self.change(Change::DeleteRecord { kind, id, by }))
    }

    /// Stores a new token, in the transaction in which the one that it is made by still counts; the
    /// answer is its id, once that is durable. As with [`create`](Self::create), it is queued by
    /// this call.
    ///
    /// # Errors
    /// See [`ChangeError`]. [`ChangeError::Conflict`] where its name or its text is taken,
    /// [`ChangeError::NotFound`] where its user is not there.
    pub fn mint_token(
        &self,
        token: NewToken,
    ) -> impl Future<Output = Result<i64, ChangeError>> + Send + use<> {
        self.change(Change::Mint(Box::new(token)))
    }

    fn change(
        &self,
        change: Change,
    ) -> impl Future<Output = Result<i64, ChangeError>> + Send + use<> {
        let (answer, answered) = oneshot::channel();
        let queued = self.push(Waiting::Change(ChangeJob { change, answer })).map(|()| answered);
        async move { queued?.await.unwrap_or(Err(CreateError::Unavailable.into())) }
    }

    fn enqueue(
        &self,
        record: NewRecord,
    ) -> Result<oneshot::Receiver<Result<Created, CreateError>>, CreateError> {
        let (answer, answered) = oneshot::channel();
        self.push(Waiting::Create(Job { record, answer, was_put_off: false }))?;
        Ok(answered)
    }

    fn push(&self, waiting: Waiting) -> Result<(), CreateError> {
        self.inner.queue.push(waiting).map_err(|refused| match refused {
            Refused::Full => CreateError::Busy,
            Refused::Closed => CreateError::ShuttingDown,
            Refused::Abandoned => CreateError::Unavailable,
        })
    }

    /// Whether the database can be read and written, for a readiness probe. Blocks for up to two
    /// seconds.
    ///
    /// # Errors
    /// Which of the two does not work.
    pub fn ping(&self) -> Result<(), PingError> {
        if !self.inner.database.is_in_place() {
            return Err(PingError::Replaced);
        }
        let mut conn = self.inner.readers.get().map_err(|_| PingError::Readers)?;
        dialect::ping(&mut conn).map_err(|_| PingError::Readers)?;
        if self.inner.connected.iter().all(|up| up.load(Ordering::Relaxed)) {
            Ok(())
        } else {
            Err(PingError::Writers)
        }
    }

    /// Stops accepting, finishes what was accepted, and leaves the database file complete without
    /// its log. Blocks until then; calling it again does nothing. Reads still work afterwards.
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

    /// The database it was opened with.
    pub(crate) fn database(&self) -> &Database {
        &self.inner.database
    }

    /// What counts, and what can be counted.
    pub(crate) fn counted(&self) -> (&Queue<Waiting>, &Written, &Readers, &[Arc<AtomicBool>]) {
        let Inner { queue, written, readers, connected, .. } = &*self.inner;
        (queue, written, readers, connected)
    }

    /// Runs reads that see one state of the database.
    pub(crate) fn reading<T>(
        &self,
        reads: impl FnOnce(&mut AnyConnection) -> QueryResult<T>,
    ) -> Result<T, ReadError> {
        self.reading_from(&self.inner.readers, reads)
    }

    /// Runs reads about tokens, which do not wait for other reads.
    pub(crate) fn reading_tokens<T>(
        &self,
        reads: impl FnOnce(&mut AnyConnection) -> QueryResult<T>,
    ) -> Result<T, ReadError> {
        self.reading_from(&self.inner.token_reader, reads)
    }

    fn reading_from<T>(
        &self,
        readers: &Readers,
        reads: impl FnOnce(&mut AnyConnection) -> QueryResult<T>,
    ) -> Result<T, ReadError> {
        if !self.inner.database.is_in_place() {
            return Err(ReadError::Unavailable);
        }
        let mut conn = readers.get().map_err(|_| ReadError::Unavailable)?;
        dialect::read(&mut conn, reads).map_err(|error| read_error(&conn, &error))
    }

    /// Runs a write of the operator's, which does not go through the queue: on a connection of
    /// its own, as a command beside a running server would do it.
    pub(crate) fn writing<T>(
        &self,
        writes: impl FnOnce(&mut AnyConnection) -> QueryResult<T>,
    ) -> Result<QueryResult<T>, ReadError> {
        let database = &self.inner.database;
        let mut writer =
            dialect::connect_to_write(&database.target, Role::Writer).map_err(|error| {
                log::warn!("store: cannot connect: {}", database.redacted(&error));
                ReadError::Unavailable
            })?;
        match batch::transaction(&mut writer, writes, |_| true) {
            Ok(done) => Ok(Ok(done.outcome)),
            Err(Failure::Undone(error)) if dialect::is_unique_violation(&error) => Ok(Err(error)),
            Err(Failure::Undone(error) | Failure::Broken(error) | Failure::Unknown(error)) => {
                Err(read_error(&writer.conn, &error))
            }
        }
    }
}

/// What was changed is known by its id already.
async fn unnamed(
    changed: impl Future<Output = Result<i64, ChangeError>> + Send,
) -> Result<(), ChangeError> {
    changed.await.map(|_| ())
}

fn read_error(conn: &AnyConnection, error: &diesel::result::Error) -> ReadError {
    log::warn!("store: reading failed: {}", dialect::describe(error));
    match dialect::fault(conn, error) {
        Fault::Other => ReadError::Failed,
        _ => ReadError::Unavailable,
    }
}
