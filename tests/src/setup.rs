//! How a server of the tests is to be: its database, its forms, its settings.

use std::path::PathBuf;

use registrar_server::settings::Settings;

use crate::database::{Database, Direct};
use crate::folder::{Folder, repository};

/// What a server is started with. It owns the database: servers may come and go on it.
#[derive(Debug)]
pub struct Setup {
    /// The settings; every one may be changed.
    pub settings: Settings,
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
        let settings = Settings {
            listen: "127.0.0.1:0".to_owned(),
            database_url,
            forms: vec![repository("forms")],
            readers: 2,
            workers: 1,
            hash_threads: 1,
            ..Settings::default()
        };
        Some(Self { settings, folders: vec![folder] })
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
        Direct(&self.settings.database_url)
    }

    /// A folder of its own, for what else it needs.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.folders[0].path().to_owned()
    }
}
