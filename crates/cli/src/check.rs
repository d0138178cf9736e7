//! `registrar check`: every mistake in the forms, with its place and a hint.

use std::path::PathBuf;
use std::process::ExitCode;

use registrar_core::config::Problem;
use registrar_server::app::BuildError;
use registrar_server::forms::{self, FormsError};
use registrar_server::settings::Settings;

use crate::{Outcome, print, say};

/// Exit 0 where all is well, 1 where there are mistakes.
pub(crate) fn check(settings: &Settings, paths: Vec<PathBuf>) -> Outcome {
    let paths = if paths.is_empty() { settings.forms.clone() } else { paths };
    match forms::load(&paths) {
        Ok(registry) => {
            say(&format!("registrar: {} form(s), no problem", registry.names().len()));
            Ok(ExitCode::SUCCESS)
        }
        Err(FormsError::Invalid(problems)) => {
            for problem in &problems {
                print(&problem.to_string());
            }
            say(&format!("registrar: {} problem(s)", problems.len()));
            Ok(ExitCode::FAILURE)
        }
        Err(error) => Err(error.into()),
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
