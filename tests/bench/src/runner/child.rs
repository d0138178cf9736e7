//! A server as a child process, which never outlives the runner.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use super::Outcome;

/// How long a server may take to start, and to stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// The shell starts the server, tells its id, and stops it when our end of the pipe closes: in
/// whatever way the runner ends.
const SUPERVISE: &str = r#"trap '' INT; log=$1; shift; "$@" >"$log" 2>&1 </dev/null & echo $!; cat; kill -TERM $!; wait $!"#;

/// A running server.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) pid: u32,
    pub(super) address: SocketAddr,
    pub(super) token: String,
    /// Where it runs, and what is sent to it lies.
    pub(super) folder: PathBuf,
    /// From its start to the first connection it took.
    pub(super) started_in: Duration,
    alive: Option<ChildStdin>,
    shell: Child,
}

impl Server {
    /// Starts a server in a folder; `arguments` gives its command line for an address.
    pub(super) fn start(
        folder: &Path,
        token: String,
        arguments: impl FnOnce(SocketAddr) -> Vec<OsString>,
    ) -> Outcome<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let arguments = arguments(address);
        let log = folder.join(format!("server-{}.log", address.port()));
        let begun = Instant::now();
        let mut shell = quiet("/bin/sh")
            .args(["-c", SUPERVISE, "sh"])
            .arg(&log)
            .args(&arguments)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let alive = shell.stdin.take();
        let mut told = String::new();
        let stdout = shell.stdout.take().ok_or("the shell has no output")?;
        BufReader::new(stdout).read_line(&mut told)?;
        let pid = told.trim().parse()?;
        let mut server = Self {
            pid,
            address,
            token,
            folder: folder.to_owned(),
            started_in: Duration::ZERO,
            alive,
            shell,
        };
        while TcpStream::connect(address).is_err() {
            let is_running = Path::new(&format!("/proc/{pid}/exe")).exists();
            if !is_running || begun.elapsed() > PATIENCE {
                let said = fs::read_to_string(&log).unwrap_or_default();
                return Err(format!("{} does not start: {said}", arguments[0].display()).into());
            }
            thread::sleep(Duration::from_micros(500));
        }
        server.started_in = begun.elapsed();
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.alive.take());
        let begun = Instant::now();
        // How it ends says nothing about what was measured.
        while let Ok(None) = self.shell.try_wait() {
            if begun.elapsed() > PATIENCE {
                let _ = Command::new("kill").args(["-KILL", &self.pid.to_string()]).status();
                let _ = self.shell.wait();
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// A command without our environment's settings for Registrar, and without a line for each request.
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
