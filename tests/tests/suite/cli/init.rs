//! `registrar init`: each template is complete, valid and served.

use std::path::Path;
use std::process::Command;

use registrar_tests::{Process, ProcessOutput, Setup, run_command};

use super::setup;

const TEMPLATES: [&str; 4] = ["minimal", "marketplace", "saas", "platformos"];

fn init(setup: &Setup, arguments: &[&str]) -> ProcessOutput {
    run_command(setup.bare_command(&["init"]).args(arguments))
}

fn in_folder(setup: &Setup, folder: &Path, arguments: &[&str]) -> Command {
    let mut command = setup.bare_command(arguments);
    command.current_dir(folder);
    command
}

#[test]
fn every_template_is_valid_and_its_printed_command_creates_a_user() {
    for template in TEMPLATES {
        let setup = setup();
        let written = init(&setup, &["my project", "--template", template]).success();
        let folder = setup.folder().join("my project");
        for path in written.stdout.lines() {
            assert!(setup.folder().join(path).is_file(), "{template}: {path}");
        }
        for path in ["registrar.yml", ".gitignore", "forms"] {
            assert!(folder.join(path).exists(), "{template}: {path}");
        }
        assert!(written.stderr.contains("  cd 'my project'\n"), "{}", written.stderr);
        let checked =
            run_command(&mut in_folder(&setup, &folder, &["check", "--coverage"])).success();
        assert_eq!(checked.stdout, "", "{template}");
        assert!(checked.stderr.ends_with("no problem\n"), "{template}: {}", checked.stderr);
        let serve = &["serve", "--listen", "127.0.0.1:0"];
        let server = Process::start(&mut in_folder(&setup, &folder, serve));
        let _ = server.first_token();
        let printed = server.stdout();
        let line = &printed[printed.find("curl -i ").unwrap()..];
        let answer = run_command(Command::new("sh").args(["-c", line])).success().stdout;
        assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "{template}: {line}: {answer}");
    }
}

#[test]
fn settings_in_the_written_file_are_the_defaults() {
    let setup = setup();
    init(&setup, &[]).success();
    let file = setup.folder().join("registrar.yml");
    let text = std::fs::read_to_string(&file).unwrap();
    let is_setting = |line: &&str| {
        let key = line.strip_prefix("# ").and_then(|line| line.split_once(": "));
        key.is_some_and(|(key, _)| key.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
    };
    let settings: Vec<&str> = text.lines().filter(is_setting).map(|line| &line[2..]).collect();
    assert!(settings.len() >= 6, "{settings:?}");
    std::fs::write(&file, settings.join("\n")).unwrap();
    let migrated = run_command(&mut setup.bare_command(&["migrate"])).success();
    assert_eq!(migrated.stderr, "registrar: sqlite:data/registrar.db is up to date\n");
}

#[test]
fn existing_files_are_listed_and_nothing_is_written() {
    let setup = setup();
    let own = "# mine\n";
    std::fs::create_dir(setup.folder().join("forms")).unwrap();
    for path in ["registrar.yml", "forms/sign_up.yml"] {
        std::fs::write(setup.folder().join(path), own).unwrap();
    }
    let refused = init(&setup, &[]).failure(1);
    assert_eq!(refused.stdout, "");
    let lines: Vec<&str> = refused.stderr.lines().collect();
    assert_eq!(lines[..2], ["forms/sign_up.yml", "registrar.yml"]);
    assert!(lines[2].starts_with("registrar: nothing was written"), "{lines:?}");
    assert!(!setup.folder().join(".gitignore").exists());
    let kept = std::fs::read_to_string(setup.folder().join("registrar.yml")).unwrap();
    assert_eq!(kept, own);
    let unknown = init(&setup, &["other", "--template", "sass"]).failure(2);
    assert!(unknown.stderr.contains("'saas'"), "{}", unknown.stderr);
}
