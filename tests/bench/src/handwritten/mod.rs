//! Handwritten server for Registrar's form `marketplace_seller`: the same body, the same validation
//! and the same rows, without configuration.
//!
//! It is the reference of the benchmarks and therefore as fast as possible. `--commit group`
//! commits like Registrar; `--commit each` uses one transaction per request, which is the common
//! design.

mod body;
mod checks;
mod connection;
mod each;
mod group;
mod passwords;
mod postgres;
mod seller;
mod server;
mod sqlite;
mod statement;

pub use passwords::bare_hash_rate;
pub use server::{Commit, Flags, HandwrittenServer, ServeError, serve};
