//! How a server of the tests is to be: its database, its forms, its settings.

use std::path::{Path, PathBuf};

use registrar_server::settings::Settings;

use crate::database::{Database, Direct};
use crate::folder::{Folder, repository};
use crate::proxy::{Proxy, Upstream};

/// What a server is started with. It owns the database: servers may come and go on it.
#[derive(Debug)]
pub struct Setup {
    /// The settings; every one may be changed.
    pub settings: Settings,
    /// Where the database is, when something stands between it and the server.
    direct_url: Option<String>,
    folders: Vec<Folder>,
}

impl Setup {
    /// A new, empty database, the forms of the repository, and few threads.
    ///
    /// `None`, after a loud notice, where the database is not installed.
    #[must_use]
    pub fn of(database: Database) -> Option<Self> {
        let folder = Folder::new();
        let database_url = match database {
            Database::Sqlite => format!("sqlite:{}", folder.path().join("registrar.db").display()),
            Database::Postgres => registrar_scratch_postgres::fresh_database()?,
        };
        Some(Self { folders: vec![folder], ..Self::at(database_url) })
    }

    /// The same on the database of this URL.
    #[must_use]
    pub fn at(database_url: String) -> Self {
        let settings = Settings {
            listen: "127.0.0.1:0".to_owned(),
            database_url,
            forms: vec![repository("forms")],
            readers: 2,
            workers: 1,
            hash_threads: 1,
            ..Settings::default()
        };
        Self { settings, direct_url: None, folders: vec![Folder::new()] }
    }

    /// With a proxy between the server and its PostgreSQL, whose URL must be one of a socket.
    ///
    /// # Panics
    /// When it is none.
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

    /// With a folder of these forms and types instead of the repository's.
    #[must_use]
    pub fn forms(mut self, files: &[(&str, &str)]) -> Self {
        let folder = Folder::of(files);
        self.settings.forms = vec![folder.path().to_owned()];
        self.folders.push(folder);
        self
    }

    /// With a folder of these forms and types beside the others.
    #[must_use]
    pub fn more_forms(mut self, files: &[(&str, &str)]) -> Self {
        let folder = Folder::of(files);
        self.settings.forms.push(folder.path().to_owned());
        self.folders.push(folder);
        self
    }

    /// With one form named `form`.
    #[must_use]
    pub fn form(self, fields: &str) -> Self {
        let indented = fields.trim_matches('\n').replace('\n', "\n  ");
        self.forms(&[("form.yml", &format!("resource: User\nfields:\n  {indented}\n"))])
    }

    /// With other settings.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// With whatever that changes.
    #[must_use]
    pub fn with_all(self, change: impl FnOnce(Self) -> Self) -> Self {
        change(self)
    }

    /// A look into the database past the server.
    #[must_use]
    pub fn direct(&self) -> Direct<'_> {
        Direct(self.direct_url.as_ref().unwrap_or(&self.settings.database_url))
    }

    /// A folder of its own, for what else it needs.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.folders[0].path().to_owned()
    }
}
