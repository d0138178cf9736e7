//! Promises of the core, kept by cases in files: a new case is a new line or a new file.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

mod broken;
mod budget;
mod composition;
mod contracts;
mod decode;
mod documents;
mod examples;
mod locales;
mod meaning;
mod platformos;
mod rules;
mod schema;
mod submissions;

use std::path::{Path, PathBuf};

use registrar_core::config::Problem;
use registrar_core::registry::{Registry, SourceFile};

/// The files of a folder of cases, sorted.
fn cases(folder: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(folder);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "there are no cases");
    files.into_iter().map(|path| (path.clone(), std::fs::read_to_string(&path).unwrap())).collect()
}

fn source(within: &str, text: &str) -> SourceFile {
    SourceFile { file: within.into(), within: within.to_owned(), text: text.to_owned() }
}

fn compile(sources: &[SourceFile]) -> Result<Registry, Vec<Problem>> {
    Registry::compile(sources)
}
