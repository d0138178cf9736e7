//! Limits on memory and time per request, for receiving, validating, storing and responding.
//! `request_cost.rs` measures systematically; the other modules cover single attacks.

mod arriving;
mod generated;
mod inputs;
mod judged;
mod stored;
