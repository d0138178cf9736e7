//! The server: built from settings, run until it is told to stop.

use std::sync::Arc;
use std::time::Duration;

use actix_http::{HttpService, Protocol};
use actix_service::{ServiceFactoryExt as _, map_config};
use actix_web::dev::{AppConfig, Server, fn_service};
use actix_web::middleware::from_fn;
use actix_web::rt::net::TcpStream;
use actix_web::web::ServiceConfig;
use actix_web::{App, web};
use registrar_store::{OpenError, Store, StoreSettings};

use crate::auth::KnownTokens;
use crate::connection::{self, Watched};
use crate::contracts::{KnownPasswords, UnderWay};
use crate::forms::FormsError;
use crate::limits::{BodyMemory, Rates};
use crate::metrics::counts::Counts;
use crate::observe::observe;
use crate::passwords::HashPool;
use crate::reload::{self, Forms, Watch};
use crate::routes::{admin_routes, routes};
use crate::settings::Settings;

/// How long requests under way may take after the server was told to stop, in seconds.
const SHUTDOWN_SECONDS: u64 = 30;
/// How long the head of the first request on a connection may take.
const HEAD: Duration = Duration::from_secs(5);
/// The most connections of the admin listener.
const ADMIN_CONNECTIONS: usize = 64;
/// How long a client may take to read the last answer before a connection ends.
const GOODBYE: Duration = Duration::from_secs(1);

/// What every handler works with.
pub(crate) struct AppState {
    pub(crate) settings: Settings,
    pub(crate) forms: Arc<Forms>,
    pub(crate) store: Store,
    pub(crate) hashes: HashPool,
    pub(crate) tokens: KnownTokens,
    pub(crate) passwords: KnownPasswords,
    pub(crate) under_way: UnderWay,
    pub(crate) rates: Rates,
    pub(crate) body_memory: BodyMemory,
    pub(crate) counts: Counts,
}

/// A server that listens.
pub struct Application {
    server: Server,
    admin: Option<Server>,
    store: Store,
    forms: Arc<Forms>,
    watch: Watch,
    port: u16,
    admin_port: Option<u16>,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The forms.
    #[error(transparent)]
    Forms(#[from] FormsError),
    /// The database.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The address.
    #[error("cannot listen on {listen}: {source}")]
    Listen {
        /// The address.
        listen: String,
        /// Why.
        source: std::io::Error,
    },
    /// The operating system.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}

/// The store that settings name, new where there is none.
///
/// # Errors
/// Where the database cannot be opened or migrated.
pub fn open_store(settings: &Settings) -> Result<Store, OpenError> {
    Store::open(&store_settings(settings))
}

/// The store that settings name, which must be there already.
///
/// # Errors
/// Where it is not, or cannot be opened or migrated.
pub fn open_existing_store(settings: &Settings) -> Result<Store, OpenError> {
    Store::open(&StoreSettings { create: false, ..store_settings(settings) })
}

fn store_settings(settings: &Settings) -> StoreSettings {
    StoreSettings {
        readers: settings.readers,
        writers: settings.writers,
        batch: settings.batch,
        queue: settings.queue,
        migrate: settings.migrate,
        create: settings.create_database,
        prepared_statements: settings.prepared_statements,
        ..StoreSettings::new(settings.database_url.clone())
    }
}

impl Application {
    /// Loads the forms, opens the store, listens. Must be called within an actix runtime.
    ///
    /// # Errors
    /// Where any of that fails; a server with broken forms does not start.
    pub fn build(settings: Settings) -> Result<Self, BuildError> {
        let forms = Arc::new(Forms::load(settings.forms.clone())?);
        let store = open_store(&settings)?;
        let hashes =
            HashPool::start(settings.hash_threads, settings.hash_queue, settings.hash_cost)
                .map_err(BuildError::Thread)?;
        let workers = settings.workers;
        let tokens = KnownTokens::default();
        let watch = Watch::start(forms.clone()).map_err(BuildError::Thread)?;
        reload::on_hangup(forms.clone()).map_err(BuildError::Thread)?;
        let (rates, body_memory) = (Rates::new(&settings), BodyMemory::new(settings.body_memory));
        let connections = settings.connections.div_ceil(workers.max(1));
        let state = web::Data::new(AppState {
            settings,
            forms: forms.clone(),
            store: store.clone(),
            hashes,
            tokens,
            passwords: KnownPasswords::default(),
            under_way: UnderWay::default(),
            rates,
            body_memory,
            counts: Counts::default(),
        });
        // It has its own worker and connections, so that it answers while the public ones are in use.
        let admin = state.settings.admin_listen.as_deref().map(|listen| {
            let connections = ADMIN_CONNECTIONS;
            let routes: Routes = admin_routes;
            start(&state, &Listener { listen, workers: 1, connections, is_main: false, routes })
        });
        let (admin, admin_port) = admin.transpose()?.unzip();
        let routes: Routes =
            if admin.is_some() { |to| routes(to, true) } else { |to| routes(to, false) };
        let listen = &*state.settings.listen;
        let listener = Listener { listen, workers, connections, is_main: true, routes };
        let (server, port) = start(&state, &listener)?;
        Ok(Self { server, admin, store, forms, watch, port, admin_port })
    }

    /// Returns the port of the admin listener, or `None` where there is none.
    #[must_use]
    pub fn admin_port(&self) -> Option<u16> {
        self.admin_port
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The store, for what the command line does before serving.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The configuration it serves, to be read again at will.
    #[must_use]
    pub fn forms(&self) -> Arc<Forms> {
        self.forms.clone()
    }

    /// Tells it to stop once requests under way are answered.
    #[must_use]
    pub fn handle(&self) -> actix_web::dev::ServerHandle {
        self.server.handle()
    }

    /// Serves until SIGTERM or SIGINT; then everything accepted is finished.
    ///
    /// # Errors
    /// Where the server breaks.
    pub async fn run(self) -> std::io::Result<()> {
        let admin = self.admin.map(|admin| {
            let handle = admin.handle();
            actix_web::rt::spawn(admin);
            handle
        });
        let result = self.server.await;
        if let Some(admin) = admin {
            admin.stop(false).await;
        }
        drop(self.watch);
        self.store.shutdown();
        result
    }
}

/// A function that adds the routes of a listener.
type Routes = fn(&mut ServiceConfig);

/// An address to serve, and how.
struct Listener<'l> {
    listen: &'l str,
    workers: usize,
    /// The most connections of each worker.
    connections: usize,
    /// Whether it handles SIGTERM and SIGINT.
    is_main: bool,
    routes: Routes,
}

/// Listens on all addresses of a name; returns the server and the port of the first address.
fn start(state: &web::Data<AppState>, of: &Listener<'_>) -> Result<(Server, u16), BuildError> {
    let mut server = Server::build()
        .workers(of.workers)
        .max_concurrent_connections(of.connections)
        .shutdown_timeout(SHUTDOWN_SECONDS);
    if !of.is_main {
        server = server.disable_signals();
    }
    let failed = |source| BuildError::Listen { listen: of.listen.to_owned(), source };
    let mut port = None;
    for listener in connection::listen(of.listen).map_err(failed)? {
        let address = listener.local_addr().map_err(failed)?;
        port = port.or(Some(address.port()));
        let (state, stopping) = (state.clone(), server.graceful_shutdown_signal());
        let routes = of.routes;
        let serve = move || {
            let app = App::new().app_data(state.clone()).wrap(from_fn(observe));
            let app = map_config(app.configure(routes), |()| AppConfig::default());
            let stopping = stopping.clone();
            let http = HttpService::build()
                .client_request_timeout(HEAD)
                .client_disconnect_timeout(GOODBYE)
                .local_addr(address)
                .graceful_shutdown_signal(move || {
                    let stopping = stopping.clone();
                    async move { stopping.notified().await }
                })
                .on_connect_ext(Watched::introduce)
                .finish(app);
            fn_service(|stream: TcpStream| async {
                let peer = stream.peer_addr().ok();
                Ok((Watched::new(stream), Protocol::Http1, peer))
            })
            .and_then(http)
        };
        server = server.listen("registrar", listener, serve).map_err(failed)?;
    }
    Ok((server.run(), port.unwrap_or_default()))
}
