//! `registrar new form`: the written form is valid with examples that hold.

use registrar_tests::{ProcessOutput, Setup, run_command};

use super::{error_line, setup};

fn new_form(setup: &Setup, arguments: &[&str]) -> ProcessOutput {
    run_command(setup.bare_command(&["new", "form"]).args(arguments))
}

#[test]
fn new_form_of_each_resource_is_valid() {
    let setup = setup();
    let written = new_form(&setup, &["member_sign_up"]).success();
    assert_eq!(written.stdout, "forms/member_sign_up.yml\n");
    new_form(&setup, &["sign-in", "--resource", "Session"]).success();
    let types = setup.folder().join("forms/types");
    for (resource, folder) in [
        ("Transactable", "transactables"),
        ("Relationship", "relationships"),
        ("RelationshipUser", "relationship_users"),
        ("Customization", "customizations"),
    ] {
        std::fs::create_dir_all(types.join(folder)).unwrap();
        std::fs::write(types.join(folder).join("thing.yml"), "name: thing\n").unwrap();
        new_form(&setup, &[resource, "--resource", resource, "--type", "thing"]).success();
    }
    let checked = run_command(&mut setup.bare_command(&["check", "--coverage"])).success();
    assert_eq!(checked.stdout, "");
    assert!(checked.stderr.starts_with("registrar: 6 form(s)"), "{}", checked.stderr);
}

#[test]
fn new_form_refuses_names_that_exist_or_are_invalid() {
    let setup = setup();
    let refusal =
        |arguments: &[&str]| error_line(setup.bare_command(&["new", "form"]).args(arguments));
    for name in ["a/b", "../a", "a b", ".a", "", "-", "ä"] {
        let line = refusal(&["--", name]);
        assert!(line.contains("cannot be the name of a form: expected 1 to 64 letters"), "{line}");
    }
    assert!(!setup.folder().join("forms").exists());
    let untyped = refusal(&["boat", "--resource", "Transactable"]);
    assert!(untyped.contains("needs the type of its records: `--type TYPE`"), "{untyped}");
    new_form(&setup, &["sign_up"]).success();
    let file = setup.folder().join("forms/sign_up.yml");
    std::fs::write(&file, "name: other\nresource: User\nfields: {email: }\n").unwrap();
    let by_file = refusal(&["sign_up"]);
    assert_eq!(by_file, "registrar: the file forms/sign_up.yml exists: choose another name");
    let by_name = refusal(&["other"]);
    assert_eq!(by_name, "registrar: there is a form `other` already: choose another name");
    let unknown_type =
        new_form(&setup, &["boat", "--resource", "Transactable", "--type", "boat"]).failure(1);
    assert!(unknown_type.stderr.contains("boat.yml:4:"), "{}", unknown_type.stderr);
    assert!(!setup.folder().join("forms/boat.yml").exists());
}
