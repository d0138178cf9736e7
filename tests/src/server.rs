//! A server within the test's own process, on a thread of its own.

use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use actix_web::dev::ServerHandle;
use registrar_core::registry::Registry;
use registrar_server::app::Application;
use registrar_server::auth::credentials::{self, NewCredential, TokenLimits};
use registrar_server::auth::token;
use registrar_server::config_source::ServedConfig;
use registrar_store::Store;

use crate::client::{Anonymous, WithToken};
use crate::database::Direct;
use crate::raw::Connection;
use crate::setup::Setup;

/// A server on a free port. It stops when this is dropped, and its database goes with it.
#[derive(Debug)]
pub struct TestServer {
    anonymous: Anonymous,
    token: String,
    port: u16,
    running: Option<(ServerHandle, JoinHandle<()>)>,
    store: NoDebug<Store>,
    forms: Arc<ServedConfig>,
    setup: Setup,
}

struct NoDebug<T>(T);

impl<T> std::fmt::Debug for NoDebug<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl TestServer {
    /// Starts one and makes a token.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(setup: Setup) -> Self {
        let (started, start) = mpsc::channel();
        let settings = setup.settings.clone();
        let thread = thread::spawn(move || {
            actix_web::rt::System::new().block_on(async {
                match Application::build(settings) {
                    Ok(application) => {
                        let store = application.store().clone();
                        let (port, handle) = (application.port(), application.handle());
                        let parts = (port, store, application.config(), handle);
                        started.send(Ok(parts)).unwrap();
                        application.run().await.unwrap();
                    }
                    Err(error) => started.send(Err(error.to_string())).unwrap(),
                }
            });
        });
        let (port, store, forms, handle) =
            start.recv().unwrap().unwrap_or_else(|error| panic!("{error}"));
        let anonymous = Anonymous::new(&format!("http://127.0.0.1:{port}"));
        let running = Some((handle, thread));
        let mut server = Self {
            anonymous,
            token: String::new(),
            port,
            running,
            store: NoDebug(store),
            forms,
            setup,
        };
        server.token = server.new_token("tests", None);
        server
    }

    /// A client without a token.
    #[must_use]
    pub fn anonymous(&self) -> &Anonymous {
        &self.anonymous
    }

    /// A client with a token that is good.
    #[must_use]
    pub fn client(&self) -> WithToken {
        self.anonymous.with_token(&self.token)
    }

    /// A token that is good.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Makes another token, to expire at these microseconds since 1970.
    #[must_use]
    pub fn new_token(&self, name: &str, expires_at: Option<i64>) -> String {
        let token = token::generate().unwrap().reveal().to_owned();
        self.store.0.create_token(name, &token::hash(&token), None, None, expires_at).unwrap();
        token
    }

    /// Makes a token that is good for these scopes and forms alone, where they are given.
    #[must_use]
    pub fn new_limited_token(&self, name: &str, scopes: &[&str], forms: &[&str]) -> String {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let (scopes, forms): (Vec<String>, Vec<String>) = (owned(scopes), owned(forms));
        let limits = TokenLimits {
            scopes: (!scopes.is_empty()).then_some(&*scopes),
            forms: (!forms.is_empty()).then_some(&*forms),
            seconds: None,
        };
        let cost = self.setup.settings.hash_cost();
        let new = NewCredential { name, contract: None, attributes: &[], limits, cost };
        let made = credentials::create(&self.store.0, new);
        actix_web::rt::System::new().block_on(made).unwrap().reveal().to_owned()
    }

    /// Makes somebody who may call a contract; gives the whole value of `Authorization`.
    #[must_use]
    pub fn new_caller(&self, contract: &str, name: &str, noted: &[(&str, &str)]) -> String {
        let registry = registrar_server::config_source::load(
            &self.setup.settings.forms,
            self.setup.settings.policies,
        )
        .unwrap();
        let contract = registry.contracts().named(contract).unwrap();
        let noted: Vec<(String, String)> =
            noted.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let cost = self.setup.settings.hash_cost();
        let (contract, limits) = (Some(&**contract), TokenLimits::default());
        let new = NewCredential { name, contract, attributes: &noted, limits, cost };
        let made = credentials::create(&self.store.0, new);
        let credential = actix_web::rt::System::new().block_on(made).unwrap();
        contract.unwrap().authentication.schemes[0].header(name, credential.reveal())
    }

    /// Revokes a token.
    pub fn revoke(&self, name: &str) {
        assert!(self.store.0.revoke_token(name).unwrap(), "there is no token `{name}`");
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it was started with.
    #[must_use]
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// A connection without a client library.
    #[must_use]
    pub fn connect(&self) -> Connection {
        Connection::open(self.port)
    }

    /// Writes a file of its forms, which are its own.
    pub fn write_form(&self, within: &str, text: &str) {
        std::fs::write(self.setup.settings.forms[0].join(within), text).unwrap();
    }

    /// Has it take nothing more to be written, as when it stops.
    pub fn stop_writing(&self) {
        self.store.0.shutdown();
    }

    /// Has it read its forms again; says whether they were good.
    #[must_use]
    pub fn reload(&self) -> bool {
        self.forms.reload()
    }

    /// Its store, past its routes.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store.0
    }

    /// The forms that it was started with.
    #[must_use]
    pub fn registry(&self) -> Registry {
        registrar_server::config_source::load(
            &self.setup.settings.forms,
            self.setup.settings.policies,
        )
        .unwrap()
    }

    /// A look into the database past the server.
    #[must_use]
    pub fn direct(&self) -> Direct<'_> {
        self.setup.direct()
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if let Some((handle, thread)) = self.running.take() {
            // To ask is enough: the thread ends when it is done.
            drop(handle.stop(false));
            if thread.join().is_err() && !thread::panicking() {
                panic!("the server's thread panicked");
            }
        }
    }
}
