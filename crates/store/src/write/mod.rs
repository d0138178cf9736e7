//! Writes: the queue, the writer threads, and what they write.

pub(crate) mod audit;
pub(crate) mod batch;
mod claims;
mod delete;
pub(crate) mod idempotency;
pub(crate) mod jobs;
mod owner;
pub(crate) mod queue;
mod records;
mod relationship_keys;
pub(crate) mod requests;
mod row_batch;
pub(crate) mod tokens;
mod users;
pub(crate) mod writer;
