//! A folder without `forms/`: the built-in form `sign_up` is used.

use registrar_tests::{Process, Setup, TempDir, run_command};
use serde_json::json;

use super::{error_line, setup};

const NOTICE: &str = "registrar: there is no folder `forms`: the built-in form `sign_up` is used; \
                      `registrar init` ";

#[test]
fn serve_without_forms_folder_serves_the_built_in_form() {
    let setup = setup();
    let server = Process::start(&mut setup.bare_command(&["serve", "--listen", "127.0.0.1:0"]));
    let client = server.client(&server.first_token());
    let output = server.stderr();
    assert_eq!(output.lines().filter(|line| line.starts_with(NOTICE)).count(), 1, "{output}");
    assert_eq!(
        client.submit("sign_up", &json!({})).is(422).json()["errors"]["email"][0],
        "can't be blank"
    );
    let served = client.get("/api/form_configurations").is(200).json();
    assert!(served.to_string().contains(r#""sign_up""#), "{served}");
    // A folder that is created later is served after a restart.
    let folder = setup.folder().join("forms");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("other.yml"), "resource: User\nfields: {email: }\n").unwrap();
    server.send_sighup();
    assert_eq!(
        client.submit("sign_up", &json!({})).is(422).json()["errors"]["email"][0],
        "can't be blank"
    );
    server.send_sigterm();
    let output = server.wait_for_exit().success().stderr;
    assert!(!output.contains("ERROR"), "{output}");
    let again = Process::start(&mut setup.bare_command(&["serve", "--listen", "127.0.0.1:0"]));
    assert!(!again.stderr().contains(NOTICE));
}

fn stdout(setup: &Setup, arguments: &[&str]) -> String {
    run_command(&mut setup.bare_command(arguments)).success().stdout
}

#[test]
fn other_commands_use_the_built_in_form() {
    let setup = setup();
    let checked = run_command(&mut setup.bare_command(&["check", "--coverage"])).success();
    assert!(checked.stderr.starts_with(NOTICE), "{checked:?}");
    assert!(checked.stderr.ends_with("registrar: 1 form(s), 4 example(s), no problem\n"));
    assert!(stdout(&setup, &["routes"]).contains("/api/users"));
    assert!(stdout(&setup, &["schema", "sign_up"]).contains("terms_of_service"));
    assert!(stdout(&setup, &["openapi"]).contains("sign_up"));
    let resolved = stdout(&setup, &["check", "--resolved", "sign_up"]);
    assert!(resolved.contains("sign_up.yml (built in):"), "{resolved}");
    assert!(stdout(&setup, &["token", "create", "web", "--form", "sign_up"]).starts_with("reg_"));
}

#[test]
fn check_fails_without_a_form() {
    let setup = setup();
    std::fs::create_dir(setup.folder().join("forms")).unwrap();
    let nothing = error_line(&mut setup.bare_command(&["check"]));
    assert!(nothing.contains("there is no form in `forms`: expected"), "{nothing}");
}

#[test]
fn token_create_reports_a_new_database_and_splits_forms() {
    let setup = setup();
    let create = |name| {
        let mut command = setup.bare_command(&["token", "create", name, "--form", "a,b"]);
        run_command(&mut command).success().stderr
    };
    assert!(create("web").contains("a NEW database was created"));
    assert_eq!(create("app"), "");
    let listed = stdout(&setup, &["token", "list"]);
    assert!(listed.contains("through a,b"), "{listed}");
}

#[test]
fn missing_forms_folder_that_is_set_is_reported() {
    let setup = setup();
    let nowhere = setup.folder().join("nowhere");
    let expected =
        format!("registrar: the forms folder {} does not exist: expected ", nowhere.display());
    for command in ["serve", "check", "routes", "openapi"] {
        let by_flag = error_line(&mut setup.bare_command(&[command, "--forms", "nowhere"]));
        assert!(
            by_flag.starts_with(&expected) && by_flag.contains("`registrar init`"),
            "{by_flag}"
        );
    }
    let by_env = error_line(setup.bare_command(&["serve"]).env("REGISTRAR_FORMS", "nowhere"));
    assert!(by_env.starts_with(&expected), "{by_env}");
    std::fs::write(setup.folder().join("registrar.yml"), "forms: [nowhere]\n").unwrap();
    let by_file = error_line(&mut setup.bare_command(&["serve"]));
    assert!(by_file.starts_with(&expected), "{by_file}");
    let named = error_line(&mut setup.bare_command(&["check", "--forms", "forms"]));
    assert!(named.contains("/forms does not exist"), "{named}");
    assert!(!setup.folder().join("data").exists());
}

#[test]
fn forms_folder_of_the_user_replaces_the_built_in_form() {
    let folder = TempDir::of(&[("forms/own.yml", "resource: User\nfields: {email: }\n")]);
    let checked =
        run_command(setup().bare_command(&["check"]).current_dir(folder.path())).success();
    assert_eq!(checked.stderr, "registrar: 1 form(s), 0 example(s), no problem\n");
}
