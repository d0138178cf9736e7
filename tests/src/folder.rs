//! Folders: a temporary one that goes away with its owner, and the repository's own.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

/// A new, empty folder; removed with everything in it when this is dropped.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes one.
    #[must_use]
    pub fn new() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let nth = MADE.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("registrar-tests-{}-{nth}", process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Makes one that holds these files: paths within it and texts.
    #[must_use]
    pub fn of(files: &[(&str, &str)]) -> Self {
        let folder = Self::new();
        for (within, text) in files {
            folder.write(within, text);
        }
        folder
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file, and the folders it lies in.
    pub fn write(&self, within: &str, text: &str) {
        let path = self.0.join(within);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind says nothing about what was tested.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A path in the repository.
#[must_use]
pub fn repository(within: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(within)
}
