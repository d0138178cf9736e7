//! `registrar init`: writes the files of a template.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use crate::templates::Template;
use crate::{CommandResult, print, print_message};

/// Writes the files of a template to a folder, and prints them with the next commands. Writes nothing and
/// exits with 1 if one of them exists.
pub(crate) fn init(folder: &Path, template: Template) -> CommandResult {
    let is_there = |path: &str| folder.join(path).symlink_metadata().is_ok();
    let existing: Vec<&str> =
        template.files().map(|file| file.path).filter(|path| is_there(path)).collect();
    if !existing.is_empty() {
        for path in &existing {
            print_message(&shown(&folder.join(path)));
        }
        return Err(format!(
            "nothing was written, because {} of the files exist: remove them, or choose another \
             folder with `registrar init DIR`",
            existing.len()
        )
        .into());
    }
    let mut count = 0;
    for file in template.files() {
        let path = folder.join(file.path);
        write_new(&path, file.text)
            .map_err(|error| format!("cannot write {}: {error}", shown(&path)))?;
        print(&shown(&path));
        count += 1;
    }
    let enter = match folder == Path::new(".") {
        true => String::new(),
        false => format!("  cd {}\n", crate::sample_request::quoted_if_needed(folder)),
    };
    print_message(&format!(
        "registrar: wrote {count} files. Next:\n\n{enter}  registrar check --coverage   # run the \
         examples of the forms\n  registrar serve              # serve them, and print a token and a \
         sample request\n  registrar new form NAME      # add a form\n"
    ));
    Ok(ExitCode::SUCCESS)
}

/// Returns a path without a leading `./`.
fn shown(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}

/// Writes a new file with the folders that contain it. Fails if the file exists.
pub(crate) fn write_new(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())
}
