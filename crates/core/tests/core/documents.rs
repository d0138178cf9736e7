//! Documents that are rendered from the code.

use std::path::Path;

/// Compares a document with what the code renders; `UPDATE_DOCS=1` writes it.
fn is_fresh(name: &str, page: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, page).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(written == page, "docs/{name} is old: run the tests once with UPDATE_DOCS=1");
}

#[test]
fn the_page_of_rules_says_what_the_rules_say() {
    is_fresh("rules.md", &registrar_core::rules::page());
}

#[test]
fn the_page_of_mistakes_says_what_the_code_knows() {
    is_fresh("problems.md", &registrar_core::config::problem_pages());
}
