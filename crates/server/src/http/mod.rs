//! HTTP concerns below the routes: connections, request heads and bodies, limits, the access log.

pub(crate) mod access_log;
pub(crate) mod base_url;
pub(crate) mod body;
pub(crate) mod client_address;
pub(crate) mod idempotency_key;
pub(crate) mod language;
pub(crate) mod listener;
pub(crate) mod memory_budget;
pub(crate) mod multipart;
pub(crate) mod rate_limit;
pub(crate) mod request_id;
pub(crate) mod request_metrics;
pub(crate) mod response;
pub(crate) mod slow_client;
pub(crate) mod timeout;
mod upgrade;
