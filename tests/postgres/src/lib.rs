//! Temporary PostgreSQL servers for tests: started from the system's `initdb` and `postgres`, on a
//! Unix socket, and removed with their files when the test process ends, even if it crashes.
//!
//! For tests only: no durability (`fsync` off), no passwords. Depends on no other crate of
//! Registrar, so that all of them can use it.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

mod pgbouncer;
mod tls;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};

pub use pgbouncer::PgBouncer;
pub use tls::{REQUIRE_TLS, TlsCluster};

/// Environment variable: with the value `1`, tests fail instead of being skipped if PostgreSQL is
/// not installed.
pub const REQUIRE_POSTGRES: &str = "REGISTRAR_REQUIRE_POSTGRES";

/// Maximum time for a server to start.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// A running server, stopped on drop or at the end of the process.
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    databases: AtomicU32,
    // Standard input of the supervising shell; closing it stops the server.
    stop_pipe: Option<ChildStdin>,
    shell: Child,
}

impl Cluster {
    /// Creates a new, empty database and returns its URL.
    ///
    /// # Panics
    /// Panics if the database cannot be created.
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
    /// Returns an error with the message of the server if a statement fails.
    pub fn execute(&self, sql: &str) -> Result<(), String> {
        let mut connection = PgConnection::establish(&self.url("postgres"))
            .map_err(|error| format!("cannot connect: {error}"))?;
        connection.batch_execute(sql).map_err(|error| error.to_string())
    }

    /// Kills the server with SIGKILL. It stays down until [`restart`](Self::restart).
    ///
    /// # Panics
    /// Panics if the server cannot be killed.
    pub fn kill(&self) {
        let file = self.folder.join("data/postmaster.pid");
        let known = fs::read_to_string(&file).unwrap_or_default();
        let id = known.lines().next().unwrap_or_default();
        fs::write(self.folder.join("down"), "")
            .unwrap_or_else(|error| fail(&format!("cannot write a file: {error}")));
        let killed = Command::new("kill").args(["-KILL", id]).status();
        if !killed.is_ok_and(|status| status.success()) {
            fail("cannot kill the PostgreSQL server");
        }
        while Path::new(&format!("/proc/{id}/exe")).exists() {
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Restarts a killed server and waits until it accepts connections.
    ///
    /// # Panics
    /// Panics if the server does not start.
    pub fn restart(&self) {
        // Absent if the server was not killed.
        let _ = fs::remove_file(self.folder.join("down"));
        self.wait();
    }

    /// Waits until the server accepts connections.
    fn wait(&self) {
        let started = Instant::now();
        while let Err(error) = self.execute("SELECT 1") {
            if started.elapsed() > START_TIMEOUT {
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
        drop(self.stop_pipe.take());
        // The exit status of the shell does not matter.
        let _ = self.shell.wait();
    }
}

/// Starts a server. Prints a notice and returns `None` if PostgreSQL is not installed.
///
/// # Panics
/// Panics if PostgreSQL is not installed and [`REQUIRE_POSTGRES`] is `1`, or if the server does not start.
#[must_use]
pub fn scratch() -> Option<Cluster> {
    scratch_with(&["-F"])
}

/// Starts a server with these arguments instead of `-F`, which turns `fsync` off.
///
/// # Panics
/// Panics under the conditions of [`scratch`].
#[must_use]
pub fn scratch_with(arguments: &[&str]) -> Option<Cluster> {
    match programs() {
        Some((initdb, postgres)) => Some(start(&initdb, &postgres, |_, _| {
            arguments.iter().map(|argument| (*argument).to_owned()).collect()
        })),
        None if env::var(REQUIRE_POSTGRES).is_ok_and(|value| value == "1") => {
            fail(&format!("no initdb found, and {REQUIRE_POSTGRES}=1"))
        }
        None => {
            print_notice(&format!(
                "NO POSTGRESQL FOUND: its tests are SKIPPED. Install the server, e.g. \
                 `apt-get install postgresql`; {REQUIRE_POSTGRES}=1 makes this a failure."
            ));
            None
        }
    }
}

/// Returns the URL of a new, empty database on a server shared by all tests of the process.
///
/// Prints a notice and returns `None` if PostgreSQL is not installed.
///
/// # Panics
/// Panics under the conditions of [`scratch`].
#[must_use]
pub fn fresh_database() -> Option<String> {
    static SHARED: OnceLock<Option<Cluster>> = OnceLock::new();
    SHARED.get_or_init(scratch).as_ref().map(Cluster::database)
}

/// User and group ids of child processes, if they differ from those of the test process.
type Owner = Option<(u32, u32)>;

/// Starts a server. `prepare` may add files to its directory and returns further arguments.
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

    // The loop restarts the server unless the file `down` exists. `cat` ends when the pipe closes,
    // which stops the server and removes the directory.
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
    let stop_pipe = shell.stdin.take();
    let cluster = Cluster { folder, databases: AtomicU32::new(0), stop_pipe, shell };
    cluster.wait();
    cluster
}

/// Returns the paths of `initdb` and `postgres`, from `PATH` or from Debian's directory of the
/// newest version.
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

/// Changes the owner of a directory to the user that runs the server.
fn give_to_server(folder: &Path) -> Owner {
    let owner = server_user(folder);
    if let Some((user, group)) = owner {
        std::os::unix::fs::chown(folder, Some(user), Some(group))
            .unwrap_or_else(|error| fail(&format!("cannot chown {}: {error}", folder.display())));
    }
    owner
}

/// Returns the ids of the user `postgres` if the test process runs as root, which PostgreSQL
/// refuses.
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

/// Prints a notice to standard error. Unlike `eprintln!`, its output is shown for passing tests
/// too, so that skipped tests are visible.
pub fn print_notice(text: &str) {
    let _ = writeln!(std::io::stderr(), "\n*** {text}\n");
}

#[expect(clippy::panic, reason = "a panic fails the test")]
fn fail(text: &str) -> ! {
    panic!("{text}")
}
