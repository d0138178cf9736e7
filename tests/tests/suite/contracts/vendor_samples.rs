//! Runs the vendors' sample programs as published, except for the server address and the
//! credential.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use registrar_tests::{Database, Setup, TempDir, TestServer, repository_path, run_command};
use serde_json::Value;

/// Environment variable: with the value `1`, tests fail instead of being skipped if a client
/// program is not installed.
const REQUIRE_CLIENTS: &str = "REGISTRAR_REQUIRE_CLIENTS";

fn samples_dir() -> PathBuf {
    repository_path("examples/contracts/clients")
}

fn server() -> TestServer {
    TestServer::start(Setup::of(Database::Sqlite).unwrap())
}

/// Runs a sample after replacing some strings, and returns its output. Prints a notice and returns
/// `None` if the client program is not installed.
#[track_caller]
fn run_sample(client: &[&str], sample: &str, in_place_of: &[(&str, &str)]) -> Option<String> {
    let (program, probe) = match client {
        ["python3", ..] => ("python3", vec!["-c", "import requests"]),
        ["sh", ..] => ("curl", vec!["--version"]),
        _ => ("node", vec!["-e", "fetch"]),
    };
    let found = Command::new(program).args(probe).output();
    if !found.is_ok_and(|output| output.status.success()) {
        let what =
            "NO SUCH CLIENT: its samples are SKIPPED. Install curl, python3-requests and nodejs";
        assert!(
            !std::env::var(REQUIRE_CLIENTS).is_ok_and(|value| value == "1"),
            "{program}: {what}"
        );
        // Not captured by the test harness.
        let _ = writeln!(
            std::io::stderr(),
            "{program}: {what}; {REQUIRE_CLIENTS}=1 makes this a failure."
        );
        return None;
    }
    let mut text = std::fs::read_to_string(samples_dir().join(sample)).unwrap();
    for (old, new) in in_place_of {
        assert!(text.contains(old), "`{old}` is not in {sample}");
        text = text.replace(old, new);
    }
    let folder = TempDir::of(&[(sample, &text)]);
    let mut command = Command::new(client[0]);
    command.args(&client[1..]).arg(folder.path().join(sample));
    command.env("NODE_PATH", samples_dir().join("stand_ins")).env("NO_PROXY", "127.0.0.1");
    Some(run_command(&mut command).success().stdout)
}

/// Parses the output of a sample that prints the response body.
#[track_caller]
fn response_body(printed: Option<String>) -> Option<Value> {
    let printed = printed?;
    Some(serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}")))
}

#[test]
fn fifty_skills_python_and_fetch_samples_work() {
    let server = server();
    let header = server.new_authorization("50skills", "samples", &[]);
    let url = format!("{}/50skills", server.url());
    let host = ("https://journeys-api.50skills.app", url.as_str());
    let missing = "Authentication credentials were not provided.";
    let (python, node) = ("50skills_requests.py", "50skills_fetch.js");
    // As published, the samples send no credentials.
    if let Some(printed) = run_sample(&["python3"], python, &[host]) {
        assert_eq!(printed, format!("{{'detail': '{missing}'}}\n"));
        let with = format!("headers={{\"Authorization\": \"{header}\"}},\n    json={{");
        let printed = run_sample(&["python3"], python, &[host, ("json={", &with)]).unwrap();
        let id = printed.split('\'').nth(3).unwrap().to_owned();
        assert_eq!(
            printed,
            format!(
                "{{'id': '{id}', 'shortId': '{id}', 'name': 'Samwise Gamgee', 'email': 'samwise@shire.com', 'phone': None, 'isActive': True, 'role': 'user', 'picture': None, 'hasSetPassword': False, 'isMe': False, 'status': 'created'}}\n"
            )
        );
        let path = format!("/50skills/v1/users/{id}/");
        super::send(&server, "DELETE", &path, &header, &[], None).is(204);
    }
    if let Some(printed) = run_sample(&["node"], node, &[host]) {
        assert_eq!(printed, format!("{{ detail: '{missing}' }}\n"));
        let with = format!("\"Authorization\": \"{header}\",\n    \"Content-Type\"");
        let printed = run_sample(&["node"], node, &[host, ("\"Content-Type\"", &with)]).unwrap();
        assert!(printed.contains("name: 'Samwise Gamgee',\n  email: 'samwise@shire.com',"));
        assert!(printed.ends_with("  status: 'created'\n}\n"), "{printed}");
    }
}

#[test]
fn user_com_curl_python_and_request_samples_work() {
    let server = server();
    let header = server.new_authorization("user_com", "samples", &[]);
    let (_, token) = header.split_once(' ').unwrap();
    let url = format!("{}/user_com", server.url());
    let locations = [
        ("https://<your_app_subdomain>.user.com", url.as_str()),
        ("<your_64_char_api_key>", token),
    ];
    for (client, sample, email) in [
        ("sh", "user_com_curl.sh", "myemail@example.org"),
        ("python3", "user_com_requests.py", "myemail@example.org"),
        ("node", "user_com_request.js", "mynewemail@mydomain.com"),
    ] {
        let Some(body) = response_body(run_sample(&[client], sample, &locations)) else { continue };
        assert_eq!((&body["name"], &body["email"]), (&"John Doe".into(), &email.into()));
        assert_eq!(body.as_object().unwrap().len(), 35);
    }
}

#[test]
fn econtext_curl_sample_works() {
    let server = server();
    let header = server.new_authorization("econtext", "ops@info.com", &[]);
    let url = format!("{}/econtext", server.url());
    let path = "/econtext/api/applications/application";
    let made =
        super::post(&server, path, &header, super::JSON, r#"{"name":"Search"}"#).is(200).json();
    let application = made["econtext"]["result"]["application"]["id"].as_str().unwrap();
    let locations = [
        ("https://auth.econtext.ai", url.as_str()),
        ("Basic b3BzQGluZm8uY29tOnAxdjBwcjBzMW0=", &header),
        ("ec48dad3-ca61-4d74-a584-3ee3db4708ef", application),
    ];
    if let Some(body) = response_body(run_sample(&["sh"], "econtext_curl.sh", &locations)) {
        let user = &body["econtext"]["result"]["user"];
        assert_eq!((&user["name"], &user["status"]), (&"Test User".into(), &"UNVERIFIED".into()));
        assert_eq!(user["applications"][0]["id"], application);
    }
}

#[test]
fn garmat_curl_sample_works() {
    let server = server();
    let header = server.new_authorization("garmat", "samples", &[]);
    let url = format!("{}/garmat", server.url());
    let host = ("http://localhost:4000", url.as_str());
    let sample = "garmat_curl.sh";
    // As published, the sample sends no credentials.
    if let Some(body) = response_body(run_sample(&["sh"], sample, &[host])) {
        assert_eq!(body["error"], "Unauthorized");
        let with = format!("-H 'Authorization: {header}' -d");
        let body = response_body(run_sample(&["sh"], sample, &[host, ("-d", &with)])).unwrap();
        assert_eq!((&body["name"], &body["status"]), (&"Test User".into(), &"active".into()));
    }
}
