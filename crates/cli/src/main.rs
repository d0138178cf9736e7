//! The `registrar` command.
fn main() {}
