//! A server written by hand for what Registrar's form `marketplace_seller` takes: the same body,
//! the same checks, the same rows, and no configuration.
//!
//! It is written as well as we can, for it is the yardstick. With `--commit group` it commits as
//! Registrar does; with `--commit each`, one transaction for each request, as most people would.

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
pub use server::{Commit, Flags, ServeError, Yardstick, serve};
