//! Runs the fuzz targets over the stored corpus, the shipped forms and contracts, and the broken
//! configurations of the core tests.

#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

use std::path::{Path, PathBuf};

use registrar_fuzz_targets::{TARGETS, Target, contracts, forms};

/// Returns the files of a directory, given by its path in the repository.
fn files(folder: &str) -> Vec<PathBuf> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let entries = std::fs::read_dir(repository.join(folder)).unwrap();
    let files = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    files.collect()
}

#[track_caller]
fn run_target(target: Target, files: &[PathBuf]) {
    assert!(files.len() >= 5, "there are {} inputs", files.len());
    for file in files {
        let bytes = std::fs::read(file).unwrap();
        let result = std::panic::catch_unwind(|| target(&bytes));
        assert!(result.is_ok(), "{}", file.display());
    }
}

#[test]
fn corpus_inputs_pass_their_targets() {
    for (name, target) in TARGETS {
        run_target(target, &files(&format!("tests/fuzz/corpus/{name}")));
    }
}

#[test]
fn repository_configuration_passes_form_and_contract_targets() {
    for folder in ["forms", "forms/contracts/forms", "crates/core/tests/cases/broken"] {
        run_target(forms, &files(folder));
    }
    for folder in ["forms/contracts", "crates/core/tests/cases/broken"] {
        run_target(contracts, &files(folder));
    }
}
