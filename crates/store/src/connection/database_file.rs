//! Detects that the file of a SQLite database was removed or replaced.
//!
//! SQLite keeps using a file that was removed, and everything written to it is lost.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// The path of a file and its identity when it was opened.
#[derive(Debug)]
pub(crate) struct DatabaseFile {
    path: PathBuf,
    identity: Option<FileIdentity>,
    /// Result of the last check; a change is logged.
    was_unchanged: AtomicBool,
}

/// Device and inode of a file.
type FileIdentity = (u64, u64);

impl DatabaseFile {
    /// Returns the file that is at this path now.
    pub(crate) fn open(path: &Path) -> Self {
        let was_unchanged = AtomicBool::new(true);
        Self { path: path.to_owned(), identity: identity(path), was_unchanged }
    }

    /// Returns whether the same file is still at the path. Costs one system call.
    pub(crate) fn is_unchanged(&self) -> bool {
        let is_unchanged = self.identity.is_none() || self.identity == identity(&self.path);
        if self.was_unchanged.swap(is_unchanged, Ordering::Relaxed) != is_unchanged {
            let path = self.path.display();
            if is_unchanged {
                log::warn!("store: the database file {path} is back");
            } else {
                log::error!(
                    "store: the database file {path} was removed or replaced: nothing is written any \
                     more; put it back, or start anew"
                );
            }
        }
        is_unchanged
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> Option<FileIdentity> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

/// Returns `None`: other systems do not remove a file that is open.
#[cfg(not(unix))]
fn identity(_: &Path) -> Option<FileIdentity> {
    None
}
