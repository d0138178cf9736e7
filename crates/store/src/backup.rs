//! A copy of a SQLite database while others read and write it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use diesel::RunQueryDsl;
use diesel::sql_types::Text;

use crate::connection::AnyConnection;
use crate::dialect::{self, Role};
use crate::settings::Target;
use crate::store::Store;

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// PostgreSQL has tools of its own.
    #[error(
        "this database is PostgreSQL's: copy it with `pg_dump --format custom`, which works while it is served"
    )]
    NotSqlite,
    /// Nothing is written over.
    #[error("there is a file {path} already: choose another name")]
    Exists {
        /// The path of the file.
        path: String,
    },
    /// The file cannot be written.
    #[error("cannot write {path}: {source}")]
    File {
        /// The path of the file.
        path: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// The database does not give a copy.
    #[error("the database cannot be copied: {reason}")]
    Database {
        /// What it says.
        reason: String,
    },
}

impl Store {
    /// Writes a copy of the database as it is at one moment, durable and whole once this returns;
    /// who writes meanwhile does not wait. The copy is written beside `to` first, and takes that
    /// name at the end: a file of that name is always whole.
    ///
    /// # Errors
    /// See [`BackupError`]. What was begun of the copy is removed.
    pub fn back_up(&self, to: &Path) -> Result<(), BackupError> {
        let target = &self.database().target;
        let Target::Sqlite(_) = target else { return Err(BackupError::NotSqlite) };
        let path = to.display().to_string();
        if to.exists() {
            return Err(BackupError::Exists { path });
        }
        let part = part_of(to);
        let of_file = |source| BackupError::File { path: path.clone(), source };
        create(&part).map_err(of_file)?;
        let copied = copy(target, &part).and_then(|()| publish(&part, to).map_err(of_file));
        if copied.is_err() {
            // It is nobody's; what can be done about it has been said.
            let _ = fs::remove_file(&part);
        }
        copied
    }
}

/// Where the copy is written: beside its place, so that it can be moved there at once.
fn part_of(to: &Path) -> PathBuf {
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    to.with_file_name(name)
}

/// An empty file that only its owner may read: it will hold people's data.
fn create(part: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(part).map(drop)
}

/// Source: sqlite.org/lang_vacuum.html, "VACUUM with an INTO clause": a transaction that reads.
fn copy(target: &Target, part: &Path) -> Result<(), BackupError> {
    let failed = |reason: String| BackupError::Database { reason };
    let conn = dialect::connect(target, Role::Writer).map_err(|error| failed(error.to_string()))?;
    let AnyConnection::Sqlite(mut conn) = conn else { return Err(BackupError::NotSqlite) };
    let part = part.to_str().ok_or_else(|| failed("the path is not UTF-8".to_owned()))?;
    diesel::sql_query("VACUUM INTO ?")
        .bind::<Text, _>(part)
        .execute(&mut conn)
        .map(drop)
        .map_err(|error| failed(dialect::describe(&error)))
}

/// Makes the copy durable, then gives it its name.
fn publish(part: &Path, to: &Path) -> io::Result<()> {
    fs::File::open(part)?.sync_all()?;
    // Unlike a rename, a link takes nobody's place.
    fs::hard_link(part, to)?;
    fs::remove_file(part)?;
    #[cfg(unix)]
    if let Some(folder) = to.parent() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}
