//! Server under test as a child process that does not outlive the runner.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use super::Outcome;

/// Maximum time for a server to start, and to stop.
const PROCESS_TIMEOUT: Duration = Duration::from_secs(60);

/// The shell starts the server, prints its process id, and stops it when the pipe closes, even if
/// the runner crashes.
const SUPERVISOR_SCRIPT: &str = r#"trap '' INT; log=$1; shift; "$@" >"$log" 2>&1 </dev/null & echo $!; cat; kill -TERM $!; wait $!"#;

/// A running server.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) pid: u32,
    pub(super) address: SocketAddr,
    pub(super) token: String,
    /// Working directory of the server and directory of request bodies.
    pub(super) folder: PathBuf,
    /// Time from the start to the first accepted connection.
    pub(super) started_in: Duration,
    stop_pipe: Option<ChildStdin>,
    shell: Child,
}

impl Server {
    /// Starts a server in a directory; `arguments` returns its command line for an address.
    pub(super) fn start(
        folder: &Path,
        token: String,
        arguments: impl FnOnce(SocketAddr) -> Vec<OsString>,
    ) -> Outcome<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let arguments = arguments(address);
        let log = folder.join(format!("server-{}.log", address.port()));
        let started = Instant::now();
        let mut shell = quiet("/bin/sh")
            .args(["-c", SUPERVISOR_SCRIPT, "sh"])
            .arg(&log)
            .args(&arguments)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let stop_pipe = shell.stdin.take();
        let mut pid_line = String::new();
        let stdout = shell.stdout.take().ok_or("the shell has no output")?;
        BufReader::new(stdout).read_line(&mut pid_line)?;
        let pid = pid_line.trim().parse()?;
        let mut server = Self {
            pid,
            address,
            token,
            folder: folder.to_owned(),
            started_in: Duration::ZERO,
            stop_pipe,
            shell,
        };
        while TcpStream::connect(address).is_err() {
            let is_running = Path::new(&format!("/proc/{pid}/exe")).exists();
            if !is_running || started.elapsed() > PROCESS_TIMEOUT {
                let output = fs::read_to_string(&log).unwrap_or_default();
                return Err(format!("{} does not start: {output}", arguments[0].display()).into());
            }
            thread::sleep(Duration::from_micros(500));
        }
        server.started_in = started.elapsed();
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop_pipe.take());
        let started = Instant::now();
        // The exit status of the server does not affect the measurement.
        while let Ok(None) = self.shell.try_wait() {
            if started.elapsed() > PROCESS_TIMEOUT {
                let _ = Command::new("kill").args(["-KILL", &self.pid.to_string()]).status();
                let _ = self.shell.wait();
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Returns a command without the `REGISTRAR_` variables of the environment and without an access
/// log.
pub(super) fn quiet(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("REGISTRAR_") {
            command.env_remove(name);
        }
    }
    command.env("RUST_LOG", "warn");
    command
}
