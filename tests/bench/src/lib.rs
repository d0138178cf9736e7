//! End-to-end benchmarks of Registrar against a handwritten server.
//!
//! [`handwritten`] is the reference: a server for a single form, without configuration. [`runner`]
//! starts both, generates load with wrk, and prints tables.

pub mod handwritten;
pub mod runner;
