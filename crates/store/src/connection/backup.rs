//! Online backup of a SQLite database.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use diesel::RunQueryDsl;
use diesel::sql_types::Text;

use super::{AnyConnection, ConnectionRole, DatabaseTarget, connect, describe};

/// Error of a backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database is PostgreSQL's.
    #[error(
        "this database is PostgreSQL's: copy it with `pg_dump --format custom`, which works while it is served"
    )]
    NotSqlite,
    /// The destination exists.
    #[error("there is a file {path} already: choose another name")]
    Exists {
        /// The path of the file.
        path: String,
    },
    /// The destination cannot be written.
    #[error("cannot write {path}: {source}")]
    File {
        /// The path of the file.
        path: String,
        /// The operating system's error.
        source: io::Error,
    },
    /// SQLite cannot copy the database.
    #[error("the database cannot be copied: {reason}")]
    Database {
        /// SQLite's message.
        reason: String,
    },
}

/// Writes a consistent copy of the database to `to`, durable once this returns. Writers do not wait. The
/// copy is written to a temporary file next to `to` and renamed when it is complete.
pub(crate) fn back_up(target: &DatabaseTarget, to: &Path) -> Result<(), BackupError> {
    let DatabaseTarget::Sqlite(_) = target else { return Err(BackupError::NotSqlite) };
    let path = to.display().to_string();
    if to.exists() {
        return Err(BackupError::Exists { path });
    }
    let part = part_of(to);
    let of_file = |source| BackupError::File { path: path.clone(), source };
    create(&part).map_err(of_file)?;
    let copied = copy(target, &part).and_then(|()| publish(&part, to).map_err(of_file));
    if copied.is_err() {
        // The original error is returned; that the temporary file stays is a minor problem.
        let _ = fs::remove_file(&part);
    }
    copied
}

/// Returns the path of the temporary file, in the directory of the destination.
fn part_of(to: &Path) -> PathBuf {
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    to.with_file_name(name)
}

/// Creates an empty file that only its owner may read.
fn create(part: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(part).map(drop)
}

/// Copies the database in a read transaction (sqlite.org/lang_vacuum.html, "VACUUM with an INTO
/// clause").
fn copy(target: &DatabaseTarget, part: &Path) -> Result<(), BackupError> {
    let failed = |reason: String| BackupError::Database { reason };
    let conn =
        connect(target, ConnectionRole::Writer).map_err(|error| failed(error.to_string()))?;
    let AnyConnection::Sqlite(mut conn) = conn else { return Err(BackupError::NotSqlite) };
    let part = part.to_str().ok_or_else(|| failed("the path is not UTF-8".to_owned()))?;
    diesel::sql_query("VACUUM INTO ?")
        .bind::<Text, _>(part)
        .execute(&mut conn)
        .map(drop)
        .map_err(|error| failed(describe(&error)))
}

/// Syncs the copy to disk and gives it its final name.
fn publish(part: &Path, to: &Path) -> io::Result<()> {
    fs::File::open(part)?.sync_all()?;
    // Unlike a rename, a link does not replace an existing file.
    fs::hard_link(part, to)?;
    fs::remove_file(part)?;
    #[cfg(unix)]
    if let Some(folder) = to.parent() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}
