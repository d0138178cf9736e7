//! The `registrar` binary as a child process, for tests of crashes, signals and the command line.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use std::{env, thread};

use serde_json::Value;

use crate::client::{AnonymousClient, TokenClient};
use crate::raw_connection::Connection;
use crate::setup::Setup;
use crate::wait::eventually;

/// Maximum time for a process to start, to stop or to complete.
const PROCESS_TIMEOUT: Duration = Duration::from_secs(60);

/// Returns the path of the binary, built once per test process.
///
/// # Panics
/// Panics if the build fails.
#[must_use]
pub fn registrar_binary() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| build(&[]))
}

/// Returns the path of a copy built with TLS to PostgreSQL, which recompiles everything that
/// depends on libpq.
///
/// # Panics
/// Panics if the build fails.
#[must_use]
pub fn registrar_binary_with_tls() -> PathBuf {
    // The build without TLS has the same file name.
    let copy = env::temp_dir().join(format!("registrar-tls-{}", std::process::id()));
    std::fs::copy(build(&["--features", "tls"]), &copy).unwrap();
    copy
}

/// Builds with the profile and target directory of the current test binary.
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
    assert!(output.status.success(), "cannot build registrar");
    let executable = |line: &str| {
        let message: Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    };
    String::from_utf8(output.stdout).unwrap().lines().find_map(executable).unwrap()
}

/// Exit status and output of a finished process.
#[derive(Debug)]
pub struct ProcessOutput {
    /// Exit status.
    pub status: ExitStatus,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl ProcessOutput {
    /// Asserts success.
    ///
    /// # Panics
    /// Panics if the process failed.
    #[track_caller]
    pub fn success(self) -> Self {
        assert!(self.status.success(), "{self:?}");
        self
    }

    /// Asserts failure with this exit code.
    ///
    /// # Panics
    /// Panics if the exit code differs.
    #[track_caller]
    pub fn failure(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "{self:?}");
        self
    }
}

/// A running `registrar serve`, killed on drop.
#[derive(Debug)]
pub struct Process {
    child: Child,
    stdout: Arc<Mutex<String>>,
    stderr: Arc<Mutex<String>>,
    readers: Vec<thread::JoinHandle<()>>,
    /// Port that the server listens on.
    pub port: u16,
}

impl Setup {
    /// Returns a command with the database, forms and address of this setup. It runs in the
    /// directory of this setup, without the `REGISTRAR_` variables of the environment.
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

    /// Returns a command with these arguments only.
    #[must_use]
    pub fn bare_command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(registrar_binary());
        command.args(arguments).current_dir(self.folder()).stdin(Stdio::null());
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("REGISTRAR_") || name == "RUST_LOG" {
                command.env_remove(name);
            }
        }
        command
    }

    /// Runs a subcommand to completion.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> ProcessOutput {
        run_command(&mut self.command(arguments))
    }

    /// Starts `registrar serve` and waits until it listens.
    #[must_use]
    pub fn serve(&self) -> Process {
        Process::start(&mut self.command(&["serve"]))
    }

    /// Starts `registrar serve` with a limit on its address space, so that excessive allocation
    /// kills the server and not the machine.
    #[must_use]
    pub fn serve_with_memory_limit(&self, kib: u64) -> Process {
        let serve = self.command(&["serve"]);
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("ulimit -v {kib}; exec \"$0\" \"$@\""));
        shell.arg(serve.get_program()).args(serve.get_args());
        shell.current_dir(self.folder()).stdin(Stdio::null());
        for (name, value) in serve.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        Process::start(&mut shell)
    }
}

/// Runs a command to completion.
///
/// # Panics
/// Panics if the command cannot be started.
pub fn run_command(command: &mut Command) -> ProcessOutput {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    ProcessOutput { status, stdout: text(stdout), stderr: text(stderr) }
}

impl Process {
    /// Starts a server and waits until it logs its address.
    ///
    /// # Panics
    /// Panics if the server does not start.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (stdout, out) = collect(child.stdout.take().unwrap());
        let (stderr, err) = collect(child.stderr.take().unwrap());
        let mut process = Self { child, stdout, stderr, readers: vec![out, err], port: 0 };
        process.port = eventually("the server listens", PROCESS_TIMEOUT, || {
            if let Some(status) = process.child.try_wait().unwrap() {
                panic!("the server does not start: {status}: {}", process.stderr());
            }
            let said = process.stderr();
            let url = said.split_once("serving http://")?.1.split_once(' ')?.0;
            url.rsplit_once(':')?.1.parse().ok()
        });
        process
    }

    /// Returns the standard output so far.
    #[must_use]
    pub fn stdout(&self) -> String {
        self.stdout.lock().unwrap().clone()
    }

    /// Returns the standard error so far.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }

    /// Returns the token that the first start creates; standard output names its file.
    #[must_use]
    pub fn first_token(&self) -> String {
        eventually("the first start creates a token", PROCESS_TIMEOUT, || {
            let said = self.stdout();
            let file = said.lines().find(|line| line.trim().ends_with("/first-token"))?.trim();
            // The line that follows in the output guarantees that the file is complete.
            said.contains("curl").then(|| std::fs::read_to_string(file).unwrap().trim().to_owned())
        })
    }

    /// Returns a client without a token.
    #[must_use]
    pub fn anonymous(&self) -> AnonymousClient {
        AnonymousClient::new(&format!("http://127.0.0.1:{}", self.port))
    }

    /// Returns a client with a token.
    #[must_use]
    pub fn client(&self, token: &str) -> TokenClient {
        self.anonymous().with_token(token)
    }

    /// Opens a raw connection.
    #[must_use]
    pub fn connect(&self) -> Connection {
        Connection::open(self.port)
    }

    /// Returns the resident set size, in KiB.
    ///
    /// # Panics
    /// Panics if `/proc` cannot be read.
    #[must_use]
    pub fn resident_memory(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// Returns the peak resident set size since the start or the last
    /// [`reset_peak_memory`](Self::reset_peak_memory), in KiB.
    ///
    /// # Panics
    /// Panics if `/proc` cannot be read.
    #[must_use]
    pub fn peak_memory(&self) -> u64 {
        self.status("VmHWM:")
    }

    /// Resets the peak resident set size.
    ///
    /// # Panics
    /// Panics if `/proc` cannot be written.
    pub fn reset_peak_memory(&self) {
        std::fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5").unwrap();
    }

    /// Returns the CPU time of all threads, with a resolution of 10 ms.
    ///
    /// # Panics
    /// Panics if `/proc` cannot be read.
    #[must_use]
    pub fn cpu_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        // The process name may contain spaces. After it, state is field 3; utime and stime are 14
        // and 15.
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let ticks = fields.split(' ').skip(11).take(2);
        let ticks: u64 = ticks.map(|ticks| ticks.parse::<u64>().unwrap()).sum();
        Duration::from_millis(ticks * 10)
    }

    fn status(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// Kills the process with SIGKILL.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends SIGTERM, which starts a graceful shutdown.
    pub fn send_sigterm(&self) {
        self.signal("-TERM");
    }

    /// Sends SIGHUP, which reloads the forms.
    pub fn send_sighup(&self) {
        self.signal("-HUP");
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Waits for the process to exit.
    ///
    /// # Panics
    /// Panics if it does not exit in time.
    #[must_use]
    pub fn wait_for_exit(mut self) -> ProcessOutput {
        let status =
            eventually("the server exits", PROCESS_TIMEOUT, || self.child.try_wait().unwrap());
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        ProcessOutput { status, stdout: self.stdout(), stderr: self.stderr() }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The process may have exited already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Collects the output of a process line by line in a thread.
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
