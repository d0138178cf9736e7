//! End-to-end tests of the server and the `registrar` command, on SQLite and PostgreSQL. Validation
//! rules are covered by the tests of the core crate.

#![expect(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

mod audit;
mod authentication;
mod authorization_matrix;
mod authorization_shipped_routes;
mod bad_input;
mod built_in_fields;
mod cli;
mod contracts;
mod crash_durability;
mod database_parity;
mod docs;
mod email_spelling_races;
mod examples;
mod faults;
mod form_configurations;
mod form_fields;
mod host_headers;
mod hostile_input;
mod idempotency;
mod languages;
mod layering;
mod list_performance;
mod long_values;
mod mass_assignment;
mod metrics;
mod native_contract;
mod nested_records;
mod openapi;
mod overload;
mod password_guessing;
mod password_hash_import;
mod platformos_reference;
mod private_fields;
mod problem_documents;
mod records;
mod relationship_keys;
mod reload;
mod request_bodies;
mod request_parameters;
mod resource_limits;
mod routes;
mod secret_leaks;
mod sessions;
mod shipped_forms;
mod slow_clients;
mod snapshots;
mod stored_fields;
mod token_scopes;
mod uniqueness;
mod unsupported_methods;
mod updates;
mod user_enumeration;
mod user_queries;
mod violations;
