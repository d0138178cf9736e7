//! State shared by all handlers.

use std::sync::Arc;

use actix_web::web;
use tokio::sync::Semaphore;

use crate::auth::authenticator::Authenticator;
use crate::config_source::ServedConfig;
use crate::database::Database;
use crate::http::idempotency_key::InFlightKeys;
use crate::http::memory_budget::MemoryBudget;
use crate::http::request_metrics::RequestMetrics;
use crate::settings::Settings;

/// State shared by all handlers.
pub(crate) struct AppState {
    pub(crate) settings: Arc<Settings>,
    pub(crate) config: Arc<ServedConfig>,
    pub(crate) database: Database,
    pub(crate) auth: Authenticator,
    pub(crate) in_flight_keys: InFlightKeys,
    /// Memory for request bodies and large responses.
    pub(crate) memory: MemoryBudget,
    /// Limits the number of large submissions evaluated at once.
    pub(crate) evaluation_permits: Arc<Semaphore>,
    pub(crate) metrics: web::Data<RequestMetrics>,
}
