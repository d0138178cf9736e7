//! Reads the forms folders. What is in the files is the core's business.

use std::path::{Path, PathBuf};

use registrar_core::config::{Place, Problem, ProblemCode};
use registrar_core::registry::{Registry, Source};

/// The largest file that is read, in bytes.
const LARGEST: u64 = 1024 * 1024;
/// The most files that are read.
const MOST: usize = 50_000;
/// The deepest folder that is looked into.
const DEEPEST: usize = 16;

/// The contract of the native API, which is there unless a folder has one of its own.
const NATIVE: &str = include_str!("../../../forms/contracts/platformos.yml");

/// Why there is no registry.
#[derive(Debug, thiserror::Error)]
pub enum FormsError {
    /// A folder or a file cannot be read.
    #[error("cannot read {path}: {source}", path = .path.display())]
    Unreadable {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There are more files, or deeper folders, than a configuration has.
    #[error("{path} holds more than {MOST} files or goes deeper than {DEEPEST} folders: is it the forms folder?", path = .path.display())]
    TooMuch {
        /// Where it was noticed.
        path: PathBuf,
    },
    /// The configuration is wrong.
    #[error("the configuration has {} problem(s)", .0.len())]
    Invalid(Vec<Problem>),
}

/// Reads and compiles the configuration in these folders.
///
/// # Errors
/// Where something cannot be read, or is wrong; then with everything that is.
pub fn load(folders: &[PathBuf]) -> Result<Registry, FormsError> {
    let (sources, too_large) = read(folders)?;
    match Registry::compile(&sources) {
        Ok(registry) if too_large.is_empty() => Ok(registry),
        Ok(_) => Err(FormsError::Invalid(too_large)),
        Err(mut problems) => {
            problems.extend(too_large);
            problems.sort();
            Err(FormsError::Invalid(problems))
        }
    }
}

/// A form with all that it extends and uses in it, as YAML; nothing where there is no such form.
///
/// # Errors
/// Where something cannot be read.
pub fn resolved(folders: &[PathBuf], form: &str) -> Result<Option<String>, FormsError> {
    let (sources, _) = read(folders)?;
    Ok(Registry::resolved(&sources, form))
}

/// The forms folder that a single file belongs to: the nearest one above it with `types/` in it,
/// else the folder it lies in.
#[must_use]
pub fn folder_of(file: &Path) -> PathBuf {
    let above: Vec<&Path> = file.ancestors().skip(1).collect();
    let is_root = |folder: &&&Path| folder.join("types").is_dir();
    let folder = above.iter().find(is_root).or(above.first()).copied().unwrap_or(file);
    if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() }
}

/// Reads all files of these folders, sorted by their path within; and what is built in.
fn read(folders: &[PathBuf]) -> Result<(Vec<Source>, Vec<Problem>), FormsError> {
    let mut sources = Vec::new();
    let mut too_large = Vec::new();
    for folder in folders {
        let mut files = Vec::new();
        list(folder, "", 0, &mut files)?;
        files.sort();
        for (path, within) in files {
            let unreadable = |source| FormsError::Unreadable { path: path.clone(), source };
            let file = path.display().to_string().into();
            if std::fs::metadata(&path).map_err(unreadable)?.len() > LARGEST {
                too_large.push(Problem {
                    file,
                    place: Place::START,
                    code: ProblemCode::BadFile,
                    what: format!("the file is larger than {LARGEST} bytes"),
                    expected: "a form or a type".to_owned(),
                    hint: None,
                });
                continue;
            }
            let text = std::fs::read_to_string(&path).map_err(unreadable)?;
            sources.push(Source { file, within, text });
        }
    }
    let is_native = |source: &Source| {
        matches!(&*source.within, "contracts/platformos.yml" | "contracts/platformos.yaml")
    };
    if !sources.iter().any(is_native) {
        let within = "contracts/platformos.yml".to_owned();
        let file = format!("{within} (built in)").into();
        sources.push(Source { file, within, text: NATIVE.to_owned() });
    }
    Ok((sources, too_large))
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Lists files but hidden ones and those for people (`*.md`).
fn list(
    folder: &Path,
    within: &str,
    depth: usize,
    files: &mut Vec<(PathBuf, String)>,
) -> Result<(), FormsError> {
    let unreadable = |source| FormsError::Unreadable { path: folder.into(), source };
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = file_name(&path);
        if name.starts_with('.') || name.ends_with(".md") {
            continue;
        }
        if files.len() >= MOST || depth >= DEEPEST {
            return Err(FormsError::TooMuch { path });
        }
        let within = if within.is_empty() { name } else { format!("{within}/{name}") };
        if path.is_dir() {
            list(&path, &within, depth + 1, files)?;
        } else {
            files.push((path, within));
        }
    }
    Ok(())
}
