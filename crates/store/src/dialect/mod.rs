//! Everything that SQLite and PostgreSQL do differently, and nothing else.
//!
//! Here: opening connections, beginning transactions, what a migration needs. Beside it: how
//! statements are made ([`mod@statement`]), what the writer asks of the database ([`claim_sql`]), what a
//! database's errors mean ([`error_kind`]), and how reads choose many rows ([`mod@id_in`]).

mod error_kind;
mod id_in;
mod property;
mod statement;

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use diesel::connection::{AnsiTransactionManager, CacheSize, SimpleConnection, TransactionManager};
use diesel::result::Error;
use diesel::sql_types::Bool;
use diesel::{
    Connection, ConnectionError, PgConnection, QueryResult, RunQueryDsl, SqliteConnection,
};

pub(crate) use error_kind::{ErrorKind, classify, describe, is_unique_violation, pooler_hint};
pub(crate) use id_in::id_in;
pub(crate) use property::property_is;
pub(crate) use statement::{Row, insert, row, statement};

use crate::connection::{AnyConnection, WriterConnection};
use crate::error::OpenError;
use crate::settings::DatabaseTarget;

/// How long a statement waits for somebody else's lock before it gives up.
pub(crate) const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// The size in bytes to which SQLite's log is truncated when it is reset. Without long reads it stays at 4
/// to 8 MiB.
const MAX_WAL_BYTES: u32 = 32 * 1024 * 1024;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConnectionRole {
    /// Reads only: the database refuses it to write.
    Reader,
    /// Writes, durably.
    Writer,
    /// Changes the schema: waits for locks as long as it takes.
    Migrator,
}

/// Opens a connection and sets it up for its role.
pub(crate) fn connect(
    target: &DatabaseTarget,
    role: ConnectionRole,
) -> Result<AnyConnection, ConnectionError> {
    match target {
        DatabaseTarget::Sqlite(path) => sqlite(path, role).map(AnyConnection::Sqlite),
        DatabaseTarget::Postgres { url, is_prepared } => {
            postgres(url, *is_prepared).map(AnyConnection::Postgres)
        }
    }
}

/// Opens a connection that writes, durably.
pub(crate) fn connect_to_write(
    target: &DatabaseTarget,
    role: ConnectionRole,
) -> Result<WriterConnection, ConnectionError> {
    let mut conn = connect(target, role)?;
    let begin = match &mut conn {
        // IMMEDIATE: one that reads first and writes later can be refused the write.
        AnyConnection::Sqlite(_) => "BEGIN IMMEDIATE".to_owned(),
        AnyConnection::Postgres(conn) => {
            let mut begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE".to_owned();
            if role == ConnectionRole::Writer {
                begin.push_str(&format!("; SET LOCAL lock_timeout = {}", LOCK_TIMEOUT.as_millis()));
            }
            // An answer promises that the user is stored, whatever is usual on this server.
            if is_asynchronous(conn).map_err(ConnectionError::CouldntSetupConfiguration)? {
                begin.push_str("; SET LOCAL synchronous_commit = on");
            }
            begin
        }
    };
    Ok(WriterConnection { conn, begin })
}

/// Returns whether the server answers a `COMMIT` before it is on the disk.
fn is_asynchronous(conn: &mut PgConnection) -> QueryResult<bool> {
    use diesel::dsl::{select, sql};
    // Not cached, so that it is one message to the server, and works behind a pooler by itself.
    select(sql::<Bool>("current_setting('synchronous_commit') = 'off'")).get_result(conn)
}

fn sqlite(path: &Path, role: ConnectionRole) -> Result<SqliteConnection, ConnectionError> {
    let text = path.to_str().ok_or_else(|| {
        ConnectionError::BadConnection("the path of the database is not UTF-8".to_owned())
    })?;
    // SQLite would read a relative path that begins with `file:` as a URI.
    let text = if path.is_absolute() { text.to_owned() } else { format!("./{text}") };
    let mut conn = SqliteConnection::establish(&text)?;
    let wait = LOCK_TIMEOUT.as_millis();
    let mut run =
        |sql: &str| conn.batch_execute(sql).map_err(ConnectionError::CouldntSetupConfiguration);
    run(&format!(
        "PRAGMA busy_timeout = {wait}; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY"
    ))?;
    if role == ConnectionRole::Reader {
        run("PRAGMA query_only = ON")?;
        return Ok(conn);
    }
    // Changing the journal mode does not wait for locks as other statements do.
    let begun = Instant::now();
    while let Err(error) = run("PRAGMA journal_mode = WAL") {
        if begun.elapsed() > LOCK_TIMEOUT {
            return Err(error);
        }
        thread::sleep(Duration::from_millis(10));
    }
    // FULL: a commit is on the disk before it is answered. The log is truncated after a long read, during
    // which it cannot be reset.
    // Deleted values are overwritten where that costs no further write: erased is erased.
    run("PRAGMA secure_delete = FAST")?;
    run(&format!("PRAGMA synchronous = FULL; PRAGMA journal_size_limit = {MAX_WAL_BYTES}"))?;
    // A file that may not be written to is opened all the same: this changes nothing, and tells.
    if let Err(error) = run("UPDATE counters SET users = users WHERE 0")
        && error.to_string().contains("readonly database")
    {
        return Err(error);
    }
    Ok(conn)
}

fn postgres(url: &str, is_prepared: bool) -> Result<PgConnection, ConnectionError> {
    let mut conn = PgConnection::establish(&with_timeouts(url))?;
    if !is_prepared {
        conn.set_prepared_statement_cache_size(CacheSize::Disabled);
    }
    Ok(conn)
}

/// The URL with what keeps a lost server from holding us up for minutes, unless it says it itself.
fn with_timeouts(url: &str) -> String {
    let mut url = url.to_owned();
    for (name, value) in [
        ("connect_timeout", "2"),      // seconds; libpq takes no less
        ("tcp_user_timeout", "10000"), // milliseconds
        // Where an answer is waited for, nothing is sent that could time out: ask after 10 seconds
        // whether the server is there, not after the system's two hours.
        ("keepalives_idle", "10"),    // seconds
        ("keepalives_interval", "5"), // seconds
        ("keepalives_count", "3"),
        ("fallback_application_name", "registrar"),
    ] {
        if !url.contains(&format!("{name}=")) {
            let before = if url.contains('?') { '&' } else { '?' };
            url = format!("{url}{before}{name}={value}");
        }
    }
    url
}

/// Makes the file of a SQLite database, and its folder, where they are missing. Only its owner may
/// read it: it holds people's data and the hashes of their passwords.
pub(crate) fn create_file(target: &DatabaseTarget) -> Result<(), OpenError> {
    let DatabaseTarget::Sqlite(path) = target else { return Ok(()) };
    let make = || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut options = fs::OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path).map(drop)
    };
    make().map_err(|source| OpenError::File { path: path.display().to_string(), source })
}

/// Begins a transaction that writes.
pub(crate) fn begin_write(writer: &mut WriterConnection) -> QueryResult<()> {
    let begin = &writer.begin;
    match &mut writer.conn {
        AnyConnection::Sqlite(conn) => AnsiTransactionManager::begin_transaction_sql(conn, begin),
        AnyConnection::Postgres(conn) => AnsiTransactionManager::begin_transaction_sql(conn, begin),
    }
}

/// Checks that the database answers, on a connection that is in no transaction.
pub(crate) fn ping(conn: &mut AnyConnection) -> QueryResult<()> {
    // Not diesel's own ping, which prepares a statement.
    conn.batch_execute("SELECT 1")
}

/// Begins a transaction that sees one state of the database, and changes nothing.
fn begin_read(conn: &mut AnyConnection) -> QueryResult<()> {
    match conn {
        AnyConnection::Sqlite(conn) => AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN"),
        AnyConnection::Postgres(conn) => AnsiTransactionManager::begin_transaction_sql(
            conn,
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        ),
    }
}

type Manager = <AnyConnection as Connection>::TransactionManager;

/// Commits; after it, what was written is durable.
pub(crate) fn commit(conn: &mut AnyConnection) -> QueryResult<()> {
    Manager::commit_transaction(conn)
}

/// Whether a commit that failed certainly left nothing behind.
pub(crate) fn commit_was_rolled_back(conn: &mut AnyConnection, error: &Error) -> bool {
    match conn {
        // It is these that SQLite finds out before it writes the commit into its log.
        AnyConnection::Sqlite(_) => {
            matches!(classify(conn, error), ErrorKind::Transient | ErrorKind::DiskFull)
        }
        // A server that still answers has told us the truth.
        AnyConnection::Postgres(conn) => {
            !matches!(error, Error::RollbackErrorOnCommit { .. })
                && conn.batch_execute("SELECT 1").is_ok()
        }
    }
}

/// Begins a part of the transaction under way: `commit` and `rollback` end it, and it alone.
pub(crate) fn begin_savepoint(conn: &mut AnyConnection) -> QueryResult<()> {
    Manager::begin_transaction(conn)
}

/// Takes back everything since the transaction began.
pub(crate) fn rollback(conn: &mut AnyConnection) -> QueryResult<()> {
    Manager::rollback_transaction(conn)
}

/// Runs reads that see one state of the database.
pub(crate) fn read<T>(
    conn: &mut AnyConnection,
    reads: impl FnOnce(&mut AnyConnection) -> QueryResult<T>,
) -> QueryResult<T> {
    begin_read(conn)?;
    let outcome = reads(conn);
    // Nothing was written; a connection that cannot even roll back is dropped by its pool.
    let ended = rollback(conn);
    outcome.and_then(|value| ended.map(|()| value))
}

/// Keeps other processes from migrating until the transaction under way has ended.
pub(crate) fn lock_migrations(conn: &mut AnyConnection) -> QueryResult<()> {
    match conn {
        AnyConnection::Sqlite(_) => Ok(()), // BEGIN IMMEDIATE did it
        // The number is "registrar" read in base 36.
        AnyConnection::Postgres(conn) => {
            conn.batch_execute("SELECT pg_advisory_xact_lock(77303031124851)")
        }
    }
}

/// Whether the database is another process, which may go away.
pub(crate) fn is_remote(conn: &AnyConnection) -> bool {
    matches!(conn, AnyConnection::Postgres(_))
}

/// Whether any migration was ever applied.
pub(crate) fn was_migrated(conn: &mut AnyConnection) -> QueryResult<bool> {
    use diesel::dsl::{select, sql};
    match conn {
        AnyConnection::Sqlite(conn) => select(sql::<Bool>(
            "EXISTS (SELECT 1 FROM sqlite_master WHERE name = '__diesel_schema_migrations')",
        ))
        .get_result(conn),
        AnyConnection::Postgres(conn) => {
            select(sql::<Bool>("to_regclass('__diesel_schema_migrations') IS NOT NULL"))
                .get_result(conn)
        }
    }
}

/// Writes what SQLite still keeps in its log into the database file, at the end of its use.
pub(crate) fn checkpoint(conn: &mut AnyConnection) -> QueryResult<()> {
    match conn {
        AnyConnection::Sqlite(conn) => conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)"),
        AnyConnection::Postgres(_) => Ok(()),
    }
}
