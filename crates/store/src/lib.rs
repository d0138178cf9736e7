//! The database of Registrar: schema, connections, the group-committing writer, reads.
//!
//! The crate stores the aggregates of [`registrar_core::aggregate`] in SQLite or PostgreSQL. It knows
//! neither forms nor HTTP.
//!
//! [`Store::create`] queues a user; a writer thread commits all queued users in one transaction and
//! answers each after the commit. Other writes ([`Store::update`], [`Store::delete`], …) are
//! queued too and run in a separate transaction.

mod clock;
mod connection;
mod error;
mod read;
mod settings;
mod sql;
mod stats;
mod store;
mod tables;
mod write;

pub use connection::{BackupError, migrate, pending};
pub use error::{CreateError, OpenError, PingError, ReadError, Refusal, TokenError, WriteError};
pub use read::filter::{Pagination, RecordFilter, UserFilter};
pub use read::records::{RecordBody, RecordPage, StoredRecord};
pub use read::users::{StoredUser, UserPage};
pub use settings::{StoreSettings, redact};
pub use stats::{DURATION_BUCKETS, Histogram, HistogramSnapshot, StoreStats};
pub use store::Store;
pub use tables::addresses::StoredAddress;
pub use tables::api_tokens::{ApiToken, NewToken, TokenWithRoot};
pub use tables::customizations::{StoredAttached, StoredCustomization};
pub use tables::files::StoredFile;
pub use tables::idempotency_records::{RESPONSE_TTL, StoredResponse};
pub use tables::relationship_transactables::StoredRelationshipTransactable;
pub use tables::relationship_users::StoredRelationshipUser;
pub use tables::relationships::StoredRelationship;
pub use tables::transactables::StoredTransactable;
pub use tables::user_profiles::StoredProfile;
pub use tables::users::{Created, UserColumns};
pub use write::audit::{Actor, Permit};
pub use write::idempotency::{CreatedResource, IdempotencyKey, ResponseBuilder};
pub use write::requests::{CreateRequest, UpdateRequest};
