//! Opens SQLite connections.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection, ConnectionError, SqliteConnection};

use super::{ConnectionRole, LOCK_TIMEOUT};
use crate::error::OpenError;

/// Size in bytes to which the write-ahead log is truncated when it is reset. Without long reads it stays
/// at 4 to 8 MiB.
const MAX_WAL_BYTES: u32 = 32 * 1024 * 1024;

pub(super) fn connect(
    path: &Path,
    role: ConnectionRole,
) -> Result<SqliteConnection, ConnectionError> {
    let text = path.to_str().ok_or_else(|| {
        ConnectionError::BadConnection("the path of the database is not UTF-8".to_owned())
    })?;
    // SQLite parses a relative path that begins with `file:` as a URI.
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
    // Changing the journal mode does not respect the busy timeout.
    let begun = Instant::now();
    while let Err(error) = run("PRAGMA journal_mode = WAL") {
        if begun.elapsed() > LOCK_TIMEOUT {
            return Err(error);
        }
        thread::sleep(Duration::from_millis(10));
    }
    // FAST overwrites deleted content where that needs no further write.
    run("PRAGMA secure_delete = FAST")?;
    // FULL syncs the log at each commit. The log is truncated after a long read, during which it cannot
    // be reset.
    run(&format!("PRAGMA synchronous = FULL; PRAGMA journal_size_limit = {MAX_WAL_BYTES}"))?;
    // SQLite opens a read-only file without an error; this statement changes nothing and returns it.
    if let Err(error) = run("UPDATE counters SET users = users WHERE 0")
        && error.to_string().contains("readonly database")
    {
        return Err(error);
    }
    Ok(conn)
}

/// Creates the database file and its directory if they are missing. Only the owner may read the file,
/// which will contain personal data and password hashes.
pub(super) fn create_file(path: &Path) -> Result<(), OpenError> {
    let create = || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut options = fs::OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path).map(drop)
    };
    create().map_err(|source| OpenError::File { path: path.display().to_string(), source })
}
