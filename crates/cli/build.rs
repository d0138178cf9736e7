//! Sets `REGISTRAR_VERSION`: the version with the commit and its date. The commit is the
//! environment variable `REGISTRAR_COMMIT`, else that of the git checkout, else `unknown`.

use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=REGISTRAR_COMMIT");
    let set = std::env::var("REGISTRAR_COMMIT").ok().filter(|commit| !commit.is_empty());
    let commit = set.or_else(commit).unwrap_or_else(|| "unknown".to_owned());
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    println!("cargo::rustc-env=REGISTRAR_VERSION={version} ({commit})");
}

/// Returns the commit and its date, or `None` outside a git checkout of this workspace.
fn commit() -> Option<String> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().ok()?;
    let top_level = PathBuf::from(git(&["rev-parse", "--show-toplevel"])?).canonicalize().ok()?;
    if top_level != workspace {
        return None;
    }
    let commit = git(&["log", "-1", "--abbrev=10", "--format=%h %cs"])?;
    let head = git(&["rev-parse", "--symbolic-full-name", "HEAD"]).unwrap_or_default();
    for name in ["HEAD", "logs/HEAD", "packed-refs", &head] {
        let path = git(&["rev-parse", "--git-path", name]).map(PathBuf::from);
        // A path that does not exist would run this script at every build.
        if let Some(path) = path.filter(|path| path.exists()) {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    }
    Some(commit)
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}
