//! Configuration of a test server: database, forms and settings.

use std::path::{Path, PathBuf};

use registrar_server::settings::Settings;

use crate::database::{Database, DirectDatabase};
use crate::proxy::{Proxy, Upstream};
use crate::temp_dir::{TempDir, repository_path};

/// Configuration of a server. It owns the database, so that servers can be restarted on it.
#[derive(Debug)]
pub struct Setup {
    /// The settings, open to change.
    pub settings: Settings,
    /// URL of the database if the server connects through a proxy.
    direct_url: Option<String>,
    folders: Vec<TempDir>,
}

impl Setup {
    /// A new, empty database, the forms of the repository and few threads.
    ///
    /// Prints a notice and returns `None` if the database is not installed.
    #[must_use]
    pub fn of(database: Database) -> Option<Self> {
        let folder = TempDir::new();
        let database_url = match database {
            Database::Sqlite => format!("sqlite:{}", folder.path().join("registrar.db").display()),
            Database::Postgres => registrar_scratch_postgres::fresh_database()?,
        };
        Some(Self { folders: vec![folder], ..Self::at(database_url) })
    }

    /// A configuration for an existing database.
    #[must_use]
    pub fn at(database_url: String) -> Self {
        let settings = Settings {
            listen: "127.0.0.1:0".to_owned(),
            database_url,
            forms: vec![repository_path("forms")],
            readers: 2,
            workers: 1,
            hash_threads: 1,
            ..Settings::default()
        };
        Self { settings, direct_url: None, folders: vec![TempDir::new()] }
    }

    /// Puts a proxy between the server and its PostgreSQL, which must be on a Unix socket.
    ///
    /// # Panics
    /// Panics if the URL does not name a socket.
    #[must_use]
    pub fn through_proxy(mut self) -> (Self, Proxy) {
        let url = self.settings.database_url;
        let (folder, name) = url.rsplit_once('/').unwrap();
        let folder = folder.strip_prefix("postgres://postgres@").unwrap().replace("%2F", "/");
        let proxy = Proxy::start(Upstream::Socket(Path::new(&folder).join(".s.PGSQL.5432")));
        self.settings.database_url = format!("postgres://postgres@127.0.0.1:{}/{name}", proxy.port);
        self.direct_url = Some(url);
        (self, proxy)
    }

    /// Replaces the forms directory by one with these files.
    #[must_use]
    pub fn forms(mut self, files: &[(&str, &str)]) -> Self {
        let folder = TempDir::of(files);
        self.settings.forms = vec![folder.path().to_owned()];
        self.folders.push(folder);
        self
    }

    /// Adds a forms directory with these files.
    #[must_use]
    pub fn more_forms(mut self, files: &[(&str, &str)]) -> Self {
        let folder = TempDir::of(files);
        self.settings.forms.push(folder.path().to_owned());
        self.folders.push(folder);
        self
    }

    /// Replaces the forms directory by one with a single form named `form`.
    #[must_use]
    pub fn form(self, fields: &str) -> Self {
        let indented = fields.trim_matches('\n').replace('\n', "\n  ");
        self.forms(&[("form.yml", &format!("resource: User\nfields:\n  {indented}\n"))])
    }

    /// Changes the settings.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// Applies a function to the configuration.
    #[must_use]
    pub fn transform(self, change: impl FnOnce(Self) -> Self) -> Self {
        change(self)
    }

    /// Returns direct access to the database.
    #[must_use]
    pub fn database(&self) -> DirectDatabase<'_> {
        DirectDatabase(self.direct_url.as_ref().unwrap_or(&self.settings.database_url))
    }

    /// Returns a directory for additional files.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.folders[0].path().to_owned()
    }
}
