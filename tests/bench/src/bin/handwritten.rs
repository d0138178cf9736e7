//! Handwritten reference server: `POST /api/users` for one form, without configuration.

use clap::Parser;
use registrar_bench::handwritten::{Flags, serve};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    serve(Flags::parse())
}
