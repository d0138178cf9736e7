//! The tables, one file for each.

pub(crate) mod addresses;
pub(crate) mod api_tokens;
pub(crate) mod audit_events;
pub(crate) mod counters;
pub(crate) mod customizations;
pub(crate) mod files;
pub(crate) mod idempotency_records;
pub(crate) mod owner_ref;
pub(crate) mod password_credentials;
pub(crate) mod relationship_transactables;
pub(crate) mod relationship_users;
pub(crate) mod relationships;
pub(crate) mod schema;
pub(crate) mod transactables;
pub(crate) mod unique_claims;
pub(crate) mod user_profiles;
pub(crate) mod users;
