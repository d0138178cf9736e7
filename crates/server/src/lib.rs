//! HTTP server of Registrar: settings, routes, handlers.
//!
//! A handler decodes the request, evaluates the form in the core, writes to the store and renders.

pub mod app;
pub mod auth;
pub mod config_source;
mod database;
mod error;
mod http;
mod native;
mod operations;
mod representation;
pub mod route_table;
mod routes;
pub mod settings;
mod state;

pub use http::multipart::parse as multipart;
pub use representation::{record_as_input, record_to_value, user_to_value};
