//! Limits on memory and time per request, for receiving, validating, storing and responding.
//! `request_cost.rs` measures systematically; the other modules cover single attacks.

mod body_intake;
mod inputs;
mod record_size;
mod request_cost;
mod validation_cost;
