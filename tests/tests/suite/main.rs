//! End-to-end tests of the server and the `registrar` command, on SQLite and PostgreSQL. Validation
//! rules are covered by the tests of the core crate.

#![expect(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "this is the tests' own ground: to panic is to fail the test"
)]

mod addresses;
mod audit;
mod auth;
mod authorization_matrix;
mod authorization_shipped_routes;
mod bad_input;
mod bodies;
mod bombs;
mod budget;
mod cli;
mod contracts;
mod dawdling;
mod enumeration;
mod examples;
mod faults;
mod fields;
mod form_configurations;
mod guessing;
mod idempotency;
mod imported;
mod keyed;
mod kill;
mod languages;
mod layering;
mod lists;
mod mass_assignment;
mod methods;
mod metrics;
mod native;
mod nested;
mod openapi;
mod overload;
mod parameters;
mod private_fields;
mod problems;
mod reading;
mod records;
mod reference;
mod reload;
mod routes;
mod same_answers;
mod scopes;
mod secrets;
mod sessions;
mod shipped;
mod sizes;
mod spellings;
mod stored;
mod unique;
mod updating;
mod violations;
