//! Temporary directories, and paths in the repository.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

/// A new, empty directory, removed with its contents on drop.
#[derive(Debug)]
pub struct TempDir(PathBuf);

impl TempDir {
    /// Creates an empty directory.
    #[must_use]
    pub fn new() -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let nth = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("registrar-tests-{}-{nth}", process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Creates a directory with files, given as relative path and text.
    #[must_use]
    pub fn of(files: &[(&str, &str)]) -> Self {
        let folder = Self::new();
        for (within, text) in files {
            folder.write(within, text);
        }
        folder
    }

    /// Returns the path of the directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file and creates its parent directories.
    pub fn write(&self, within: &str, text: &str) {
        let path = self.0.join(within);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

impl Default for TempDir {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        // A directory that cannot be removed does not invalidate the test.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Returns the absolute path of a file or directory in the repository.
#[must_use]
pub fn repository_path(within: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(within)
}
