//! What lies in a forms folder and cannot be read as configuration takes nothing down: it is told
//! like any other mistake, with its place.

use std::os::unix::fs::symlink;
use std::path::Path;

use registrar_tests::{Finished, Folder, finish};

use super::setup;

const GOOD: &str = "resource: User\nfields: {email: }\n";

fn check(folders: &[&Path]) -> Finished {
    finish(setup().bare_command(&["check"]).args(folders))
}

/// The only problem of a folder.
#[track_caller]
fn problem(folder: &Folder) -> String {
    let told = check(&[folder.path()]).failure(1).stdout;
    assert_eq!(told.lines().count(), 1, "{told}");
    let start = format!("{}/", folder.path().display());
    told.trim_end().strip_prefix(&start).unwrap_or_else(|| panic!("{told}")).to_owned()
}

#[test]
fn a_file_that_is_too_large_is_told() {
    let folder = Folder::of(&[("good.yml", GOOD)]);
    let form = |length: usize| format!("{GOOD}# {}", "x".repeat(length - GOOD.len() - 2));
    folder.write("large.yml", &form(1 << 20));
    check(&[folder.path()]).success();
    folder.write("large.yml", &form((1 << 20) + 1));
    let problem = problem(&folder);
    assert!(problem.starts_with("large.yml:1:1: [bad-file] the file is larger than 1048576 bytes"));
    assert!(problem.contains("split it"), "{problem}");
}

#[test]
fn a_file_that_is_no_text_is_told_where_it_is_none() {
    let folder = Folder::of(&[("good.yml", GOOD)]);
    std::fs::write(folder.path().join("bytes.yml"), b"name: \xc3\xa4\nb: \xc3\xa4\xff\n").unwrap();
    let problem = problem(&folder);
    assert!(
        problem.starts_with("bytes.yml:2:5: [bad-file] the file is not UTF-8 here"),
        "{problem}"
    );
}

#[test]
fn what_never_ends_is_not_read() {
    let folder = Folder::of(&[("good.yml", GOOD)]);
    let pipe = folder.path().join("pipe.yml");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let problem = problem(&folder);
    assert!(
        problem.starts_with("pipe.yml:1:1: [bad-file] the file is not a regular file"),
        "{problem}"
    );
}

#[test]
fn links_are_followed_within_the_folders_only() {
    let secret = Folder::of(&[("secret.yml", "password: hunter2\n"), ("more/one.yml", GOOD)]);
    // As Kubernetes lays files out: a hidden folder that is replaced as a whole.
    let folder = Folder::of(&[("..data/form.yml", GOOD)]);
    symlink("..data/form.yml", folder.path().join("form.yml")).unwrap();
    check(&[folder.path()]).success();
    let links = [("file.yml", "secret.yml"), ("folder", "more")];
    for (name, target) in links {
        let (link, target) = (folder.path().join(name), secret.path().join(target));
        symlink(target, &link).unwrap();
        let problem = problem(&folder);
        let start =
            format!("{name}:1:1: [bad-file] the file is a link to a target outside the forms folders");
        assert!(problem.starts_with(&start), "{problem}");
        assert!(!problem.contains("hunter2") && problem.contains("`--forms`"), "{problem}");
        std::fs::remove_file(link).unwrap();
    }
    // Both are forms folders, and a link from one to the other is theirs.
    let other = Folder::of(&[("other.yml", GOOD)]);
    symlink(other.path().join("other.yml"), folder.path().join("again.yml")).unwrap();
    check(&[folder.path()]).failure(1);
    let told = check(&[folder.path(), other.path()]).success();
    assert!(told.stderr.contains("3 form(s)"), "{told:?}");
}

#[test]
fn a_folder_that_goes_on_for_ever_is_told() {
    let folder = Folder::of(&[("good.yml", GOOD)]);
    symlink(".", folder.path().join("again")).unwrap();
    let problem = problem(&folder);
    assert!(problem.contains(": [bad-file] the file lies deeper than 16 folders"), "{problem}");
    assert!(problem.ends_with("is it the forms folder?"), "{problem}");
}

#[test]
fn a_folder_of_too_many_files_is_told() {
    let folder = Folder::new();
    for number in 0..=20_000 {
        folder.write(&format!("{number}.yml"), "");
    }
    let problem = problem(&folder);
    assert!(
        problem.contains(".yml:1:1: [bad-file] the file exceeds the number of 20000 files"),
        "{problem}"
    );
}

#[test]
fn files_that_are_too_much_together_are_told() {
    let folder = Folder::new();
    let text = "x".repeat(1 << 20);
    folder.write("000.yml", &text);
    for number in 1..257 {
        let linked = folder.path().join(format!("{number:03}.yml"));
        std::fs::hard_link(folder.path().join("000.yml"), linked).unwrap();
    }
    let problem = problem(&folder);
    assert!(
        problem.contains(":1:1: [bad-file] the file exceeds the total size of 268435456 bytes")
    );
    assert!(problem.starts_with("255.yml"), "{problem}");
}
