//! The store against both databases. Each case runs on a fresh SQLite file and, where PostgreSQL
//! is installed, on a fresh database of a scratch server.

#![expect(clippy::unwrap_used, clippy::panic, reason = "to panic is how a test fails")]

mod changes;
mod claims;
mod emails;
mod faults;
mod forms;
mod migrations;
mod nested;
mod races;
mod records;
mod relationships;
mod scratch;
mod tokens;
