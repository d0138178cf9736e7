//! Settings: flags take precedence over the environment, `registrar.yml` and the defaults.

use std::path::Path;
use std::process::Command;

use registrar_tests::{Setup, run_command};

use super::{error_line, setup};

fn write(setup: &Setup, file: &str, text: &str) {
    std::fs::write(setup.folder().join(file), text).unwrap();
}

#[test]
fn flags_override_environment_file_and_defaults() {
    let setup = setup();
    let made_by = |command: &mut Command, name: &str| {
        let finished = run_command(command).success();
        assert_eq!(finished.stderr, format!("registrar: sqlite:{name} is up to date\n"));
        assert!(setup.folder().join(name).exists(), "{name}");
        std::fs::remove_file(setup.folder().join(name)).unwrap();
    };
    let migrate = || setup.bare_command(&["migrate"]);
    made_by(&mut migrate(), "data/registrar.db");
    write(&setup, "registrar.yml", "# mine\ndatabase_url: sqlite:file.db\n");
    made_by(&mut migrate(), "file.db");
    made_by(migrate().env("REGISTRAR_DATABASE_URL", "sqlite:env.db"), "env.db");
    let flag = ["--database-url", "sqlite:flag.db"];
    made_by(migrate().args(flag).env("REGISTRAR_DATABASE_URL", "sqlite:env.db"), "flag.db");
    write(&setup, "other.yml", "database_url: sqlite:other.db\n");
    made_by(migrate().args(["--config", "other.yml"]), "other.db");
    made_by(migrate().env("REGISTRAR_CONFIG", "other.yml"), "other.db");
}

#[test]
fn settings_file_accepts_settings_of_flags() {
    let setup = setup();
    let forms = registrar_tests::repository_path("forms");
    let text = format!(
        "listen: 127.0.0.1:0\nforms: [\"{}\"]\nbody_limit: 10\nworkers: 1\n",
        forms.display()
    );
    write(&setup, "registrar.yml", &text);
    let server = registrar_tests::Process::start(&mut setup.bare_command(&["serve"]));
    let client = server.client(&server.first_token());
    client.post("/api/users", r#"{"form": {}}"#).rejected(413, "base", "body_too_large");
}

#[test]
fn multiple_forms_directories_are_merged() {
    let (one, other) = (
        registrar_tests::TempDir::of(&[("a.yml", "resource: User\nfields: {email: }\n")]),
        registrar_tests::TempDir::of(&[("b.yml", "resource: User\nfields: {email: }\n")]),
    );
    let setup = setup();
    let say = |command: &mut Command| run_command(command).success().stderr;
    let flags = ["--forms".as_ref(), one.path(), "--forms".as_ref(), other.path()];
    assert_eq!(
        say(setup.bare_command(&["check"]).args(flags)),
        "registrar: 2 form(s), 0 example(s), no problem\n"
    );
    let both = format!("{},{}", one.path().display(), other.path().display());
    let output = say(setup.bare_command(&["check"]).env("REGISTRAR_FORMS", both));
    assert_eq!(output, "registrar: 2 form(s), 0 example(s), no problem\n");
}

#[test]
fn unknown_setting_is_reported_with_location() {
    let setup = setup();
    let output = |text: &str| {
        write(&setup, "registrar.yml", text);
        error_line(&mut setup.bare_command(&["migrate"]))
    };
    let unknown = output("listen: 127.0.0.1:0\nbody_limits: 5\n");
    assert!(unknown.starts_with("registrar: registrar.yml:2:1: "), "{unknown}");
    assert!(unknown.contains("body_limits"), "{unknown}");
    let wrong = output("workers: many\n");
    assert!(wrong.starts_with("registrar: registrar.yml:1:"), "{wrong}");
    let zero = output("readers: 0\n");
    assert_eq!(zero, "registrar: the setting `readers` is 0: expected at least 1");
    assert!(!Path::new(&setup.folder().join("data")).exists());
}

#[test]
fn unknown_flag_is_rejected_with_suggestion() {
    let finished = run_command(&mut setup().bare_command(&["serve", "--listn", "x"])).failure(2);
    assert!(finished.stderr.contains("--listen"), "{}", finished.stderr);
}
