//! The [`Store`]: opens the database, starts the writers and hands out connections.

mod reads;
mod writes;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use diesel::QueryResult;

use crate::connection::{
    self, AnyConnection, BackupError, ConnectionRole, Database, DatabaseTarget, ErrorKind,
    ReadPool, TransactionError, classify, connect_to_write, describe, is_unencrypted, ping,
    read_pool, transaction,
};
use crate::error::{OpenError, PingError, ReadError};
use crate::settings::StoreSettings;
use crate::stats::{StoreStats, WriterStats};
use crate::write::jobs::Job;
use crate::write::queue::Queue;
use crate::write::tokens::TokenUses;
use crate::write::writer::Writer;

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
        if !settings.create && connection::is_empty(&database)? {
            return Err(OpenError::Empty);
        }
        let mut is_new = false;
        if settings.migrate {
            let applied = connection::apply(&database)?;
            is_new = connection::is_complete_set(&applied, &database)?;
        } else {
            let names = connection::pending_of(&database)?;
            if !names.is_empty() {
                return Err(OpenError::Pending { names });
            }
        }
        if is_unencrypted(&settings.url) {
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
            let conn = connect_to_write(&database.target, ConnectionRole::Writer)
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
    /// [`CreateError::Busy`](crate::CreateError::Busy).
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.inner.queue.has_room()
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
        ping(&mut conn).map_err(|_| PingError::Readers)?;
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

    /// Writes a copy of a SQLite database to `to`, consistent and durable once this returns. Writers do not
    /// wait.
    ///
    /// # Errors
    /// See [`BackupError`].
    pub fn back_up(&self, to: &Path) -> Result<(), BackupError> {
        connection::back_up(&self.inner.database.target, to)
    }

    /// Runs reads that see one snapshot of the database.
    fn reading<T>(
        &self,
        reads: impl FnOnce(&mut AnyConnection) -> QueryResult<T>,
    ) -> Result<T, ReadError> {
        self.reading_from(&self.inner.readers, reads)
    }

    /// Runs reads of tokens, which do not wait for other reads.
    fn reading_tokens<T>(
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
        connection::read(&mut conn, reads).map_err(|error| read_error(&conn, &error))
    }

    /// Runs an operator's write on a connection of its own, past the queue.
    fn writing<T>(
        &self,
        writes: impl FnOnce(&mut AnyConnection) -> QueryResult<T>,
    ) -> Result<T, ReadError> {
        let database = &self.inner.database;
        let mut writer =
            connect_to_write(&database.target, ConnectionRole::Writer).map_err(|error| {
                log::warn!("store: cannot connect: {}", database.redacted(&error));
                ReadError::Unavailable
            })?;
        match transaction(&mut writer, writes, |_| true) {
            Ok(committed) => Ok(committed.value),
            Err(
                TransactionError::RolledBack(error)
                | TransactionError::ConnectionBroken(error)
                | TransactionError::CommitUnknown(error),
            ) => Err(read_error(&writer.conn, &error)),
        }
    }
}

fn read_error(conn: &AnyConnection, error: &diesel::result::Error) -> ReadError {
    log::warn!("store: reading failed: {}", describe(error));
    match classify(conn, error) {
        ErrorKind::Other => ReadError::Failed,
        _ => ReadError::Unavailable,
    }
}
