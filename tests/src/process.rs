//! The `registrar` program as a process of its own: for what must survive its death, for signals,
//! and for the command line.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use std::{env, thread};

use serde_json::Value;

use crate::client::{Anonymous, WithToken};
use crate::raw::Connection;
use crate::setup::Setup;
use crate::wait::eventually;

/// How long a process may take to start, to stop, or to do its work.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program, built once for each test process.
///
/// # Panics
/// When it cannot be built.
#[must_use]
pub fn registrar() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| build(&[]))
}

/// A copy of the program built with TLS to PostgreSQL, for which everything that uses libpq is built once
/// more.
///
/// # Panics
/// When it cannot be built.
#[must_use]
pub fn registrar_with_tls() -> PathBuf {
    // The plain one has the same name.
    let copy = env::temp_dir().join(format!("registrar-tls-{}", std::process::id()));
    std::fs::copy(build(&["--features", "tls"]), &copy).unwrap();
    copy
}

/// Builds into the target folder and with the profile that this test itself was built with.
fn build(more: &[&str]) -> PathBuf {
    let test = env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let target = profile.ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists()).unwrap();
    let name = match profile.file_name().unwrap().to_str().unwrap() {
        "debug" => "dev",
        other => other,
    };
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--quiet", "--package", "registrar-cli", "--bin", "registrar"])
        .args(["--message-format", "json-render-diagnostics", "--profile", name])
        .arg("--target-dir")
        .arg(target)
        .args(more)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "registrar cannot be built");
    let executable = |line: &str| {
        let message: Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    };
    String::from_utf8(output.stdout).unwrap().lines().find_map(executable).unwrap()
}

/// What a process that ended said.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Finished {
    /// It succeeded.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    pub fn success(self) -> Self {
        assert!(self.status.success(), "{self:?}");
        self
    }

    /// It failed with this exit code.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    pub fn failure(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "{self:?}");
        self
    }
}

/// A running `registrar serve`. It is killed when this is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    stdout: Arc<Mutex<String>>,
    stderr: Arc<Mutex<String>>,
    readers: Vec<thread::JoinHandle<()>>,
    /// The port it listens on.
    pub port: u16,
}

impl Setup {
    /// The program with this setup's database, forms and port, to which more may be added. It
    /// runs in this setup's own folder and sees no settings of whoever runs the tests.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.bare_command(arguments);
        let settings = &self.settings;
        command.args(["--listen", &settings.listen, "--database-url", &settings.database_url]);
        for folder in &settings.forms {
            command.arg("--forms").arg(folder);
        }
        command
    }

    /// The program with these arguments alone.
    #[must_use]
    pub fn bare_command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(registrar());
        command.args(arguments).current_dir(self.folder()).stdin(Stdio::null());
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("REGISTRAR_") || name == "RUST_LOG" {
                command.env_remove(name);
            }
        }
        command
    }

    /// Runs a command to its end.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Finished {
        finish(&mut self.command(arguments))
    }

    /// Starts `registrar serve` and waits until it listens.
    #[must_use]
    pub fn serve(&self) -> Process {
        Process::start(&mut self.command(&["serve"]))
    }
}

/// Runs a command to its end.
///
/// # Panics
/// When it cannot be started.
pub fn finish(command: &mut Command) -> Finished {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Finished { status, stdout: text(stdout), stderr: text(stderr) }
}

impl Process {
    /// Starts a server and waits until it says where it listens.
    ///
    /// # Panics
    /// When it does not.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (stdout, out) = collect(child.stdout.take().unwrap());
        let (stderr, err) = collect(child.stderr.take().unwrap());
        let mut process = Self { child, stdout, stderr, readers: vec![out, err], port: 0 };
        process.port = eventually("the server listens", PATIENCE, || {
            if let Some(status) = process.child.try_wait().unwrap() {
                panic!("the server does not start: {status}: {}", process.stderr());
            }
            let said = process.stderr();
            let url = said.split_once("serving http://")?.1.split_once(' ')?.0;
            url.rsplit_once(':')?.1.parse().ok()
        });
        process
    }

    /// What it printed to standard output so far.
    #[must_use]
    pub fn stdout(&self) -> String {
        self.stdout.lock().unwrap().clone()
    }

    /// What it printed to standard error so far.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }

    /// The token that it prints at its very first start.
    #[must_use]
    pub fn first_token(&self) -> String {
        eventually("the first start prints a token", PATIENCE, || {
            let said = self.stdout();
            let line = said.lines().find(|line| line.trim().starts_with("reg_"))?;
            // The line behind it shows that it is whole.
            said.contains("curl").then(|| line.trim().to_owned())
        })
    }

    /// A client without a token.
    #[must_use]
    pub fn anonymous(&self) -> Anonymous {
        Anonymous::new(&format!("http://127.0.0.1:{}", self.port))
    }

    /// A client with a token.
    #[must_use]
    pub fn client(&self, token: &str) -> WithToken {
        self.anonymous().with_token(token)
    }

    /// A connection without a client library.
    #[must_use]
    pub fn connect(&self) -> Connection {
        Connection::open(self.port)
    }

    /// The memory that it has now (its resident set), in KiB.
    ///
    /// # Panics
    /// When the system does not tell.
    #[must_use]
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// Kills it as `kill -9` does: it notices nothing.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, as `kill -TERM` does.
    pub fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Tells it to read its forms again, as `kill -HUP` does.
    pub fn hang_up(&self) {
        self.signal("-HUP");
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Waits until it has ended by itself.
    ///
    /// # Panics
    /// When it does not end in time.
    #[must_use]
    pub fn finished(mut self) -> Finished {
        let status = eventually("the server ends", PATIENCE, || self.child.try_wait().unwrap());
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        Finished { status, stdout: self.stdout(), stderr: self.stderr() }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads what a process prints, line by line, as it comes.
fn collect(stream: impl Read + Send + 'static) -> (Arc<Mutex<String>>, thread::JoinHandle<()>) {
    let collected = Arc::new(Mutex::new(String::new()));
    let into = Arc::clone(&collected);
    let reader = thread::spawn(move || {
        let mut lines = BufReader::new(stream);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            into.lock().unwrap().push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
    });
    (collected, reader)
}
