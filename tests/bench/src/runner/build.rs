//! Binaries under test.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use super::{Outcome, print_progress};

/// Paths of the binaries and of the forms.
#[derive(Debug)]
pub(super) struct Programs {
    pub(super) registrar: PathBuf,
    pub(super) handwritten: PathBuf,
    pub(super) forms: PathBuf,
}

impl Programs {
    /// Builds the release binaries if `build` is set, and locates them.
    pub(super) fn find(build: bool) -> Outcome<Self> {
        let root = fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))?;
        if build {
            print_progress("building the release binaries");
            let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
            let status = Command::new(cargo)
                .args(["build", "--release", "--quiet", "-p", "registrar-cli"])
                .args(["-p", "registrar-bench", "--bin", "registrar", "--bin", "handwritten"])
                .current_dir(&root)
                .status()?;
            if !status.success() {
                return Err("cargo cannot build the servers".into());
            }
        }
        // The runner itself is in `target/release` or `target/debug`.
        let ourselves = env::current_exe()?;
        let target = ourselves.parent().and_then(Path::parent).ok_or("no folder of binaries")?;
        let found = |name: &str| -> Outcome<PathBuf> {
            let file = target.join("release").join(name);
            match file.is_file() {
                true => Ok(file),
                false => Err(format!("{} is not built", file.display()).into()),
            }
        };
        Ok(Self {
            registrar: found("registrar")?,
            handwritten: found("handwritten")?,
            forms: root.join("forms"),
        })
    }
}
