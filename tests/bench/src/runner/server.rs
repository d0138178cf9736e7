//! Starts the servers under test.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;

use super::child::{Server, quiet};
use super::database::Database;
use super::{Bench, Outcome};

/// A server under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ServerKind {
    Registrar,
    /// Handwritten, with group commit.
    Group,
    /// Handwritten, with a transaction per request.
    Each,
}

impl ServerKind {
    pub(super) const ALL: [Self; 3] = [Self::Registrar, Self::Group, Self::Each];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Registrar => "Registrar",
            Self::Group => "by hand, group commit",
            Self::Each => "by hand, a transaction each",
        }
    }
}

impl Bench {
    /// Starts a server on a database.
    pub(super) fn start(&self, who: ServerKind, database: &Database<'_>) -> Outcome<Server> {
        match who {
            ServerKind::Registrar => {
                let token = self.token(database)?;
                self.registrar(database, token, &self.programs.forms)
            }
            ServerKind::Group => self.start_handwritten(database, "group"),
            ServerKind::Each => self.start_handwritten(database, "each"),
        }
    }

    /// Creates a token with Registrar's own command.
    pub(super) fn token(&self, database: &Database<'_>) -> Outcome<String> {
        let output = quiet(&self.programs.registrar)
            .args(["token", "create", "bench", "--database-url", &database.url])
            .current_dir(&self.databases.folder)
            .output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("registrar makes no token: {said}").into());
        }
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// Starts Registrar with a forms directory.
    pub(super) fn registrar(
        &self,
        database: &Database<'_>,
        token: String,
        forms: &Path,
    ) -> Outcome<Server> {
        Server::start(&self.databases.folder, token, |address| {
            let mut arguments =
                server_arguments(self.programs.registrar.as_os_str(), address, database);
            arguments.extend(["--forms".into(), forms.into()]);
            arguments
        })
    }

    /// Starts Registrar with the shipped forms and additional arguments.
    pub(super) fn start_with(&self, database: &Database<'_>, more: &[&str]) -> Outcome<Server> {
        let token = self.token(database)?;
        Server::start(&self.databases.folder, token, |address| {
            let mut arguments =
                server_arguments(self.programs.registrar.as_os_str(), address, database);
            arguments.extend(["--forms".into(), self.programs.forms.as_os_str().to_owned()]);
            arguments.extend(more.iter().map(Into::into));
            arguments
        })
    }

    fn start_handwritten(&self, database: &Database<'_>, commit: &str) -> Outcome<Server> {
        // Common pool sizes: larger if the database supports concurrent writers.
        let connections = if database.url.starts_with("sqlite:") { "4" } else { "8" };
        let token = "bench".to_owned();
        Server::start(&self.databases.folder, token, |address| {
            let mut arguments =
                server_arguments(self.programs.handwritten.as_os_str(), address, database);
            for argument in ["--token", "bench", "--commit", commit, "--connections", connections] {
                arguments.push(argument.into());
            }
            arguments
        })
    }
}

fn server_arguments(
    program: &std::ffi::OsStr,
    address: SocketAddr,
    database: &Database<'_>,
) -> Vec<OsString> {
    vec![
        program.to_owned(),
        "--database-url".into(),
        (&database.url).into(),
        "--listen".into(),
        address.to_string().into(),
    ]
}
