//! `registrar check` and the commands that print schemas, rules and problem kinds.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use registrar_core::compile::form_format;
use registrar_core::config::{Policies, Problem, ProblemCode, nearest, problem_pages};
use registrar_core::rules::{self, RULES};
use registrar_server::app::BuildError;
use registrar_server::config_source::{self, ConfigError};
use registrar_server::settings::Settings;

use crate::finding::{Finding, Severity};
use crate::flags::CheckFlags;
use crate::report::{CheckStats, Format, render};
use crate::{CommandResult, built_in_forms_notice, print, print_message};

/// Checks the configuration and runs its examples. Exits with 1 if there are errors. A file is checked
/// together with its forms folder, but only its own problems are reported.
pub(crate) fn check(settings: &Settings, flags: CheckFlags) -> CommandResult {
    let paths = if flags.paths.is_empty() { settings.forms.clone() } else { flags.paths };
    if let Some(notice) = built_in_forms_notice(settings).filter(|_| paths.is_empty()) {
        print_message(notice);
    }
    if let Some(form) = &flags.resolved {
        return resolved(&paths, form);
    }
    let (found, stats) = find(&folders(&paths), settings.policies, flags.coverage)?;
    let is_selected = |(_, problem): &Finding| {
        paths.is_empty() || paths.iter().any(|path| lies_in(&problem.file, path))
    };
    let (selected, elsewhere): (Vec<Finding>, Vec<Finding>) =
        found.into_iter().partition(is_selected);
    let report = render(flags.format, &selected, stats);
    if !report.is_empty() {
        print(&report);
    }
    let errors = |found: &[Finding]| {
        found.iter().filter(|(severity, _)| *severity == Severity::Error).count()
    };
    let (here, others) = (errors(&selected), errors(&elsewhere));
    // Otherwise a wrong folder would pass, for example in CI.
    if stats.forms == 0 && here + others == 0 {
        let folders: Vec<String> =
            paths.iter().map(|path| format!("`{}`", path.display())).collect();
        return Err(format!(
            "there is no form in {}: expected form files (`*.yml`); `registrar new form NAME` writes one",
            folders.join(", ")
        )
        .into());
    }
    if matches!(flags.format, Format::Text | Format::Short) {
        summarize(here, others, stats);
    }
    Ok(if here == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn summarize(here: usize, others: usize, CheckStats { forms, examples }: CheckStats) {
    let elsewhere = if others == 0 { String::new() } else { format!(", {others} in other files") };
    match (here, others) {
        (0, 0) => {
            print_message(&format!("registrar: {forms} form(s), {examples} example(s), no problem"))
        }
        _ => print_message(&format!("registrar: {here} problem(s){elsewhere}")),
    }
}

/// Returns the forms folders of the paths, without duplicates.
fn folders(paths: &[PathBuf]) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = Vec::new();
    for path in paths {
        let folder = if path.is_file() { config_source::forms_folder(path) } else { path.clone() };
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    folders
}

/// Returns all findings of a configuration.
fn find(
    folders: &[PathBuf],
    policies: Policies,
    coverage: bool,
) -> Result<(Vec<Finding>, CheckStats), ConfigError> {
    let registry = match config_source::load(folders, policies) {
        Ok(registry) => registry,
        Err(ConfigError::Invalid(problems)) => {
            let found = problems.into_iter().map(|problem| (Severity::Error, problem));
            return Ok((found.collect(), CheckStats::default()));
        }
        Err(error) => return Err(error),
    };
    let results = registry.try_examples();
    let notes = registry.notices().iter().cloned().map(|notice| (Severity::Note, notice));
    let mut found: Vec<Finding> = notes.collect();
    found.extend(results.failed.into_iter().map(|problem| (Severity::Error, problem)));
    if coverage {
        found.extend(results.untested.into_iter().map(|problem| (Severity::Error, problem)));
    }
    found.sort_by(|(_, one), (_, other)| one.cmp(other));
    Ok((found, CheckStats { forms: registry.names().len(), examples: results.count }))
}

/// `registrar check --resolved FORM`: prints a form with everything that it extends and uses.
fn resolved(paths: &[PathBuf], form: &str) -> CommandResult {
    match config_source::resolve_form(&folders(paths), form)? {
        Some(text) => {
            print(text.trim_end());
            Ok(ExitCode::SUCCESS)
        }
        None => {
            print_message(&format!("registrar: there is no form `{form}`"));
            Ok(ExitCode::FAILURE)
        }
    }
}

fn lies_in(file: &str, path: &Path) -> bool {
    // A link lies where its own path is, whatever its target.
    if Path::new(file).starts_with(path) {
        return true;
    }
    match (Path::new(file).canonicalize(), path.canonicalize()) {
        (Ok(file), Ok(path)) => file.starts_with(path),
        _ => false,
    }
}

/// `registrar schema [FORM]`: prints the JSON Schema of submissions to a form, or of forms.
pub(crate) fn schema(settings: &Settings, form: Option<&str>) -> CommandResult {
    let Some(name) = form else {
        print(&format!("{:#}", form_format()));
        return Ok(ExitCode::SUCCESS);
    };
    let registry =
        config_source::load(&settings.forms, settings.policies).map_err(BuildError::Config)?;
    let names = registry.names().iter().map(|name| &**name);
    let schema = registry.form(name).map(|form| format!("{:#}", form.submission_schema()));
    print_page(schema, "form", name, names)
}

/// `registrar openapi`: prints the OpenAPI document of the served configuration.
pub(crate) fn openapi(settings: &Settings) -> CommandResult {
    let registry =
        config_source::load(&settings.forms, settings.policies).map_err(BuildError::Config)?;
    let document: serde_json::Value = serde_json::from_slice(&registry.openapi())?;
    print(&format!("{document:#}"));
    Ok(ExitCode::SUCCESS)
}

/// `registrar rules [NAME]`: prints the documentation of all rules, or of one.
pub(crate) fn rules(name: Option<&str>) -> CommandResult {
    let Some(name) = name else {
        print(rules::page().trim_end());
        return Ok(ExitCode::SUCCESS);
    };
    let names =
        RULES.iter().flat_map(|rule| [rule.name].into_iter().chain(rule.aliases.iter().copied()));
    print_page(rules::named(name).map(rules::page_of), "rule", name, names)
}

/// `registrar explain [KIND]`: prints the documentation of all kinds of problems, or of one.
pub(crate) fn explain(kind: Option<&str>) -> CommandResult {
    let Some(kind) = kind else {
        print(problem_pages().trim_end());
        return Ok(ExitCode::SUCCESS);
    };
    let names = ProblemCode::ALL.iter().map(|code| code.as_str());
    print_page(ProblemCode::named(kind).map(ProblemCode::page), "kind of problem", kind, names)
}

fn print_page<'n>(
    page: Option<String>,
    what: &str,
    name: &str,
    names: impl Iterator<Item = &'n str>,
) -> CommandResult {
    if let Some(page) = page {
        print(page.trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let near = nearest(name, names).map(|near| format!(": did you mean `{near}`?"));
    print_message(&format!("registrar: there is no {what} `{name}`{}", near.unwrap_or_default()));
    Ok(ExitCode::FAILURE)
}

/// Returns the problems of an error, or `None` if it is not about the configuration.
pub(crate) fn problems_of<'e>(
    error: &'e (dyn std::error::Error + 'static),
) -> Option<&'e [Problem]> {
    match error.downcast_ref::<BuildError>()? {
        BuildError::Config(ConfigError::Invalid(problems)) => Some(problems),
        _ => None,
    }
}
