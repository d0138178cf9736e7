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
fn the_schema_of_forms_says_what_forms_can_say() {
    let schema = registrar_core::form::form_format();
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    is_fresh("form.schema.json", &format!("{schema:#}\n"));
}

#[test]
fn every_shipped_form_and_every_form_of_the_cases_is_one_by_that_schema() {
    let schema = jsonschema::validator_for(&registrar_core::form::form_format()).unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../forms");
    let mut forms: Vec<(String, String)> = Vec::new();
    for entry in std::fs::read_dir(shipped).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "yml") {
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(
                text.starts_with("# yaml-language-server: $schema=../docs/form.schema.json\n"),
                "{path:?}"
            );
            forms.push((path.display().to_string(), text));
        }
    }
    for (path, text) in super::cases("submissions") {
        for section in text.split("--- ").filter(|section| section.starts_with("form\n")) {
            forms.push((path.display().to_string(), section[5..].to_owned()));
        }
    }
    assert!(forms.len() > 10);
    for (name, text) in forms {
        let tree = registrar_core::config::yaml_to_json(&text).unwrap();
        let told: Vec<String> = schema
            .iter_errors(&tree)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(told.is_empty(), "{name}: {told:#?}");
    }
}

#[test]
fn the_page_of_mistakes_says_what_the_code_knows() {
    is_fresh("problems.md", &registrar_core::config::problem_pages());
}
