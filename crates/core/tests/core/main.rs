//! Tests of the core, with cases in files: a new case is a new line or a new file.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic fails the test")]

mod composition;
mod contract_routing;
mod decoders;
mod examples;
mod generated_docs;
mod locales;
mod platformos;
mod problems;
mod resource_limits;
mod rules;
mod samples;
mod schema_conformance;
mod submission_schema;
mod submissions;

use std::path::{Path, PathBuf};

use registrar_contracts::Configuration;
use registrar_core::config::Problem;
use registrar_core::registry::SourceFile;

/// Returns the case files of a directory, sorted.
fn cases(folder: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(folder);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "no cases found");
    files.into_iter().map(|path| (path.clone(), std::fs::read_to_string(&path).unwrap())).collect()
}

fn source(within: &str, text: &str) -> SourceFile {
    SourceFile { file: within.into(), within: within.to_owned(), text: text.to_owned() }
}

fn compile(sources: &[SourceFile]) -> Result<Configuration, Vec<Problem>> {
    Configuration::compile(sources)
}
