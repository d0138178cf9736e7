//! The HTTP face of Registrar: settings, routes, handlers.
//!
//! A handler decodes, asks the core, hands what is valid to the store, and renders. There is no
//! layer between them.

mod answer;
pub mod app;
mod auth;
mod body;
mod body_memory;
pub mod callers;
pub mod client_address;
mod connection;
mod contracts;
mod form_configurations;
pub mod forms;
mod guessing;
mod hasher;
mod health;
mod language;
mod limits;
mod metrics;
mod multipart;
mod observe;
mod openapi;
pub mod outgoing;
pub mod passwords;
pub mod permissions;
mod public_address;
mod records;
mod refused;
pub mod reload;
mod routes;
pub mod settings;
mod shown;
pub mod token;
mod upgrade;

pub use multipart::parse as multipart;
pub use records::render::{record_as_submitted, stored_record};
pub use shown::stored_user;
