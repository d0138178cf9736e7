//! A PostgreSQL server of the tests' own: started from the system's `initdb` and `postgres`, on a
//! Unix socket only, and gone (with its files) when the test process ends in whatever way.
//!
//! It is made for tests: no durability (`fsync` off), no passwords. It depends on no other crate
//! of Registrar, so that all of them may use it.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

mod pooler;
mod tls;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};

pub use pooler::Pooler;
pub use tls::{REQUIRE_TLS, TlsCluster};

/// When this is `1`, a test that finds no PostgreSQL fails instead of being skipped.
pub const REQUIRE: &str = "REGISTRAR_REQUIRE_POSTGRES";

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server. It stops when this is dropped, or when the process ends.
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    databases: AtomicU32,
    // The supervising shell reads from it; its end is the sign to stop.
    alive: Option<ChildStdin>,
    shell: Child,
}

impl Cluster {
    /// Makes a new, empty database and gives its URL. Every call gives another one.
    ///
    /// # Panics
    /// When the server does not do it.
    #[must_use]
    pub fn database(&self) -> String {
        let name = format!("scratch_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.execute(&format!("CREATE DATABASE {name} STRATEGY file_copy"))
            .unwrap_or_else(|error| fail(&format!("cannot create a database: {error}")));
        self.url(&name)
    }

    /// Runs statements as the superuser in the database `postgres`.
    ///
    /// # Errors
    /// What the server says against it.
    pub fn execute(&self, sql: &str) -> Result<(), String> {
        let mut connection = PgConnection::establish(&self.url("postgres"))
            .map_err(|error| format!("cannot connect: {error}"))?;
        connection.batch_execute(sql).map_err(|error| error.to_string())
    }

    /// Kills the server as `kill -9` does; it stays away until [`revive`](Self::revive).
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill(&self) {
        let file = self.folder.join("data/postmaster.pid");
        let known = fs::read_to_string(&file).unwrap_or_default();
        let id = known.lines().next().unwrap_or_default();
        fs::write(self.folder.join("down"), "")
            .unwrap_or_else(|error| fail(&format!("cannot write a file: {error}")));
        let killed = Command::new("kill").args(["-KILL", id]).status();
        if !killed.is_ok_and(|status| status.success()) {
            fail("the PostgreSQL server cannot be killed");
        }
        while Path::new(&format!("/proc/{id}/exe")).exists() {
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Lets a server that was killed start again, and waits until it answers.
    ///
    /// # Panics
    /// When it does not.
    pub fn revive(&self) {
        // It is not there where nothing was killed.
        let _ = fs::remove_file(self.folder.join("down"));
        self.wait();
    }

    /// Waits until the server answers.
    fn wait(&self) {
        let begun = Instant::now();
        while let Err(error) = self.execute("SELECT 1") {
            if begun.elapsed() > PATIENCE {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                fail(&format!("the PostgreSQL server does not start: {error}\n{log}"));
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn url(&self, database: &str) -> String {
        let folder = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://postgres@{folder}/{database}")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.alive.take());
        // Its outcome says nothing about the tests.
        let _ = self.shell.wait();
    }
}

/// Starts a server, or says loudly on the error stream that there is none and gives `None`.
///
/// # Panics
/// When there is no PostgreSQL but [`REQUIRE`] is `1`, or when the server does not start.
#[must_use]
pub fn scratch() -> Option<Cluster> {
    scratch_with(&["-F"])
}

/// Like [`scratch`], with the server's own arguments instead of `-F` (which turns `fsync` off).
///
/// # Panics
/// As [`scratch`].
#[must_use]
pub fn scratch_with(arguments: &[&str]) -> Option<Cluster> {
    match programs() {
        Some((initdb, postgres)) => Some(start(&initdb, &postgres, |_, _| {
            arguments.iter().map(|argument| (*argument).to_owned()).collect()
        })),
        None if env::var(REQUIRE).is_ok_and(|value| value == "1") => {
            fail(&format!("no initdb found, and {REQUIRE}=1"))
        }
        None => {
            notice(&format!(
                "NO POSTGRESQL FOUND: its tests are SKIPPED. Install the server, e.g. \
                 `apt-get install postgresql`; {REQUIRE}=1 makes this a failure."
            ));
            None
        }
    }
}

/// A new, empty database on a server that all tests of this process share; its URL.
///
/// `None`, with a loud notice, where PostgreSQL is not installed.
///
/// # Panics
/// As [`scratch`].
#[must_use]
pub fn fresh_database() -> Option<String> {
    static SHARED: OnceLock<Option<Cluster>> = OnceLock::new();
    SHARED.get_or_init(scratch).as_ref().map(Cluster::database)
}

/// The user and group that something is run as, where they are not ours.
type Owner = Option<(u32, u32)>;

/// Starts a server; `prepare` may put files into its folder and gives more arguments.
fn start(
    initdb: &Path,
    postgres: &Path,
    prepare: impl FnOnce(&Path, Owner) -> Vec<String>,
) -> Cluster {
    static STARTED: AtomicU32 = AtomicU32::new(0);
    let nth = STARTED.fetch_add(1, Ordering::Relaxed);
    let folder = env::temp_dir().join(format!("registrar-pg-{}-{nth}", process::id()));
    fs::create_dir_all(&folder)
        .unwrap_or_else(|error| fail(&format!("cannot create {}: {error}", folder.display())));
    let owner = give_to_server(&folder);
    let command = |program: &Path| {
        let mut command = Command::new(program);
        command.current_dir(&folder).env("LC_ALL", "C");
        if let Some((user, group)) = owner {
            command.gid(group).uid(user);
        }
        command
    };

    let made = command(initdb)
        .args(["-N", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "-D", "data"])
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| fail(&format!("cannot run initdb: {error}")));
    if !made.status.success() {
        fail(&format!("initdb failed: {}", String::from_utf8_lossy(&made.stderr)));
    }

    let arguments = prepare(&folder, owner);

    // The server runs, again after its end, as long as no file `down` is there. `cat` ends when our
    // end of the pipe closes, and with it server and folder.
    let script = r#"dir=$1; shift
        while [ ! -e over ]; do
          if [ -e down ]; then sleep 0.02; else "$@" >>log 2>&1 </dev/null; sleep 0.02; fi
        done & runs=$!
        cat; touch over
        while kill -0 $runs 2>/dev/null; do
          kill -QUIT "$(head -n 1 data/postmaster.pid)" 2>/dev/null; sleep 0.02
        done
        wait; rm -rf "$dir""#;
    let mut shell = command(Path::new("/bin/sh"))
        .args(["-c", script, "sh"])
        .args([folder.as_os_str(), postgres.as_os_str()])
        .args(["-D", "data", "-c", "listen_addresses=", "-c", "max_connections=200", "-k"])
        .arg(&folder)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| fail(&format!("cannot run sh: {error}")));
    let alive = shell.stdin.take();
    let cluster = Cluster { folder, databases: AtomicU32::new(0), alive, shell };
    cluster.wait();
    cluster
}

/// `initdb` and `postgres`, from `PATH` or where Debian keeps them (the newest version).
fn programs() -> Option<(PathBuf, PathBuf)> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = env::split_paths(&path).collect();
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    versions.sort();
    folders.extend(versions.iter().rev().map(|version| version.join("bin")));
    folders
        .iter()
        .map(|folder| (folder.join("initdb"), folder.join("postgres")))
        .find(|(initdb, postgres)| initdb.is_file() && postgres.is_file())
}

/// Gives a folder to the user that servers run as.
fn give_to_server(folder: &Path) -> Owner {
    let owner = server_user(folder);
    if let Some((user, group)) = owner {
        std::os::unix::fs::chown(folder, Some(user), Some(group))
            .unwrap_or_else(|error| fail(&format!("cannot chown {}: {error}", folder.display())));
    }
    owner
}

/// The user and group to run the server as: `postgres` when we are root, which it refuses to be.
fn server_user(ours: &Path) -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt;
    if fs::metadata(ours).map(|data| data.uid()).ok()? != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let line = users.lines().find(|line| line.starts_with("postgres:"))?;
    let mut ids = line.split(':').skip(2);
    Some((ids.next()?.parse().ok()?, ids.next()?.parse().ok()?))
}

/// Not `eprintln!`, whose text is kept back for tests that pass: a skipped test must be seen.
pub fn notice(text: &str) {
    let _ = writeln!(std::io::stderr(), "\n*** {text}\n");
}

#[expect(clippy::panic, reason = "this is the tests' own ground: to panic is to fail the test")]
fn fail(text: &str) -> ! {
    panic!("{text}")
}
