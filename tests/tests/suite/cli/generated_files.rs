//! `registrar completions`, `registrar man` and `registrar --version`.

use std::process::Command;

use registrar_tests::{repository_path, run_command};

use super::setup;

#[test]
fn completions_are_printed_for_each_shell() {
    let setup = setup();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let printed = run_command(&mut setup.bare_command(&["completions", shell])).success();
        for expected in ["registrar", "database-url", "contract"] {
            assert!(printed.stdout.contains(expected), "{shell}: {expected}");
        }
        assert_eq!(printed.stderr, "");
    }
    let script = run_command(&mut setup.bare_command(&["completions", "bash"])).stdout;
    let file = setup.folder().join("registrar.bash");
    std::fs::write(&file, script).unwrap();
    let checked = Command::new("bash").arg("-n").arg(&file).status();
    assert!(checked.is_ok_and(|status| status.success()));
}

#[test]
fn man_pages_are_printed_or_written() {
    let setup = setup();
    let main = run_command(&mut setup.bare_command(&["man"])).success().stdout;
    assert!(main.contains(".TH registrar 1") && main.contains("registrar\\-serve(1)"), "{main}");
    run_command(&mut setup.bare_command(&["man", "share/man1"])).success();
    let folder = setup.folder().join("share/man1");
    for page in ["registrar.1", "registrar-serve.1", "registrar-token-create.1"] {
        let text = std::fs::read_to_string(folder.join(page)).unwrap();
        assert!(text.contains(".SH SYNOPSIS"), "{page}");
    }
}

#[test]
fn version_names_the_commit() {
    let printed = run_command(&mut setup().bare_command(&["--version"])).success().stdout;
    let rest = printed
        .trim_end()
        .strip_prefix(concat!("registrar ", env!("CARGO_PKG_VERSION"), " ("))
        .unwrap();
    let commit = rest.strip_suffix(')').unwrap();
    let mut git = Command::new("git");
    git.current_dir(repository_path(".")).args(["cat-file", "-e"]);
    match commit.split_once(' ') {
        Some((hash, date)) => {
            assert!(git.arg(hash).status().unwrap().success(), "{hash}");
            assert_eq!(date.len(), "2026-11-30".len(), "{date}");
        }
        None => assert_eq!(commit, "unknown"),
    }
}
