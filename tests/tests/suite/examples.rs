//! Invariant 10: every example in `examples/` gets its recorded response on both databases, and so
//! does the shell script. Their format is described in `examples/README.md`.

use std::path::{Path, PathBuf};
use std::process::Command;

use registrar_tests::{Database, Setup, TestServer, TokenClient, repository_path, run_command};
use serde_json::Value;

#[test]
fn every_shipped_form_has_examples() {
    // Forms of contracts are in a directory of their own and covered by the vendors' samples.
    let mut forms: Vec<String> = repository_path("forms")
        .read_dir()
        .unwrap()
        .filter_map(|file| {
            Some(file.unwrap().file_name().to_str()?.strip_suffix(".yml")?.to_owned())
        })
        .collect();
    forms.sort_unstable();
    let with_examples: Vec<String> = folders()
        .iter()
        .map(|folder| folder.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(with_examples, forms);
    for folder in folders() {
        assert!(folder.join("README.md").exists() && files(&folder).len() >= 3, "{folder:?}");
    }
}

#[test]
fn examples_match_recorded_responses_on_sqlite() {
    run_all(Database::Sqlite);
}

#[test]
fn examples_match_recorded_responses_on_postgresql() {
    run_all(Database::Postgres);
}

#[test]
fn example_script_runs_all_examples() {
    let setup = Setup::of(Database::Sqlite).unwrap();
    let server = setup.serve();
    let url = format!("http://127.0.0.1:{}", server.port);
    let token = server.first_token();
    let run = || run_command(Command::new(repository_path("examples/run.sh")).args([&url, &token]));
    let first = run().success();
    let ran: usize = folders().iter().map(|folder| files(folder).len()).sum();
    assert_eq!(first.stdout.matches(" ok\n").count(), ran, "{}", first.stdout);
    // The created users are taken now.
    let second = run().failure(1);
    assert!(second.stdout.contains("3-created.http: POST /api/users -> 422 NOT 201"));
}

fn folders() -> Vec<PathBuf> {
    // `contracts` contains recorded exchanges, which have their own test.
    let is_of_form = |path: &PathBuf| path.is_dir() && !path.ends_with("contracts");
    sorted(&repository_path("examples")).into_iter().filter(is_of_form).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let is_example = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "http");
    sorted(folder).into_iter().filter(is_example).collect()
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn run_all(database: Database) {
    for folder in folders() {
        let Some(setup) = Setup::of(database) else { return };
        let server = TestServer::start(setup);
        for file in files(&folder) {
            run(&server.client(), &file);
        }
    }
}

fn run(client: &TokenClient, file: &Path) {
    let text = std::fs::read_to_string(file).unwrap();
    let (request, response) = text.split_once("\n--- answer\n").unwrap();
    let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
    let (line, headers) = head.split_once('\n').unwrap_or((head, ""));
    let (method, path) = line.split_once(' ').unwrap();
    let headers: Vec<(&str, &str)> =
        headers.lines().map(|header| header.split_once(": ").unwrap()).collect();
    let body = Some(body.trim().as_bytes()).filter(|body| !body.is_empty());
    let (status, expected) = response.split_once('\n').unwrap();
    let response = client.send(method, path.trim(), &headers, body);
    assert_eq!(response.status.to_string(), status, "{}: {response:?}", file.display());
    if expected.is_empty() {
        assert_eq!(response.text, "", "{}", file.display());
        return;
    }
    let expected: Value = serde_json::from_str(expected).unwrap();
    if let Some(location) = difference(&response.json(), &expected) {
        panic!("{}: differs in `{location}`: {}", file.display(), response.text);
    }
}

/// Returns the path of the first difference; `"*"` matches any value.
fn difference(found: &Value, expected: &Value) -> Option<String> {
    let inside = |key: &str, found: &Value, expected: &Value| {
        difference(found, expected).map(|location| format!("/{key}{location}"))
    };
    match (found, expected) {
        (_, Value::String(any)) if any == "*" => None,
        (Value::Object(found), Value::Object(expected)) if found.keys().eq(expected.keys()) => {
            expected.iter().find_map(|(key, expected)| inside(key, &found[key], expected))
        }
        (Value::Array(found), Value::Array(expected)) if found.len() == expected.len() => {
            let mut pairs = found.iter().zip(expected).enumerate();
            pairs.find_map(|(index, (found, expected))| inside(&index.to_string(), found, expected))
        }
        (found, expected) if found == expected => None,
        _ => Some(String::new()),
    }
}
