//! The file of a SQLite database, and whether it is still the one that was opened.
//!
//! SQLite keeps using a file that was removed or replaced, and everything written to it is lost.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// A file's path and its identity when it was opened.
#[derive(Debug)]
pub(crate) struct OpenedFile {
    path: PathBuf,
    identity: Option<Identity>,
    /// The result of the last check; a change is logged.
    was_in_place: AtomicBool,
}

/// The device of a file and its inode.
type Identity = (u64, u64);

impl OpenedFile {
    /// Returns the file that has this path now.
    pub(crate) fn of(path: &Path) -> Self {
        let was_in_place = AtomicBool::new(true);
        Self { path: path.to_owned(), identity: identity(path), was_in_place }
    }

    /// Returns whether that file still has the name. It costs one system call.
    pub(crate) fn is_in_place(&self) -> bool {
        let is_in_place = self.identity.is_none() || self.identity == identity(&self.path);
        if self.was_in_place.swap(is_in_place, Ordering::Relaxed) != is_in_place {
            let path = self.path.display();
            if is_in_place {
                log::warn!("store: the database file {path} is back");
            } else {
                log::error!(
                    "store: the database file {path} was removed or replaced: nothing is written any \
                     more; put it back, or start anew"
                );
            }
        }
        is_in_place
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

/// Returns `None`: other systems do not remove a file that is open.
#[cfg(not(unix))]
fn identity(_: &Path) -> Option<Identity> {
    None
}
