//! `registrar check`: every mistake in the forms, with its place and a hint.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use registrar_core::config::Problem;
use registrar_server::app::BuildError;
use registrar_server::forms::{self, FormsError};
use registrar_server::settings::Settings;

use crate::{Outcome, print, say};

/// `registrar check --resolved FORM`: the form with all that it extends and uses in it.
pub(crate) fn resolved(settings: &Settings, paths: Vec<PathBuf>, form: &str) -> Outcome {
    let folders = if paths.is_empty() { settings.forms.clone() } else { paths };
    match forms::resolved(&folders, form)? {
        Some(text) => {
            print(text.trim_end());
            Ok(ExitCode::SUCCESS)
        }
        None => {
            say(&format!("registrar: there is no form `{form}`"));
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Exit 0 where all is well, 1 where there are mistakes. A single file is judged together with the
/// forms folder it belongs to, but only its own mistakes are told.
pub(crate) fn check(settings: &Settings, paths: Vec<PathBuf>) -> Outcome {
    let paths = if paths.is_empty() { settings.forms.clone() } else { paths };
    let mut folders: Vec<PathBuf> = Vec::new();
    for path in &paths {
        let folder = if path.is_file() { forms::folder_of(path) } else { path.clone() };
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    let problems = match forms::load(&folders) {
        Ok(registry) => {
            for notice in registry.notices() {
                print(&notice.to_string());
            }
            say(&format!("registrar: {} form(s), no problem", registry.names().len()));
            return Ok(ExitCode::SUCCESS);
        }
        Err(FormsError::Invalid(problems)) => problems,
        Err(error) => return Err(error.into()),
    };
    let is_asked = |problem: &&Problem| paths.iter().any(|path| lies_in(&problem.file, path));
    let asked: Vec<&Problem> = problems.iter().filter(is_asked).collect();
    for problem in &asked {
        print(&problem.to_string());
    }
    let elsewhere = problems.len() - asked.len();
    let others =
        if elsewhere == 0 { String::new() } else { format!(", {elsewhere} in other files") };
    say(&format!("registrar: {} problem(s){others}", asked.len()));
    Ok(if asked.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn lies_in(file: &str, path: &Path) -> bool {
    match (Path::new(file).canonicalize(), path.canonicalize()) {
        (Ok(file), Ok(path)) => file.starts_with(path),
        _ => false,
    }
}

/// The problems behind an error, where it is about the forms.
pub(crate) fn problems_of<'e>(
    error: &'e (dyn std::error::Error + 'static),
) -> Option<&'e [Problem]> {
    match error.downcast_ref::<BuildError>()? {
        BuildError::Forms(FormsError::Invalid(problems)) => Some(problems),
        _ => None,
    }
}
