//! End-to-end benchmarks: Registrar beside a server written by hand.
//!
//! [`handwritten`] is the yardstick: what somebody would write who needs one form and no
//! configuration. [`runner`] starts both, loads them with wrk, and prints tables.

pub mod handwritten;
pub mod runner;
