//! Generated documentation is up to date.

use std::path::Path;

/// Compares a file with its generated content; `UPDATE_DOCS=1` writes it.
fn assert_up_to_date(name: &str, page: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, page).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(written == page, "docs/{name} is out of date: run the tests with UPDATE_DOCS=1");
}

#[test]
fn rules_page_is_up_to_date() {
    assert_up_to_date("rules.md", &registrar_core::rules::page());
}

#[test]
fn fields_page_is_up_to_date() {
    assert_up_to_date("fields.md", &registrar_core::built_ins::page());
}

#[test]
fn form_json_schema_is_up_to_date() {
    let schema = registrar_core::compile::form_format();
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    assert_up_to_date("form.schema.json", &format!("{schema:#}\n"));
}

#[test]
fn forms_are_valid_against_the_form_json_schema() {
    let schema = jsonschema::validator_for(&registrar_core::compile::form_format()).unwrap();
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
        let reported: Vec<String> = schema
            .iter_errors(&tree)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(reported.is_empty(), "{name}: {reported:#?}");
    }
}

#[test]
fn problems_page_is_up_to_date() {
    assert_up_to_date("problems.md", &registrar_core::config::problem_pages());
}
