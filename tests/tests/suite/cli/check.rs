//! `registrar check` reports every error with its location, and `serve` refuses with the same
//! messages. The errors come from the core's test cases.

use std::path::Path;

use registrar_tests::{ProcessOutput, Setup, TempDir, repository_path, run_command};

use super::setup;

const SUPPORT_FILES: [(&str, &str); 7] = [
    (
        "types/profiles/developer.yml",
        "name: developer\nproperties:\n  - {name: bio, type: text}\n  - {name: rate, type: float}\n  - {name: home, type: address}\n",
    ),
    ("types/transactables/boat.yml", "name: boat\nproperties: [{name: length, type: integer}]\n"),
    ("types/relationships/agency.yml", "name: agency\n"),
    ("types/relationship_users/agency_member.yml", "name: agency_member\n"),
    ("types/customizations/link.yml", "name: link\nproperties: [{name: url}]\n"),
    ("contracts/catalogues/words.yml", "messages: {blank: is needed}\n"),
    ("good.yml", "resource: User\nfields: {email: }\n"),
];

fn check(setup: &Setup, paths: &[&Path]) -> ProcessOutput {
    run_command(setup.bare_command(&["check", "--format", "short"]).args(paths))
}

#[test]
fn check_passes_for_valid_forms() {
    let finished = check(&setup(), &[&repository_path("forms")]).success();
    assert_eq!(finished.stdout, "");
    let output = finished.stderr;
    assert!(output.contains(" form(s), ") && output.ends_with(", no problem\n"), "{output}");
}

#[test]
fn check_reports_each_problem_with_its_location() {
    let (setup, cases) = (setup(), repository_path("crates/core/tests/cases/broken"));
    let mut checked = 0;
    for case in std::fs::read_dir(cases).unwrap() {
        let path = case.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let (mut file, mut expected) = ("broken.yml", Vec::new());
        for line in text.lines().filter_map(|line| line.strip_prefix("#! ")) {
            match line.strip_prefix("file ") {
                Some(name) => file = name,
                None => expected.push(line.splitn(3, ' ').collect::<Vec<_>>()),
            }
        }
        let folder = TempDir::of(&SUPPORT_FILES);
        folder.write(file, &text);
        let finished = check(&setup, &[folder.path()]).failure(1);
        let reported: Vec<&str> = finished.stdout.lines().collect();
        assert_eq!(reported.len(), expected.len(), "{}: {finished:?}", path.display());
        for (reported, expected) in reported.iter().zip(expected) {
            // If two files have the same name, the second is reported, wherever the case is.
            let is_of_two =
                expected.get(2).is_some_and(|text| text.starts_with("the other one is"));
            let file = if is_of_two && file == "broken.yml" { "good.yml" } else { file };
            let start = format!(
                "{}:{}: [{}] ",
                folder.path().join(file).display(),
                expected[0],
                expected[1]
            );
            assert!(reported.starts_with(&start), "{reported}\ninstead of {start}");
            assert!(reported.contains(expected.get(2).unwrap_or(&"")), "{reported}: {expected:?}");
            checked += 1;
        }
        assert_eq!(finished.stderr, format!("registrar: {} problem(s)\n", reported.len()));
    }
    assert!(checked > 30, "{checked}");
}

#[test]
fn check_reports_problems_of_all_files_in_one_run() {
    let folder = TempDir::of(&SUPPORT_FILES);
    let mut expected = Vec::new();
    for case in std::fs::read_dir(repository_path("crates/core/tests/cases/broken")).unwrap() {
        let path = case.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        // Cases that name a file or need two files of one name have their own directory.
        if text.contains("#! file ") || text.contains("the other one is") {
            continue;
        }
        let name = path.file_name().unwrap().to_str().unwrap();
        folder.write(name, &text);
        for line in text.lines().filter_map(|line| line.strip_prefix("#! ")) {
            let (location, rest) = line.split_once(' ').unwrap();
            let code = rest.split(' ').next().unwrap();
            expected.push(format!("{}:{location}: [{code}] ", folder.path().join(name).display()));
        }
    }
    let files = std::fs::read_dir(folder.path()).unwrap().count();
    assert!(files >= 50, "{files}");
    let reported = check(&setup(), &[folder.path()]).failure(1).stdout;
    for expected in &expected {
        assert!(reported.contains(expected), "{expected} is not in\n{reported}");
    }
    assert_eq!(reported.lines().count(), expected.len());
}

#[test]
fn serve_refuses_invalid_forms_with_the_messages_of_check() {
    let setup = setup().forms(&[
        ("a.yml", "resource: User\nfields: {emial: }\n"),
        ("b.yml", "resource: User\nfields:\n  email: {validation: {presense: true}}\n"),
    ]);
    let folder = &setup.settings.forms[0];
    let checked = check(&setup, &[folder]).failure(1);
    let reported: Vec<&str> = checked.stdout.lines().collect();
    assert!(
        reported[0]
            .starts_with(&format!("{}:2:10: [unknown-field] ", folder.join("a.yml").display()))
    );
    assert!(
        reported[1]
            .starts_with(&format!("{}:3:24: [unknown-rule] ", folder.join("b.yml").display()))
    );
    assert_eq!(reported.len(), 2);

    let served = setup.run(&["serve"]).failure(1);
    let output: Vec<&str> = served.stderr.lines().collect();
    assert_eq!(output[..2], reported[..]);
    assert_eq!(output[2..], ["registrar: the configuration has 2 problem(s)"]);
    assert_eq!(served.stdout, "");
    let database = setup.settings.database_url.strip_prefix("sqlite:").unwrap();
    assert!(!Path::new(database).exists(), "a database was created");
}

#[test]
fn check_of_missing_directory_names_it() {
    let refusal =
        super::error_line(setup().bare_command(&["check", "no/such/folder"]).current_dir("/"));
    assert!(
        refusal
            .starts_with("registrar: the forms folder /no/such/folder does not exist: expected "),
        "{refusal}"
    );
    assert!(refusal.contains("`registrar init`"), "{refusal}");
}

#[test]
fn check_of_single_file_reports_only_its_problems() {
    let setup = setup();
    let forms = repository_path("forms");
    let good = check(&setup, &[&forms.join("marketplace_seller.yml")]).success();
    assert_eq!(good.stdout, "");
    let folder = TempDir::of(&SUPPORT_FILES);
    folder.write("one.yml", "resource: User\nfields: {emial: }\n");
    folder.write("two.yml", "resource: User\nfields: {profiles: {developer: {enabled: }}}\n");
    let one = check(&setup, &[&folder.path().join("one.yml")]).failure(1);
    assert!(one.stdout.contains("one.yml:2:10: [unknown-field]"), "{one:?}");
    let two = check(&setup, &[&folder.path().join("two.yml")]).success();
    assert_eq!((two.stdout.as_str(), two.stderr.contains("1 in other files")), ("", true));
}
