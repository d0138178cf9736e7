//! Reads configuration files from the forms folders.
//!
//! Number, size and depth of files are bounded, and only regular files are read. Links are followed only
//! within the folders: problems are shown at `/health/ready` and would reveal other files.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use registrar_contracts::Configuration;
use registrar_core::config::{Location, Policies, Problem, ProblemCode};
use registrar_core::registry::{Registry, SourceFile};

use super::built_in;

/// Maximum size of a file in bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// Maximum total size of all files in bytes.
const MAX_TOTAL_BYTES: u64 = 256 << 20;
/// Maximum number of files.
const MAX_FILES: usize = 20_000;
/// Maximum depth of folders.
const MAX_DEPTH: usize = 16;

/// Error loading the configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A forms folder does not exist.
    #[error(
        "the forms folder {} does not exist: expected a folder with forms (*.yml); create one with \
         `registrar init`, or set another one with `--forms`, `REGISTRAR_FORMS` or `forms` in the \
         settings file",
        absolute(.0)
    )]
    Missing(PathBuf),
    /// A folder or file cannot be read.
    #[error("cannot read {path}: {source}", path = .path.display())]
    Unreadable {
        /// The folder or file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The configuration has problems.
    #[error("the configuration has {} problem(s)", .0.len())]
    Invalid(Vec<Problem>),
}

/// Reads and compiles the configuration; without folders, that of the built-in starter forms. `policies`
/// decides about forms with policies that are not enforced.
///
/// # Errors
/// Returns an error if a file cannot be read, or all problems of the configuration.
pub fn load(folders: &[PathBuf], policies: Policies) -> Result<Configuration, ConfigError> {
    let (sources, skipped) = read(folders)?;
    compile(&sources, skipped, policies)
}

/// Reads and compiles the configuration as if it also had a file with this path within the forms folder.
///
/// # Errors
/// Returns an error if a file cannot be read, or all problems of the configuration.
pub fn load_with_file(
    folders: &[PathBuf],
    policies: Policies,
    file: SourceFile,
) -> Result<Configuration, ConfigError> {
    let (mut sources, skipped) = read(folders)?;
    sources.push(file);
    compile(&sources, skipped, policies)
}

fn compile(
    sources: &[SourceFile],
    skipped: Vec<Problem>,
    policies: Policies,
) -> Result<Configuration, ConfigError> {
    match Configuration::compile_with(sources, policies) {
        Ok(registry) if skipped.is_empty() => Ok(registry),
        Ok(_) => Err(ConfigError::Invalid(skipped)),
        Err(mut problems) => {
            problems.extend(skipped);
            problems.sort();
            Err(ConfigError::Invalid(problems))
        }
    }
}

/// Returns a form with everything that it extends and uses as YAML, or `None` if it does not exist.
///
/// # Errors
/// Returns an error if a file cannot be read.
pub fn resolve_form(folders: &[PathBuf], form: &str) -> Result<Option<String>, ConfigError> {
    let (sources, _) = read(folders)?;
    Ok(Registry::print_resolved(&sources, form))
}

/// Returns the forms folder of a file: its nearest ancestor that contains `types/`, else its parent.
#[must_use]
pub fn forms_folder(file: &Path) -> PathBuf {
    let ancestors: Vec<&Path> = file.ancestors().skip(1).collect();
    let is_root = |folder: &&&Path| folder.join("types").is_dir();
    let folder = ancestors.iter().find(is_root).or(ancestors.first()).copied().unwrap_or(file);
    if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() }
}

/// Reads all files, sorted by path, and adds the built-in ones. Also returns problems of skipped files.
fn read(folders: &[PathBuf]) -> Result<(Vec<SourceFile>, Vec<Problem>), ConfigError> {
    let mut listing = FileListing::new(folders)?;
    let mut sources = if folders.is_empty() { built_in::starter_forms() } else { Vec::new() };
    let mut remaining = MAX_TOTAL_BYTES;
    for folder in folders {
        listing.list(folder, "", 0)?;
        let mut files = std::mem::take(&mut listing.files);
        files.sort();
        for (path, within) in files {
            match read_text(&path, &mut remaining).map_err(|source| unreadable(&path, source))? {
                Ok(text) => sources.push(SourceFile { file: display_path(&path), within, text }),
                Err(problem) => listing.problems.push(problem),
            }
            if remaining == 0 {
                return Ok((Vec::new(), listing.problems));
            }
        }
        if listing.is_truncated {
            return Ok((Vec::new(), listing.problems));
        }
    }
    built_in::add_native_contract(&mut sources);
    Ok((sources, listing.problems))
}

/// Reads a file as text, or returns its problem. `remaining` is the number of bytes left of the total size.
fn read_text(path: &Path, remaining: &mut u64) -> io::Result<Result<String, Problem>> {
    // Reading a pipe might never end.
    if !std::fs::metadata(path)?.is_file() {
        return Ok(Err(bad_file(path, "is not a regular file", "a form or a type", None)));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    let length = bytes.len() as u64;
    if length > MAX_FILE_BYTES {
        let what = format!("is larger than {MAX_FILE_BYTES} bytes");
        let hint = "split it: forms can extend one another and use definitions";
        return Ok(Err(bad_file(path, &what, "a form or a type", Some(hint))));
    }
    *remaining = remaining.saturating_sub(length);
    if *remaining == 0 {
        let what = format!("exceeds the total size of {MAX_TOTAL_BYTES} bytes");
        let expected = "a smaller configuration";
        return Ok(Err(bad_file(path, &what, expected, Some(FOLDER_HINT))));
    }
    Ok(String::from_utf8(bytes).map_err(|error| {
        let location = end_of(&error.as_bytes()[..error.utf8_error().valid_up_to()]);
        let problem = bad_file(path, "is not UTF-8 here", "UTF-8", Some("save it as UTF-8"));
        Problem { location, ..problem }
    }))
}

/// Returns the location at the end of a text.
fn end_of(text: &[u8]) -> Location {
    let text = String::from_utf8_lossy(text);
    let last = text.rsplit('\n').next().unwrap_or_default();
    let mut location = Location::START;
    location.line += text.matches('\n').count() as u64;
    location.column += last.chars().count() as u64;
    location
}

/// Hint for a folder that is unlikely to hold configuration.
const FOLDER_HINT: &str = "is it the forms folder?";

fn bad_file(path: &Path, what: &str, expected: &str, hint: Option<&str>) -> Problem {
    Problem {
        file: display_path(path),
        location: Location::START,
        code: ProblemCode::BadFile,
        what: format!("the file {what}"),
        expected: expected.to_owned(),
        hint: hint.map(str::to_owned),
    }
}

/// Returns a path as text, absolute if the current folder is known.
fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

/// Returns a path as the user wrote it.
fn display_path(path: &Path) -> Arc<str> {
    path.display().to_string().into()
}

fn unreadable(path: &Path, source: io::Error) -> ConfigError {
    ConfigError::Unreadable { path: path.to_owned(), source }
}

/// Files found in the forms folders.
struct FileListing {
    /// Canonical paths of the folders.
    roots: Vec<PathBuf>,
    /// Path of each file, and its path relative to the forms folder.
    files: Vec<(PathBuf, String)>,
    /// Problems of skipped files.
    problems: Vec<Problem>,
    /// Number of files in all folders.
    number: usize,
    /// True if a limit was exceeded and the listing is incomplete.
    is_truncated: bool,
}

impl FileListing {
    fn new(folders: &[PathBuf]) -> Result<Self, ConfigError> {
        let real = |folder: &PathBuf| {
            folder.canonicalize().map_err(|source| match source.kind() {
                io::ErrorKind::NotFound => ConfigError::Missing(folder.clone()),
                _ => unreadable(folder, source),
            })
        };
        let roots = folders.iter().map(real).collect::<Result<_, _>>()?;
        Ok(Self { roots, files: Vec::new(), problems: Vec::new(), number: 0, is_truncated: false })
    }

    /// Lists the files of a folder recursively, without hidden files and `*.md`.
    fn list(&mut self, folder: &Path, within: &str, depth: usize) -> Result<(), ConfigError> {
        let failed = |source| unreadable(folder, source);
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if name.starts_with('.') || name.ends_with(".md") {
                continue;
            }
            let is_link = entry.file_type().map_err(failed)?.is_symlink();
            if is_link && !self.is_inside(&path).map_err(|source| unreadable(&path, source))? {
                let what = "is a link to a target outside the forms folders";
                let hint = "put the file itself there, or name its folder with `--forms` as well";
                let problem = bad_file(&path, what, "files within the folders", Some(hint));
                self.problems.push(problem);
                continue;
            }
            if self.number >= MAX_FILES || depth >= MAX_DEPTH {
                self.is_truncated = true;
                let what = if depth >= MAX_DEPTH {
                    format!("lies deeper than {MAX_DEPTH} folders")
                } else {
                    format!("exceeds the number of {MAX_FILES} files")
                };
                let expected = "a folder of forms and types";
                self.problems.push(bad_file(&path, &what, expected, Some(FOLDER_HINT)));
                return Ok(());
            }
            let within = if within.is_empty() { name } else { format!("{within}/{name}") };
            if path.is_dir() {
                self.list(&path, &within, depth + 1)?;
                if self.is_truncated {
                    return Ok(());
                }
            } else {
                self.number += 1;
                self.files.push((path, within));
            }
        }
        Ok(())
    }

    /// Returns whether the target of a link lies in one of the folders.
    fn is_inside(&self, link: &Path) -> io::Result<bool> {
        let target = link.canonicalize()?;
        Ok(self.roots.iter().any(|root| target.starts_with(root)))
    }
}
