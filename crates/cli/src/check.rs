//! `registrar check`: every mistake in the forms, with its place and a hint; their examples, run.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use registrar_core::config::{Policies, Problem, ProblemCode, nearest, problem_pages};
use registrar_core::form::form_format;
use registrar_core::rules::{self, RULES};
use registrar_server::app::BuildError;
use registrar_server::forms::{self, FormsError};
use registrar_server::settings::Settings;

use crate::flags::CheckFlags;
use crate::report::{Counts, Finding, Format, Weight, render};
use crate::{Outcome, print, say};

/// Exit 0 where all is well, 1 where there are mistakes or examples that do not hold. A single file
/// is judged together with the forms folder it belongs to, but only its own mistakes are told.
pub(crate) fn check(settings: &Settings, flags: CheckFlags) -> Outcome {
    let paths = if flags.paths.is_empty() { settings.forms.clone() } else { flags.paths };
    if let Some(form) = &flags.resolved {
        return resolved(&paths, form);
    }
    let (found, counts) = find(&folders(&paths), settings.policies, flags.coverage)?;
    let is_asked = |(_, problem): &Finding| paths.iter().any(|path| lies_in(&problem.file, path));
    let (asked, elsewhere): (Vec<Finding>, Vec<Finding>) = found.into_iter().partition(is_asked);
    let report = render(flags.format, &asked, counts);
    if !report.is_empty() {
        print(&report);
    }
    let wrong =
        |found: &[Finding]| found.iter().filter(|(weight, _)| *weight == Weight::Error).count();
    let (here, others) = (wrong(&asked), wrong(&elsewhere));
    if flags.format == Format::Text {
        summarize(here, others, counts);
    }
    Ok(if here == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn summarize(here: usize, others: usize, Counts { forms, examples }: Counts) {
    let elsewhere = if others == 0 { String::new() } else { format!(", {others} in other files") };
    match (here, others) {
        (0, 0) => say(&format!("registrar: {forms} form(s), {examples} example(s), no problem")),
        _ => say(&format!("registrar: {here} problem(s){elsewhere}")),
    }
}

/// The folders that paths are in, each once.
fn folders(paths: &[PathBuf]) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = Vec::new();
    for path in paths {
        let folder = if path.is_file() { forms::folder_of(path) } else { path.clone() };
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    folders
}

/// Everything there is to say of a configuration.
fn find(
    folders: &[PathBuf],
    policies: Policies,
    coverage: bool,
) -> Result<(Vec<Finding>, Counts), FormsError> {
    let registry = match forms::load(folders, policies) {
        Ok(registry) => registry,
        Err(FormsError::Invalid(problems)) => {
            let found = problems.into_iter().map(|problem| (Weight::Error, problem));
            return Ok((found.collect(), Counts::default()));
        }
        Err(error) => return Err(error),
    };
    let tried = registry.try_examples();
    let notes = registry.notices().iter().cloned().map(|notice| (Weight::Note, notice));
    let mut found: Vec<Finding> = notes.collect();
    found.extend(tried.failed.into_iter().map(|problem| (Weight::Error, problem)));
    if coverage {
        found.extend(tried.untested.into_iter().map(|problem| (Weight::Error, problem)));
    }
    found.sort_by(|(_, one), (_, other)| one.cmp(other));
    Ok((found, Counts { forms: registry.names().len(), examples: tried.count }))
}

/// `registrar check --resolved FORM`: the form with all that it extends and uses in it.
fn resolved(paths: &[PathBuf], form: &str) -> Outcome {
    match forms::resolved(&folders(paths), form)? {
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

fn lies_in(file: &str, path: &Path) -> bool {
    // A link lies where it is, wherever it leads.
    if Path::new(file).starts_with(path) {
        return true;
    }
    match (Path::new(file).canonicalize(), path.canonicalize()) {
        (Ok(file), Ok(path)) => file.starts_with(path),
        _ => false,
    }
}

/// `registrar schema [FORM]`: of what is submitted to a form, or of forms themselves.
pub(crate) fn schema(settings: &Settings, form: Option<&str>) -> Outcome {
    let Some(name) = form else {
        print(&format!("{:#}", form_format()));
        return Ok(ExitCode::SUCCESS);
    };
    let registry = forms::load(&settings.forms, settings.policies).map_err(BuildError::Forms)?;
    let names = registry.names().iter().map(|name| &**name);
    let schema = registry.form(name).map(|form| format!("{:#}", form.submission_schema()));
    tell(schema, "form", name, names)
}

/// `registrar openapi`: what is served, for programs.
pub(crate) fn openapi(settings: &Settings) -> Outcome {
    let registry = forms::load(&settings.forms, settings.policies).map_err(BuildError::Forms)?;
    let document: serde_json::Value = serde_json::from_slice(&registry.openapi())?;
    print(&format!("{document:#}"));
    Ok(ExitCode::SUCCESS)
}

/// `registrar rules [NAME]`: what rules there are, or what one does.
pub(crate) fn rules(name: Option<&str>) -> Outcome {
    let Some(name) = name else {
        print(rules::page().trim_end());
        return Ok(ExitCode::SUCCESS);
    };
    let names =
        RULES.iter().flat_map(|rule| [rule.name].into_iter().chain(rule.aliases.iter().copied()));
    tell(rules::named(name).map(rules::page_of), "rule", name, names)
}

/// `registrar explain [KIND]`: what a kind of mistake means.
pub(crate) fn explain(kind: Option<&str>) -> Outcome {
    let Some(kind) = kind else {
        print(problem_pages().trim_end());
        return Ok(ExitCode::SUCCESS);
    };
    let names = ProblemCode::ALL.iter().map(|code| code.as_str());
    tell(ProblemCode::named(kind).map(ProblemCode::page), "kind of mistake", kind, names)
}

fn tell<'n>(
    page: Option<String>,
    what: &str,
    name: &str,
    names: impl Iterator<Item = &'n str>,
) -> Outcome {
    if let Some(page) = page {
        print(page.trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let near = nearest(name, names).map(|near| format!(": did you mean `{near}`?"));
    say(&format!("registrar: there is no {what} `{name}`{}", near.unwrap_or_default()));
    Ok(ExitCode::FAILURE)
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
