//! Reads of users and records.

pub(crate) mod attachments;
pub(crate) mod filter;
mod property;
pub(crate) mod records;
pub(crate) mod references;
mod response_size;
pub(crate) mod users;
