//! Files in a forms directory that cannot be read are reported like other errors, with their
//! location.

use std::os::unix::fs::symlink;
use std::path::Path;

use registrar_tests::{ProcessOutput, TempDir, run_command};

use super::setup;

const VALID_FORM: &str = "resource: User\nfields: {email: }\n";

fn check(folders: &[&Path]) -> ProcessOutput {
    run_command(setup().bare_command(&["check", "--format", "short"]).args(folders))
}

/// Returns the only problem of a directory.
#[track_caller]
fn only_problem(folder: &TempDir) -> String {
    let reported = check(&[folder.path()]).failure(1).stdout;
    assert_eq!(reported.lines().count(), 1, "{reported}");
    let start = format!("{}/", folder.path().display());
    reported.trim_end().strip_prefix(&start).unwrap_or_else(|| panic!("{reported}")).to_owned()
}

#[test]
fn too_large_file_is_reported() {
    let folder = TempDir::of(&[("good.yml", VALID_FORM)]);
    let form =
        |length: usize| format!("{VALID_FORM}# {}", "x".repeat(length - VALID_FORM.len() - 2));
    folder.write("large.yml", &form(1 << 20));
    check(&[folder.path()]).success();
    folder.write("large.yml", &form((1 << 20) + 1));
    let problem = only_problem(&folder);
    assert!(problem.starts_with("large.yml:1:1: [bad-file] the file is larger than 1048576 bytes"));
    assert!(problem.contains("split it"), "{problem}");
}

#[test]
fn non_utf8_file_is_reported_with_location() {
    let folder = TempDir::of(&[("good.yml", VALID_FORM)]);
    std::fs::write(folder.path().join("bytes.yml"), b"name: \xc3\xa4\nb: \xc3\xa4\xff\n").unwrap();
    let problem = only_problem(&folder);
    assert!(
        problem.starts_with("bytes.yml:2:5: [bad-file] the file is not UTF-8 here"),
        "{problem}"
    );
}

#[test]
fn named_pipe_is_reported_and_not_read() {
    let folder = TempDir::of(&[("good.yml", VALID_FORM)]);
    let pipe = folder.path().join("pipe.yml");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let problem = only_problem(&folder);
    assert!(
        problem.starts_with("pipe.yml:1:1: [bad-file] the file is not a regular file"),
        "{problem}"
    );
}

#[test]
fn symlinks_out_of_forms_directories_are_rejected() {
    let secret =
        TempDir::of(&[("secret.yml", "password: hunter2\n"), ("more/one.yml", VALID_FORM)]);
    // The layout of Kubernetes: a hidden directory that is replaced as a whole.
    let folder = TempDir::of(&[("..data/form.yml", VALID_FORM)]);
    symlink("..data/form.yml", folder.path().join("form.yml")).unwrap();
    check(&[folder.path()]).success();
    let links = [("file.yml", "secret.yml"), ("folder", "more")];
    for (name, target) in links {
        let (link, target) = (folder.path().join(name), secret.path().join(target));
        symlink(target, &link).unwrap();
        let problem = only_problem(&folder);
        let start = format!(
            "{name}:1:1: [bad-file] the file is a link to a target outside the forms folders"
        );
        assert!(problem.starts_with(&start), "{problem}");
        assert!(!problem.contains("hunter2") && problem.contains("`--forms`"), "{problem}");
        std::fs::remove_file(link).unwrap();
    }
    // Links between two configured forms directories are allowed.
    let other = TempDir::of(&[("other.yml", VALID_FORM)]);
    symlink(other.path().join("other.yml"), folder.path().join("again.yml")).unwrap();
    check(&[folder.path()]).failure(1);
    let reported = check(&[folder.path(), other.path()]).success();
    assert!(reported.stderr.contains("3 form(s)"), "{reported:?}");
}

#[test]
fn symlink_cycle_is_reported() {
    let folder = TempDir::of(&[("good.yml", VALID_FORM)]);
    symlink(".", folder.path().join("again")).unwrap();
    let problem = only_problem(&folder);
    assert!(problem.contains(": [bad-file] the file lies deeper than 16 folders"), "{problem}");
    assert!(problem.ends_with("is it the forms folder?"), "{problem}");
}

#[test]
fn too_many_files_are_reported() {
    let folder = TempDir::new();
    for number in 0..=20_000 {
        folder.write(&format!("{number}.yml"), "");
    }
    let problem = only_problem(&folder);
    assert!(
        problem.contains(".yml:1:1: [bad-file] the file exceeds the number of 20000 files"),
        "{problem}"
    );
}

#[test]
fn total_size_over_limit_is_reported() {
    let folder = TempDir::new();
    let text = "x".repeat(1 << 20);
    folder.write("000.yml", &text);
    for number in 1..257 {
        let linked = folder.path().join(format!("{number:03}.yml"));
        std::fs::hard_link(folder.path().join("000.yml"), linked).unwrap();
    }
    let problem = only_problem(&folder);
    assert!(
        problem.contains(":1:1: [bad-file] the file exceeds the total size of 268435456 bytes")
    );
    assert!(problem.starts_with("255.yml"), "{problem}");
}
