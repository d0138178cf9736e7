//! The documentation: its commands give the answers that it shows, its links resolve, and its pages
//! stay short. CONTRIBUTING.md describes the conventions of executable pages.
//!
//! `REGISTRAR_DOCS=docs/cookbook.md cargo test -p registrar-tests --test suite docs::` runs one page.

mod links;
mod matching;
mod page;
mod session;

use std::path::PathBuf;
use std::{env, fs};

use registrar_tests::{Database, Setup, repository_path};

use page::Page;
use session::Session;

/// Maximum numbers of lines; other pages than these, and generated ones, have at most 400.
const MAX_LINES: [(&str, usize); 2] = [("README.md", 200), ("ARCHITECTURE.md", 150)];
/// Pages that are generated from the code or grow with each release.
const UNLIMITED: [&str; 4] =
    ["CHANGELOG.md", "docs/fields.md", "docs/problems.md", "docs/rules.md"];

/// Returns the Markdown files of the documentation, relative to the repository, sorted.
fn pages() -> Vec<String> {
    let mut pages = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in repository_path("").join(&folder).read_dir().unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            if path.starts_with("docs") && entry.path().is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path.to_str().unwrap().to_owned());
            }
        }
    }
    pages.sort();
    pages
}

fn read(page: &str) -> String {
    fs::read_to_string(repository_path(page)).unwrap()
}

#[test]
fn documented_commands_give_the_documented_output() {
    let only = env::var("REGISTRAR_DOCS").ok();
    let mut failures = Vec::new();
    for name in pages().iter().filter(|name| only.as_ref().is_none_or(|only| only == *name)) {
        let mut page = Page::parse(&read(name));
        page.needs_repository |= name == "README.md";
        let is_run = page.steps.iter().any(|step| matches!(step, page::Step::Command { .. }));
        if !is_run {
            continue;
        }
        let setup = match page.needs_postgres.then(|| Setup::of(Database::Postgres)) {
            Some(None) => continue,
            Some(setup) => setup,
            None => None,
        };
        let database_url = setup.as_ref().map(|setup| setup.settings.database_url.as_str());
        let differences = Session::start(&page, database_url).run(&page);
        failures.extend(differences.iter().map(|difference| format!("{name}, {difference}")));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn documentation_links_resolve() {
    let broken: Vec<String> = pages().iter().flat_map(|page| links::broken(page)).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn pages_are_short() {
    for page in pages() {
        let lines = read(&page).lines().count();
        let limit = MAX_LINES.iter().find(|(name, _)| *name == page).map_or(400, |(_, max)| *max);
        let is_limited = !UNLIMITED.contains(&&*page);
        assert!(!is_limited || lines <= limit, "{page} has {lines} lines, more than {limit}");
    }
}
