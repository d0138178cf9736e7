//! Invariant 10: all shipped forms compile. Examples are run by the module `examples`.

use registrar_core::config::Policies;
use registrar_server::config_source;
use registrar_tests::repository_path;

#[test]
fn shipped_forms_compile() {
    let registry = config_source::load(&[repository_path("forms")], Policies::Refuse)
        .unwrap_or_else(|error| panic!("{error}"));
    let folders = ["forms", "forms/contracts/forms"].map(repository_path);
    let shipped = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let mut names: Vec<String> = shipped
        .filter_map(|entry| {
            entry
                .unwrap()
                .file_name()
                .into_string()
                .unwrap()
                .strip_suffix(".yml")
                .map(str::to_owned)
        })
        .collect();
    names.sort();
    assert!(names.len() >= 8, "{names:?}");
    let compiled: Vec<&str> = registry.names().iter().map(|name| &**name).collect();
    assert_eq!(compiled, names, "form names equal file names");
}

#[test]
fn shipped_form_examples_pass_and_cover_every_rule() {
    let registry = config_source::load(&[repository_path("forms")], Policies::Refuse)
        .unwrap_or_else(|error| panic!("{error}"));
    let tried = registry.try_examples();
    assert!(tried.count >= 30, "{}", tried.count);
    let reported: Vec<String> =
        tried.failed.iter().chain(&tried.untested).map(ToString::to_string).collect();
    assert!(reported.is_empty(), "{}", reported.join("\n"));
}
