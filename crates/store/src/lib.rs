//! The database of Registrar: schema, connections, the group-committing writer, reads.
//!
//! The crate stores the aggregates of [`registrar_core::aggregate`] in SQLite or PostgreSQL. It knows
//! neither forms nor HTTP.
//!
//! [`Store::create`] queues a user; a writer thread commits all queued users in one transaction and
//! answers each after the commit. Other writes ([`Store::update`], [`Store::create_record`], …) are
//! queued too and run in a separate transaction.

mod audit;
mod backup;
mod batch;
mod claim_backfill;
mod claims;
mod clock;
mod connection;
mod database_file;
mod dialect;
mod error;
mod idempotency;
mod ids;
mod migrate;
mod plan;
mod pool;
mod queue;
mod read;
mod records;
mod references;
mod relationship_keys;
mod requests;
mod response_size;
mod rows;
mod schema;
mod settings;
mod stats;
mod store;
mod stored;
mod tls;
mod tokens;
mod transaction;
mod types;
mod unique_claims;
mod update_sql;
mod user_writes;
mod write_jobs;
mod writer;

pub use audit::{Actor, Permit};
pub use backup::BackupError;
pub use error::{CreateError, OpenError, PingError, ReadError, Refusal, TokenError, WriteError};
pub use idempotency::{
    CreatedResource, IdempotencyKey, RESPONSE_TTL, ResponseBuilder, StoredResponse,
};
pub use migrate::{migrate, pending};
pub use read::{Pagination, UserFilter, UserPage};
pub use records::{
    CreateRecord, RecordBody, RecordFilter, RecordKind, RecordPage, StoredRecord,
    StoredRelationship, StoredRelationshipTransactable, UpdateRecord,
};
pub use requests::{CreateUser, Created, UpdateUser};
pub use settings::{StoreSettings, redact};
pub use stats::{DURATION_BUCKETS, Histogram, HistogramSnapshot, StoreStats};
pub use store::Store;
pub use stored::{
    StoredAddress, StoredAttached, StoredCustomization, StoredFile, StoredProfile,
    StoredRelationshipUser, StoredTransactable, StoredUser, UserColumns,
};
pub use tokens::{ApiToken, NewToken, TokenWithRoot};
