//! Tests of the store on both databases: each case runs on a fresh SQLite file and, if PostgreSQL
//! is installed, on a fresh database of a temporary server.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic fails the test")]

mod claims;
mod concurrency;
mod email_lookup;
mod forms;
mod migrations;
mod record_claims;
mod records;
mod relationships;
mod round_trips;
mod support;
mod tokens;
mod updates;
mod writer_faults;
