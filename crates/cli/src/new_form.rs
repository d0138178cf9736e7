//! `registrar new form`: writes a form to start from.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use registrar_core::config::Problem;
use registrar_core::registry::SourceFile;
use registrar_server::app::BuildError;
use registrar_server::config_source::{self, ConfigError};
use registrar_server::settings::Settings;

use crate::flags::NewFormFlags;
use crate::init::write_new;
use crate::{CommandResult, print, print_message};

/// Maximum length of a name.
const MAX_NAME_LENGTH: usize = 64;
/// Forms folder that is created if there is none.
const DEFAULT_FOLDER: &str = "forms";

/// Writes a form with common fields, rules and examples to the first forms folder.
pub(crate) fn new_form(settings: &Settings, flags: &NewFormFlags) -> CommandResult {
    let name = &flags.name;
    check_name(name)?;
    let text = form_text(flags)?;
    let folders = match settings.forms.is_empty() {
        true => vec![PathBuf::from(DEFAULT_FOLDER)],
        false => settings.forms.clone(),
    };
    let folder = &folders[0];
    let path = folder.join(format!("{name}.yml"));
    let is_new_folder = settings.forms.is_empty() && folder.symlink_metadata().is_err();
    if is_new_folder {
        std::fs::create_dir_all(folder)?;
    }
    let written = write_valid(&folders, settings, name, (&path, &text));
    if is_new_folder && written.is_err() {
        // It is empty, unless another process wrote to it.
        let _ = std::fs::remove_dir(folder);
    }
    written?;
    print(&path.display().to_string());
    print_message(&format!(
        "registrar: wrote the form `{name}`; `registrar check` runs its examples. A server loads it \
         automatically if it was started with this folder"
    ));
    Ok(ExitCode::SUCCESS)
}

fn check_name(name: &str) -> Result<(), String> {
    let is_allowed = |char: char| char.is_ascii_alphanumeric() || "_-".contains(char);
    let starts_well = name.starts_with(|char: char| char.is_ascii_alphanumeric());
    if starts_well && name.len() <= MAX_NAME_LENGTH && name.chars().all(is_allowed) {
        return Ok(());
    }
    Err(format!(
        "`{name}` cannot be the name of a form: expected 1 to {MAX_NAME_LENGTH} letters, digits, `_` or \
         `-`, starting with a letter or digit, such as `sign_up`"
    ))
}

/// Writes the form if its name is free and the configuration is valid with it.
fn write_valid(
    folders: &[PathBuf],
    settings: &Settings,
    name: &str,
    (path, text): (&Path, &str),
) -> Result<(), Box<dyn Error>> {
    if path.symlink_metadata().is_ok() {
        return Err(format!("the file {} exists: choose another name", path.display()).into());
    }
    let registry = config_source::load(folders, settings.policies).map_err(BuildError::Config)?;
    if registry.declares(name) {
        return Err(format!("there is a form `{name}` already: choose another name").into());
    }
    let file = SourceFile {
        file: path.display().to_string().into(),
        within: format!("{name}.yml"),
        text: text.to_owned(),
    };
    let registry = config_source::load_with_file(folders, settings.policies, file.clone())
        .map_err(BuildError::Config)?;
    let failed = registry.try_examples().failed;
    let failed: Vec<Problem> =
        failed.into_iter().filter(|problem| problem.file == file.file).collect();
    if !failed.is_empty() {
        return Err(BuildError::Config(ConfigError::Invalid(failed)).into());
    }
    write_new(path, text)
        .map_err(|error| format!("cannot write {}: {error}", path.display()).into())
}

/// Returns the YAML of a form.
fn form_text(flags: &NewFormFlags) -> Result<String, String> {
    let resource = flags.resource.to_possible_value();
    let resource = resource.as_ref().map_or("User", |value| value.get_name());
    match &flags.record_type {
        None if flags.resource.has_type() => Err(format!(
            "a form for `{resource}` needs the type of its records: `--type TYPE`, the name of a file in \
             the folder `types` (docs/forms.md)"
        )),
        Some(_) if !flags.resource.has_type() => {
            Err(format!("a form for `{resource}` has no type: omit `--type`"))
        }
        Some(record_type) if check_name(record_type).is_err() => {
            Err(format!("`{record_type}` is not the name of a type"))
        }
        record_type => {
            let record_type = record_type.as_deref().unwrap_or_default();
            let text = flags.resource.template();
            Ok(text.replace("NAME", &flags.name).replace("TYPE", record_type))
        }
    }
}
