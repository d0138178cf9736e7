//! A server within the test process, on its own thread.

use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use actix_web::dev::ServerHandle;
use registrar_contracts::Configuration;
use registrar_server::app::Application;
use registrar_server::auth::credentials::{self, NewCredential, TokenLimits};
use registrar_server::auth::token;
use registrar_server::config_source::ServedConfig;
use registrar_store::Store;

use crate::client::{AnonymousClient, TokenClient};
use crate::database::DirectDatabase;
use crate::raw_connection::Connection;
use crate::setup::Setup;

/// A server on a free port. Drop stops it and removes its database.
#[derive(Debug)]
pub struct TestServer {
    anonymous: AnonymousClient,
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
    /// Starts a server and creates a token.
    ///
    /// # Panics
    /// Panics if the server does not start.
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
        let anonymous = AnonymousClient::new(&format!("http://127.0.0.1:{port}"));
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

    /// Returns a client without a token.
    #[must_use]
    pub fn anonymous(&self) -> &AnonymousClient {
        &self.anonymous
    }

    /// Returns a client with a valid token.
    #[must_use]
    pub fn client(&self) -> TokenClient {
        self.anonymous.with_token(&self.token)
    }

    /// Returns a valid token.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Creates another token, with an optional expiry in microseconds since 1970.
    #[must_use]
    pub fn new_token(&self, name: &str, expires_at: Option<i64>) -> String {
        let token = token::generate().unwrap().reveal().to_owned();
        self.store.0.create_token(name, &token::hash(&token), None, None, expires_at).unwrap();
        token
    }

    /// Creates a token limited to these scopes and forms; an empty slice sets no limit.
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

    /// Creates a credential for a contract and returns the value of its `Authorization` header.
    #[must_use]
    pub fn new_authorization(&self, contract: &str, name: &str, noted: &[(&str, &str)]) -> String {
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

    /// Returns the base URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Returns the port that the server listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the setup that the server was started with.
    #[must_use]
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Opens a raw connection.
    #[must_use]
    pub fn connect(&self) -> Connection {
        Connection::open(self.port)
    }

    /// Writes a file of the forms directory. The setup must have its own.
    pub fn write_form(&self, within: &str, text: &str) {
        std::fs::write(self.setup.settings.forms[0].join(within), text).unwrap();
    }

    /// Shuts the store down, so that no more writes are accepted.
    pub fn shut_down_store(&self) {
        self.store.0.shutdown();
    }

    /// Reloads the forms and returns whether they are valid.
    #[must_use]
    pub fn reload(&self) -> bool {
        self.forms.reload()
    }

    /// Returns the store, bypassing the routes.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store.0
    }

    /// Loads the configured forms again.
    #[must_use]
    pub fn registry(&self) -> Configuration {
        registrar_server::config_source::load(
            &self.setup.settings.forms,
            self.setup.settings.policies,
        )
        .unwrap()
    }

    /// Returns direct access to the database.
    #[must_use]
    pub fn database(&self) -> DirectDatabase<'_> {
        self.setup.database()
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if let Some((handle, thread)) = self.running.take() {
            // Requesting the stop is enough: the thread ends afterwards.
            drop(handle.stop(false));
            if thread.join().is_err() && !thread::panicking() {
                panic!("the server's thread panicked");
            }
        }
    }
}
