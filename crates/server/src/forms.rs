//! Reads the forms folders. What is in the files is the core's business.
//!
//! Nothing that lies there takes the server down: files are regular ones and none is larger, nor are
//! there more of them or deeper folders, than a configuration has. Links are followed within the
//! folders only: what is wrong with a file is told at `/health/ready`, so that a link from there to
//! elsewhere would show what is there.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use registrar_core::config::{Location, Policies, Problem, ProblemCode};
use registrar_core::registry::{Registry, SourceFile};

/// The largest file that is read, in bytes.
const LARGEST: u64 = 1 << 20;
/// The most that all files may come to, in bytes.
const WHOLE: u64 = 256 << 20;
/// The most files that are read.
const MOST: usize = 20_000;
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
    /// The configuration is wrong.
    #[error("the configuration has {} problem(s)", .0.len())]
    Invalid(Vec<Problem>),
}

/// Reads and compiles the configuration in these folders. `policies` says what becomes of forms with
/// policies that are not enforced.
///
/// # Errors
/// Where something cannot be read, or is wrong; then with everything that is.
pub fn load(folders: &[PathBuf], policies: Policies) -> Result<Registry, FormsError> {
    let (sources, unread) = read(folders)?;
    match Registry::compile_with(&sources, policies) {
        Ok(registry) if unread.is_empty() => Ok(registry),
        Ok(_) => Err(FormsError::Invalid(unread)),
        Err(mut problems) => {
            problems.extend(unread);
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
    Ok(Registry::print_resolved(&sources, form))
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

/// Reads all files of these folders, sorted by their path within; and what is built in. Gives also
/// what is wrong with those that are not read.
fn read(folders: &[PathBuf]) -> Result<(Vec<SourceFile>, Vec<Problem>), FormsError> {
    let mut listing = Listing::new(folders)?;
    let mut sources = Vec::new();
    let mut left = WHOLE;
    for folder in folders {
        listing.list(folder, "", 0)?;
        let mut files = std::mem::take(&mut listing.files);
        files.sort();
        for (path, within) in files {
            match text(&path, &mut left).map_err(|source| unreadable(&path, source))? {
                Ok(text) => sources.push(SourceFile { file: shown(&path), within, text }),
                Err(problem) => listing.problems.push(problem),
            }
            if left == 0 {
                return Ok((Vec::new(), listing.problems));
            }
        }
        if listing.is_over {
            return Ok((Vec::new(), listing.problems));
        }
    }
    let is_native = |source: &SourceFile| {
        matches!(&*source.within, "contracts/platformos.yml" | "contracts/platformos.yaml")
    };
    if !sources.iter().any(is_native) {
        let within = "contracts/platformos.yml".to_owned();
        let file = format!("{within} (built in)").into();
        sources.push(SourceFile { file, within, text: NATIVE.to_owned() });
    }
    Ok((sources, listing.problems))
}

/// The text of a file; what is wrong where it is none. What it takes of what is left may be all.
fn text(path: &Path, left: &mut u64) -> io::Result<Result<String, Problem>> {
    // A pipe would never end.
    if !std::fs::metadata(path)?.is_file() {
        return Ok(Err(bad_file(
            path,
            Location::START,
            "is no regular file",
            "a form or a type",
            None,
        )));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    let length = bytes.len() as u64;
    if length > LARGEST {
        let what = format!("is larger than {LARGEST} bytes");
        let hint = "divide it: forms can extend one another and use definitions";
        return Ok(Err(bad_file(path, Location::START, &what, "a form or a type", Some(hint))));
    }
    *left = left.saturating_sub(length);
    if *left == 0 {
        let what = format!("is where all files come to {WHOLE} bytes");
        let expected = "forms and types that come to less";
        return Ok(Err(bad_file(path, Location::START, &what, expected, Some(IS_IT))));
    }
    Ok(String::from_utf8(bytes).map_err(|error| {
        let place = place_behind(&error.as_bytes()[..error.utf8_error().valid_up_to()]);
        bad_file(path, place, "is not UTF-8 here", "UTF-8", Some("save it as UTF-8"))
    }))
}

/// The place behind a text.
fn place_behind(text: &[u8]) -> Location {
    let text = String::from_utf8_lossy(text);
    let last = text.rsplit('\n').next().unwrap_or_default();
    let mut place = Location::START;
    place.line += text.matches('\n').count() as u64;
    place.column += last.chars().count() as u64;
    place
}

/// What is asked of whoever named a folder that no configuration looks like.
const IS_IT: &str = "is it the forms folder?";

fn bad_file(
    path: &Path,
    place: Location,
    what: &str,
    expected: &str,
    hint: Option<&str>,
) -> Problem {
    Problem {
        file: shown(path),
        place,
        code: ProblemCode::BadFile,
        what: format!("the file {what}"),
        expected: expected.to_owned(),
        hint: hint.map(str::to_owned),
    }
}

/// A path as the person who named the folder would write it.
fn shown(path: &Path) -> Arc<str> {
    path.display().to_string().into()
}

fn unreadable(path: &Path, source: io::Error) -> FormsError {
    FormsError::Unreadable { path: path.to_owned(), source }
}

/// The files that are found.
struct Listing {
    /// The folders without links in their paths.
    roots: Vec<PathBuf>,
    /// Paths, and the same from their forms folder on.
    files: Vec<(PathBuf, String)>,
    /// What is wrong with those that are not listed.
    problems: Vec<Problem>,
    /// How many were listed of all folders.
    number: usize,
    /// Whether there was too much, so that not all is listed.
    is_over: bool,
}

impl Listing {
    fn new(folders: &[PathBuf]) -> Result<Self, FormsError> {
        let real =
            |folder: &PathBuf| folder.canonicalize().map_err(|source| unreadable(folder, source));
        let roots = folders.iter().map(real).collect::<Result<_, _>>()?;
        Ok(Self { roots, files: Vec::new(), problems: Vec::new(), number: 0, is_over: false })
    }

    /// Lists files but hidden ones and those for people (`*.md`).
    fn list(&mut self, folder: &Path, within: &str, depth: usize) -> Result<(), FormsError> {
        let failed = |source| unreadable(folder, source);
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if name.starts_with('.') || name.ends_with(".md") {
                continue;
            }
            let is_link = entry.file_type().map_err(failed)?.is_symlink();
            if is_link && !self.is_inside(&path).map_err(|source| unreadable(&path, source))? {
                let what = "is a link that leads out of the forms folders";
                let hint = "put the file itself there, or name its folder with `--forms` as well";
                let problem =
                    bad_file(&path, Location::START, what, "files within the folders", Some(hint));
                self.problems.push(problem);
                continue;
            }
            if self.number >= MOST || depth >= DEEPEST {
                self.is_over = true;
                let what = if depth >= DEEPEST {
                    format!("lies deeper than {DEEPEST} folders")
                } else {
                    format!("is one of more than {MOST}")
                };
                let expected = "a folder of forms and types";
                self.problems.push(bad_file(&path, Location::START, &what, expected, Some(IS_IT)));
                return Ok(());
            }
            let within = if within.is_empty() { name } else { format!("{within}/{name}") };
            if path.is_dir() {
                self.list(&path, &within, depth + 1)?;
                if self.is_over {
                    return Ok(());
                }
            } else {
                self.number += 1;
                self.files.push((path, within));
            }
        }
        Ok(())
    }

    /// Whether what a link leads to lies in one of the folders.
    fn is_inside(&self, link: &Path) -> io::Result<bool> {
        let target = link.canonicalize()?;
        Ok(self.roots.iter().any(|root| target.starts_with(root)))
    }
}
