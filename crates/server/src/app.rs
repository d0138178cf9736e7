//! Application: builds the server from settings and runs it until shutdown.

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
use tokio::sync::Semaphore;

use crate::auth::authenticator::Authenticator;
use crate::auth::password_pool::PasswordPool;
use crate::config_source::{ConfigError, ConfigWatcher, ServedConfig, reload_on_hangup};
use crate::database::Database;
use crate::http::access_log;
use crate::http::idempotency_key::InFlightKeys;
use crate::http::listener::bind_all;
use crate::http::memory_budget::MemoryBudget;
use crate::http::request_metrics::RequestMetrics;
use crate::http::slow_client::TimeoutStream;
use crate::routes::{admin_routes, routes};
use crate::settings::Settings;
use crate::state::AppState;

/// Maximum time that in-flight requests may take after shutdown begins, in seconds.
const SHUTDOWN_TIMEOUT_SECONDS: u64 = 30;
/// Maximum time to receive the head of the first request on a connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum number of connections of the admin listener.
const MAX_ADMIN_CONNECTIONS: usize = 64;
/// Maximum time for a client to read the last response before its connection is closed.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// A server that is bound to its addresses and ready to run.
pub struct Application {
    server: Server,
    admin: Option<Server>,
    store: Store,
    config: Arc<ServedConfig>,
    watcher: ConfigWatcher,
    port: u16,
    admin_port: Option<u16>,
}

/// Error building the server.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The configuration cannot be loaded.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The address cannot be bound.
    #[error("cannot listen on {listen}: {source}")]
    Listen {
        /// The address.
        listen: String,
        /// The cause.
        source: std::io::Error,
    },
    /// A thread cannot be started.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}

/// Opens the store named by the settings. Creates the database if it does not exist.
///
/// # Errors
/// Returns an error if the database cannot be opened or migrated.
pub fn open_store(settings: &Settings) -> Result<Store, OpenError> {
    Store::open(&store_settings(settings))
}

/// Opens the store named by the settings, which must exist.
///
/// # Errors
/// Returns an error if the database does not exist, or cannot be opened or migrated.
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
    /// Loads the configuration, opens the store and binds the listeners. Must be called within an actix
    /// runtime.
    ///
    /// # Errors
    /// Returns an error if any of these steps fails. A server with invalid forms does not start.
    pub fn build(settings: Settings) -> Result<Self, BuildError> {
        let config = ServedConfig::load(settings.forms.clone(), settings.policies)?;
        let config = Arc::new(config);
        let store = open_store(&settings)?;
        let passwords =
            PasswordPool::start(settings.hash_threads, settings.hash_queue, settings.hash_cost())
                .map_err(BuildError::Thread)?;
        let watcher = ConfigWatcher::start(config.clone()).map_err(BuildError::Thread)?;
        reload_on_hangup(config.clone()).map_err(BuildError::Thread)?;
        let settings = Arc::new(settings);
        let database = Database::new(store.clone(), settings.clone());
        let workers = settings.workers;
        let state = web::Data::new(AppState {
            config: config.clone(),
            auth: Authenticator::new(settings.clone(), database.clone(), passwords),
            database,
            in_flight_keys: InFlightKeys::default(),
            memory: MemoryBudget::new(settings.body_memory),
            evaluation_permits: Arc::new(Semaphore::new(workers.max(1))),
            metrics: web::Data::new(RequestMetrics::default()),
            settings,
        });
        let connections = state.settings.connections.div_ceil(workers.max(1));
        // The admin listener has its own worker and connections: it responds while the public ones are in use.
        let admin = state.settings.admin_listen.as_deref().map(|listen| {
            let (connections, routes) = (MAX_ADMIN_CONNECTIONS, admin_routes as RegisterRoutes);
            start(
                &state,
                &Listener { listen, workers: 1, connections, handles_signals: false, routes },
            )
        });
        let (admin, admin_port) = admin.transpose()?.unzip();
        let routes: RegisterRoutes =
            if admin.is_some() { |to| routes(to, true) } else { |to| routes(to, false) };
        let listen = &*state.settings.listen;
        let listener = Listener { listen, workers, connections, handles_signals: true, routes };
        let (server, port) = start(&state, &listener)?;
        Ok(Self { server, admin, store, config, watcher, port, admin_port })
    }

    /// Returns the port of the admin listener, or `None` if there is none.
    #[must_use]
    pub fn admin_port(&self) -> Option<u16> {
        self.admin_port
    }

    /// Returns the port of the public listener.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the store.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Returns the served configuration.
    #[must_use]
    pub fn config(&self) -> Arc<ServedConfig> {
        self.config.clone()
    }

    /// Returns a handle that stops the server once in-flight requests are answered.
    #[must_use]
    pub fn handle(&self) -> actix_web::dev::ServerHandle {
        self.server.handle()
    }

    /// Serves until SIGTERM or SIGINT, then drains in-flight requests and queued writes.
    ///
    /// # Errors
    /// Returns an error if the server fails.
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
        drop(self.watcher);
        self.store.shutdown();
        result
    }
}

/// Registers the routes of a listener.
type RegisterRoutes = fn(&mut ServiceConfig);

/// Configuration of one listener.
struct Listener<'l> {
    listen: &'l str,
    workers: usize,
    /// Maximum number of connections per worker.
    connections: usize,
    /// If true, this listener handles SIGTERM and SIGINT.
    handles_signals: bool,
    routes: RegisterRoutes,
}

/// Binds all addresses of a host name. Returns the server and the port of the first address.
fn start(state: &web::Data<AppState>, config: &Listener<'_>) -> Result<(Server, u16), BuildError> {
    let mut server = Server::build()
        .workers(config.workers)
        .max_concurrent_connections(config.connections)
        .shutdown_timeout(SHUTDOWN_TIMEOUT_SECONDS);
    if !config.handles_signals {
        server = server.disable_signals();
    }
    let bind_error = |source| BuildError::Listen { listen: config.listen.to_owned(), source };
    let mut port = None;
    for listener in bind_all(config.listen).map_err(bind_error)? {
        let address = listener.local_addr().map_err(bind_error)?;
        port = port.or(Some(address.port()));
        let (state, stopping) = (state.clone(), server.graceful_shutdown_signal());
        let routes = config.routes;
        let serve = move || {
            let app = App::new()
                .app_data(state.clone())
                .app_data(state.metrics.clone())
                .wrap(from_fn(access_log::middleware));
            let app = map_config(app.configure(routes), |()| AppConfig::default());
            let stopping = stopping.clone();
            let http = HttpService::build()
                .client_request_timeout(HEAD_TIMEOUT)
                .client_disconnect_timeout(DISCONNECT_TIMEOUT)
                .local_addr(address)
                .graceful_shutdown_signal(move || {
                    let stopping = stopping.clone();
                    async move { stopping.notified().await }
                })
                .on_connect_ext(TimeoutStream::share_state)
                .finish(app);
            fn_service(|stream: TcpStream| async {
                let peer = stream.peer_addr().ok();
                Ok((TimeoutStream::new(stream), Protocol::Http1, peer))
            })
            .and_then(http)
        };
        server = server.listen("registrar", listener, serve).map_err(bind_error)?;
    }
    Ok((server.run(), port.unwrap_or_default()))
}
