//! A pgbouncer in front of a temporary server.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;
use std::{env, process, thread, time::Duration};

use diesel::{Connection, PgConnection};

use crate::{Cluster, REQUIRE_POSTGRES, START_TIMEOUT, fail, give_to_server, print_notice};

/// A running pgbouncer with `pool_mode = transaction`, stopped on drop.
#[derive(Debug)]
pub struct PgBouncer {
    folder: PathBuf,
    child: Child,
}

impl PgBouncer {
    /// Starts a pgbouncer with this number of server connections and additional lines of
    /// configuration. Prints a notice and returns `None` if pgbouncer is not installed.
    ///
    /// # Panics
    /// Panics if pgbouncer is not installed and [`REQUIRE_POSTGRES`] is `1`, or if it does not start.
    #[must_use]
    pub fn start(before: &Cluster, connections: u32, more: &str) -> Option<Self> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let Some(program) = program() else {
            if env::var(REQUIRE_POSTGRES).is_ok_and(|value| value == "1") {
                fail(&format!("no pgbouncer found, and {REQUIRE_POSTGRES}=1"));
            }
            print_notice("NO PGBOUNCER FOUND: its tests are SKIPPED. `apt-get install pgbouncer`.");
            return None;
        };
        let nth = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("registrar-pool-{}-{nth}", process::id()));
        fs::create_dir_all(&folder)
            .unwrap_or_else(|error| fail(&format!("cannot create a folder: {error}")));
        let owner = give_to_server(&folder);
        let (server, ours) = (before.folder.display(), folder.display());
        let settings = format!(
            "[databases]\n* = host={server} port=5432 user=postgres\n[pgbouncer]\n\
             listen_addr =\nunix_socket_dir = {ours}\nlisten_port = 5432\nauth_type = any\n\
             pool_mode = transaction\ndefault_pool_size = {connections}\n\
             server_round_robin = 1\nlogfile = {ours}/log\npidfile = {ours}/pid\n{more}\n"
        );
        fs::write(folder.join("pgbouncer.ini"), settings)
            .unwrap_or_else(|error| fail(&format!("cannot write a file: {error}")));
        let mut command = Command::new(program);
        if let Some((user, group)) = owner {
            command.gid(group).uid(user);
        }
        let child = command
            .arg(folder.join("pgbouncer.ini"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| fail(&format!("cannot run pgbouncer: {error}")));
        let mut pooler = Self { folder, child };
        pooler.wait();
        Some(pooler)
    }

    /// Returns true if the installed version supports prepared statements in transaction mode (1.21
    /// and later).
    #[must_use]
    pub fn supports_prepared_statements() -> bool {
        let said =
            program().and_then(|program| Command::new(program).arg("--version").output().ok());
        let said = said.map(|said| String::from_utf8_lossy(&said.stdout).into_owned());
        let version = said.as_deref().and_then(|said| said.lines().next()?.split(' ').nth(1));
        let mut numbers = version.unwrap_or_default().split('.').map(|part| part.parse::<u32>());
        let version = (numbers.next(), numbers.next());
        matches!(version, (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= (1, 21))
    }

    /// Returns the URL through pgbouncer for the direct URL of a database.
    ///
    /// # Panics
    /// Panics if `direct` is not a URL.
    #[must_use]
    pub fn url(&self, direct: &str) -> String {
        let name = direct.rsplit_once('/').map_or_else(|| fail("no URL"), |(_, name)| name);
        let folder = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://postgres@{folder}/{name}")
    }

    fn wait(&mut self) {
        let started = Instant::now();
        while let Err(error) = PgConnection::establish(&self.url("/postgres")) {
            if started.elapsed() > START_TIMEOUT
                || self.child.try_wait().is_ok_and(|end| end.is_some())
            {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                fail(&format!("pgbouncer does not start: {error}\n{log}"));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Returns the path of pgbouncer: `REGISTRAR_PGBOUNCER`, or the system's.
fn program() -> Option<PathBuf> {
    let chosen = env::var_os("REGISTRAR_PGBOUNCER").map(PathBuf::from);
    let locations = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"];
    chosen.or_else(|| locations.into_iter().map(PathBuf::from).find(|program| program.is_file()))
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        // Errors during cleanup do not invalidate the test.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
