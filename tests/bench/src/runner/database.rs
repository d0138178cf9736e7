//! Fresh databases, one for each measurement, and what the runner asks of them.

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
use super::process::{cpu_of_family, parent};

/// Which database.
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

/// Where databases are made: a folder, and a server with all its durability.
#[derive(Debug)]
pub(super) struct Databases {
    pub(super) folder: PathBuf,
    cluster: OnceCell<Cluster>,
    /// Removes the folder when our end of its pipe closes: in whatever way the runner ends.
    guard: Child,
    count: AtomicU32,
}

/// A database, gone when this is dropped.
#[derive(Debug)]
pub(super) struct Database<'d> {
    pub(super) url: String,
    cluster: Option<&'d Cluster>,
    /// The process that all of PostgreSQL's others are children of.
    postmaster: Option<u32>,
}

impl Databases {
    /// An empty folder, below the one for temporary files.
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

    /// A fresh database with Registrar's tables.
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
        database.settle()?;
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
        // The servers have ended before: they are dropped first.
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

impl Database<'_> {
    /// What the database's own processes had of the processors; SQLite has none.
    pub(super) fn cpu(&self) -> Outcome<Duration> {
        self.postmaster.map_or(Ok(Duration::ZERO), cpu_of_family)
    }

    /// How many users are stored.
    pub(super) fn users(&self) -> Outcome<i64> {
        let query = select(sql::<BigInt>("(SELECT count(*) FROM users)"));
        Ok(self.ask(|conn| query.clone().get_result(conn), |conn| query.clone().get_result(conn))?)
    }

    /// Runs statements that must suit the database.
    pub(super) fn execute(&self, statements: &str) -> Outcome<()> {
        Ok(self.ask(|conn| conn.batch_execute(statements), |conn| conn.batch_execute(statements))?)
    }

    /// Has everything written out, so that it is not written out while something is measured.
    pub(super) fn settle(&self) -> Outcome<()> {
        match self.file() {
            Some(_) => self.execute("PRAGMA wal_checkpoint(TRUNCATE)"),
            None => self.execute("CHECKPOINT"),
        }
    }

    fn file(&self) -> Option<&Path> {
        self.url.strip_prefix("sqlite:").map(Path::new)
    }

    fn ask<T>(
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
            // Else the next measurement would share the disk with this one's vacuuming.
            let _ = cluster.execute(&format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}
