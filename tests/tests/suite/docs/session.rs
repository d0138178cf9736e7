//! Runs the commands of a page in one bash session.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use registrar_tests::{TempDir, registrar_binary, repository_path};

use super::matching::matches;
use super::page::{Page, Step};

/// Address of the server in the documentation.
const DOCUMENTED: &str = "127.0.0.1:8080";
/// Maximum time of a command, and of the start of a server.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Time until changed forms are served: the files must be unchanged for 100 ms.
const RELOAD_TIME: Duration = Duration::from_millis(600);
/// Printed after each command.
const END: &str = "--end-of-command--";

/// A bash session in a folder of its own. Its processes end when it is dropped.
pub(super) struct Session {
    bash: Child,
    input: ChildStdin,
    output: Receiver<String>,
    folder: TempDir,
    /// Address of the server that the page starts.
    address: String,
    servers: usize,
}

impl Session {
    pub(super) fn start(page: &Page, database_url: Option<&str>) -> Self {
        let folder = TempDir::new();
        if page.needs_repository {
            for name in ["forms", "examples"] {
                let from = repository_path(name);
                let copied = Command::new("cp").arg("-r").arg(from).arg(folder.path()).status();
                assert!(copied.unwrap().success());
            }
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let path = format!(
            "{}:{}",
            registrar_binary().parent().unwrap().display(),
            env::var("PATH").unwrap_or_default()
        );
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc"]).current_dir(folder.path());
        command.env("PATH", path).env("REGISTRAR_LISTEN", &address).env("NO_COLOR", "1");
        command.env("HOME", folder.path()).env("COLUMNS", "200");
        if let Some(url) = database_url {
            command.env("REGISTRAR_DATABASE_URL", url);
        }
        let mut bash = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (sender, output) = channel();
        let lines = BufReader::new(bash.stdout.take().unwrap()).lines();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let input = bash.stdin.take().unwrap();
        let mut session = Self { bash, input, output, folder, address, servers: 0 };
        session.execute("exec 2>&1");
        session
    }

    /// Runs all steps and returns a description of each output that differs from the page.
    pub(super) fn run(&mut self, page: &Page) -> Vec<String> {
        let mut differences = Vec::new();
        for step in &page.steps {
            match step {
                Step::File { path, text } => {
                    self.folder.write(path, text);
                    self.wait_for_reload();
                }
                Step::Command { line, text, expected } => {
                    let actual = self.command(text).replace(&self.address, DOCUMENTED);
                    let lines: Vec<&str> = actual.lines().collect();
                    if !matches(expected, &lines) {
                        let mut difference = format!("line {line}: $ {text}\n  expected:\n");
                        for line in expected {
                            let _ = writeln!(difference, "    {line}");
                        }
                        let _ = writeln!(difference, "  got:");
                        for line in lines {
                            let _ = writeln!(difference, "    {line}");
                        }
                        differences.push(difference);
                    }
                }
            }
        }
        differences
    }

    fn command(&mut self, text: &str) -> String {
        let text = text.replace(DOCUMENTED, &self.address).replace("cargo run --", "registrar");
        let text = text.replace("cargo run", "registrar serve");
        if text.starts_with("registrar serve") {
            return self.serve(&text);
        }
        if let Some(name) = text.strip_prefix("export ").and_then(|it| it.strip_suffix("=reg_…"))
        {
            return match self.printed_token() {
                Some(token) => self.execute(&format!("export {name}={token}")),
                None => format!("(the server printed no token)\n{}", self.log()),
            };
        }
        let output = self.execute(&text);
        if text.contains("forms") {
            self.wait_for_reload();
        }
        output
    }

    fn wait_for_reload(&self) {
        if self.servers > 0 {
            thread::sleep(RELOAD_TIME);
        }
    }

    fn execute(&mut self, text: &str) -> String {
        writeln!(self.input, "{text}\nprintf '\\n%s\\n' {END}").unwrap();
        let mut output = String::new();
        loop {
            match self.output.recv_timeout(TIMEOUT) {
                Ok(line) if line == END => break,
                Ok(line) => {
                    output.push_str(&line);
                    output.push('\n');
                }
                Err(_) => {
                    output.push_str("(the command does not end)");
                    break;
                }
            }
        }
        output.trim_end().to_owned()
    }

    fn log(&self) -> String {
        let log = self.folder.path().join(format!(".server-{}.log", self.servers));
        fs::read_to_string(log).unwrap_or_default().replace('\r', "")
    }

    /// Starts a server in the background, on a terminal, in place of the one before.
    fn serve(&mut self, command: &str) -> String {
        if self.servers > 0 {
            self.execute("kill %%; wait");
        }
        self.servers += 1;
        let quoted = command.replace('\'', "'\\''");
        let nth = self.servers;
        self.execute(&format!(
            "script -qefc '{quoted}' .server-{nth}.log > /dev/null < /dev/null &"
        ));
        let begun = Instant::now();
        let live = format!("http://{}/health/live", self.address);
        while begun.elapsed() < TIMEOUT {
            thread::sleep(Duration::from_millis(100));
            if ureq::get(&live).call().is_ok() {
                break;
            }
        }
        thread::sleep(Duration::from_millis(100));
        let log = self.log();
        // The first and last lines are written by `script`.
        let is_own = |line: &&str| !line.starts_with("Script ");
        let lines = log.lines().filter(is_own).collect::<Vec<_>>().join("\n");
        lines.trim_end().to_owned()
    }

    /// Returns the token that the server printed on its first start.
    fn printed_token(&self) -> Option<String> {
        let log = self.log();
        let (_, rest) = log.split_once("reg_")?;
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        Some(format!("reg_{}", &rest[..end]))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = writeln!(self.input, "kill $(jobs -p); wait; exit");
        thread::sleep(Duration::from_millis(50));
        let _ = self.bash.kill();
        let _ = self.bash.wait();
    }
}
