//! Fresh databases, one per measurement.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use std::{env, fs, process};

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::sql_types::{BigInt, Integer};
use diesel::{Connection, PgConnection, QueryResult, RunQueryDsl, SqliteConnection, select};
use registrar_scratch_postgres::{Cluster, scratch_with};

use super::Outcome;
use super::process::{cpu_with_children, parent};

/// Database system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// Factory of databases: a directory, and a PostgreSQL server with full durability.
#[derive(Debug)]
pub(super) struct Databases {
    pub(super) folder: PathBuf,
    cluster: OnceCell<Cluster>,
    /// Removes the directory when the pipe closes, even if the runner crashes.
    guard: Child,
    count: AtomicU32,
}

/// A database, removed on drop.
#[derive(Debug)]
pub(super) struct Database<'d> {
    pub(super) url: String,
    cluster: Option<&'d Cluster>,
    /// Process id of the postmaster, the parent of all PostgreSQL processes.
    postmaster: Option<u32>,
}

impl Databases {
    /// Creates an empty directory below the one for temporary files.
    pub(super) fn new() -> Outcome<Self> {
        let folder = env::temp_dir().join(format!("registrar-bench-{}", process::id()));
        fs::create_dir_all(&folder)?;
        let guard = Command::new("/bin/sh")
            .args(["-c", r#"trap '' INT; cat; sleep 1; rm -rf "$1""#, "sh"])
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()?;
        Ok(Self { folder, cluster: OnceCell::new(), guard, count: AtomicU32::new(0) })
    }

    /// Creates a fresh, migrated database.
    pub(super) fn fresh(&self, kind: Kind) -> Outcome<Database<'_>> {
        let database = match kind {
            Kind::Sqlite => {
                let number = self.count.fetch_add(1, Ordering::Relaxed);
                let file = self.folder.join(format!("{number}.db"));
                let url = format!("sqlite:{}", file.display());
                Database { url, cluster: None, postmaster: None }
            }
            Kind::Postgres => {
                let cluster = self.cluster()?;
                let url = cluster.database();
                let mut conn = PgConnection::establish(&url)?;
                let backend: i32 =
                    select(sql::<Integer>("pg_backend_pid()")).get_result(&mut conn)?;
                let postmaster = Some(parent(u32::try_from(backend)?)?);
                Database { url, cluster: Some(cluster), postmaster }
            }
        };
        registrar_store::migrate(&database.url)?;
        database.checkpoint()?;
        Ok(database)
    }

    fn cluster(&self) -> Outcome<&Cluster> {
        if let Some(cluster) = self.cluster.get() {
            return Ok(cluster);
        }
        let arguments = [
            "-c",
            "fsync=on",
            "-c",
            "synchronous_commit=on",
            "-c",
            "shared_buffers=256MB",
            "-c",
            "max_wal_size=4GB",
        ];
        let cluster = scratch_with(&arguments).ok_or(
            "PostgreSQL is not installed: on Debian `apt-get install postgresql`, or leave it \
             out with --sqlite-only",
        )?;
        Ok(self.cluster.get_or_init(|| cluster))
    }
}

impl Drop for Databases {
    fn drop(&mut self) {
        // All servers have stopped: they are dropped first.
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

impl Database<'_> {
    /// Returns the CPU time of the database's processes; zero for SQLite.
    pub(super) fn cpu(&self) -> Outcome<Duration> {
        self.postmaster.map_or(Ok(Duration::ZERO), cpu_with_children)
    }

    /// Returns the number of stored users.
    pub(super) fn users(&self) -> Outcome<i64> {
        let query = select(sql::<BigInt>("(SELECT count(*) FROM users)"));
        Ok(self.with_connection(
            |conn| query.clone().get_result(conn),
            |conn| query.clone().get_result(conn),
        )?)
    }

    /// Executes statements in the dialect of the database.
    pub(super) fn execute(&self, statements: &str) -> Outcome<()> {
        Ok(self.with_connection(
            |conn| conn.batch_execute(statements),
            |conn| conn.batch_execute(statements),
        )?)
    }

    /// Runs a checkpoint, so that none runs during the measurement.
    pub(super) fn checkpoint(&self) -> Outcome<()> {
        match self.file() {
            Some(_) => self.execute("PRAGMA wal_checkpoint(TRUNCATE)"),
            None => self.execute("CHECKPOINT"),
        }
    }

    fn file(&self) -> Option<&Path> {
        self.url.strip_prefix("sqlite:").map(Path::new)
    }

    fn with_connection<T>(
        &self,
        sqlite: impl FnOnce(&mut SqliteConnection) -> QueryResult<T>,
        postgres: impl FnOnce(&mut PgConnection) -> QueryResult<T>,
    ) -> QueryResult<T> {
        let refused =
            |error: diesel::ConnectionError| diesel::result::Error::QueryBuilderError(error.into());
        let Some(path) = self.url.strip_prefix("sqlite:") else {
            return postgres(&mut PgConnection::establish(&self.url).map_err(refused)?);
        };
        let mut conn = SqliteConnection::establish(path).map_err(refused)?;
        conn.batch_execute("PRAGMA busy_timeout = 10000")?;
        sqlite(&mut conn)
    }
}

impl Drop for Database<'_> {
    fn drop(&mut self) {
        if let Some(file) = self.file() {
            for suffix in ["", "-wal", "-shm"] {
                let _ = fs::remove_file(format!("{}{suffix}", file.display()));
            }
        }
        if let (Some(cluster), Some((_, name))) = (self.cluster, self.url.rsplit_once('/')) {
            // Prevents vacuuming from disturbing the next measurement.
            let _ = cluster.execute(&format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}
