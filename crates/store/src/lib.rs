//! The database of Registrar: schema, connections, the group-committing writer, reads.
//!
//! It knows the aggregate ([`registrar_core::aggregate`]) and stores it in SQLite or PostgreSQL.
//! It knows neither forms nor HTTP, and makes no decision that is not the database's to make.
//!
//! The way of a submission: [`Store::create`] queues it, the writer takes all that waits and
//! commits it in one transaction, and each submission is answered once that is durable. Changes of
//! stored users ([`Store::update`], [`Store::delete`]) and of single records
//! ([`Store::create_record`] and its like) go the same way, in transactions of their own.

mod audit;
mod backup;
mod batch;
mod change;
mod changed;
mod claims;
mod connection;
mod dialect;
mod error;
mod figures;
mod keyed;
mod migrate;
mod once;
mod opened_file;
mod plan;
mod pool;
mod queue;
mod read;
mod record;
mod records;
mod rows;
mod schema;
mod settings;
mod store;
mod stored;
mod tls;
mod tokens;
mod types;
mod writer;

pub use audit::Asker;
pub use backup::BackupError;
pub use error::{ChangeError, CreateError, OpenError, PingError, ReadError, Refusal, TokenError};
pub use figures::{Counted, DURATIONS, Figures, Histogram};
pub use migrate::{migrate, pending};
pub use once::{Answering, KEPT, KeptAnswer, Made, Once};
pub use read::{UserFilter, UserPage, Window};
pub use record::{Created, NewRecord, UpdateRecord};
pub use records::{
    NewRecordOf, RecordBody, RecordFilter, RecordKind, RecordPage, StoredRecord,
    StoredRelationship, StoredRelationshipTransactable, UpdateRecordOf,
};
pub use settings::{StoreSettings, redact};
pub use store::Store;
pub use stored::{
    StoredAddress, StoredAttached, StoredCustomization, StoredFile, StoredProfile,
    StoredRelationshipUser, StoredTransactable, StoredUser, UserColumns,
};
pub use tokens::{ApiToken, NewToken};
