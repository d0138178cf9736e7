//! Every input that fuzzing found worth keeping holds, through the functions that it was found with;
//! so do the shipped forms and contracts and those of the core's cases.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::path::{Path, PathBuf};

use registrar_fuzz_targets::{TARGETS, Target, contracts, forms};

/// The files of a folder, by its path from the repository on.
fn files(folder: &str) -> Vec<PathBuf> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let entries = std::fs::read_dir(repository.join(folder)).unwrap();
    let files = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    files.collect()
}

#[track_caller]
fn hold(target: Target, files: &[PathBuf]) {
    assert!(files.len() >= 5, "there are {} inputs", files.len());
    for file in files {
        let bytes = std::fs::read(file).unwrap();
        let held = std::panic::catch_unwind(|| target(&bytes));
        assert!(held.is_ok(), "{}", file.display());
    }
}

#[test]
fn the_corpora_hold() {
    for (name, target) in TARGETS {
        hold(target, &files(&format!("tests/fuzz/corpus/{name}")));
    }
}

#[test]
fn the_repositorys_own_configuration_holds() {
    for folder in ["forms", "forms/contracts/forms", "crates/core/tests/cases/broken"] {
        hold(forms, &files(folder));
    }
    for folder in ["forms/contracts", "crates/core/tests/cases/broken"] {
        hold(contracts, &files(folder));
    }
}
