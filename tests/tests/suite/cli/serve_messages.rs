//! What `registrar serve` prints and logs: `--log-format` and `--quiet`.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::Duration;

use registrar_tests::{AnonymousClient, Process, eventually, run_command};
use serde_json::Value;

use super::setup;

#[test]
fn json_log_has_one_object_per_line() {
    let setup = setup();
    let server = Process::start(&mut setup.command(&["serve", "--log-format", "json"]));
    let client = server.client(&server.first_token());
    client.submit("developer_sign_up", &serde_json::json!({})).is(422);
    server.send_sigterm();
    let log = server.wait_for_exit().success().stderr;
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")))
        .collect();
    for line in &lines {
        for key in ["time", "level", "target", "message"] {
            assert!(line[key].is_string(), "{key}: {line}");
        }
    }
    let access = lines.iter().find(|line| line["status"] == 422).unwrap();
    assert_eq!(access["method"], "POST");
    assert_eq!(access["route"], "/api/users");
    assert_eq!(access["form"], "developer_sign_up");
    assert!(access["request_id"].is_string() && access["milliseconds"].is_number(), "{access}");
    assert!(access["outcome"].as_str().unwrap().contains("email:blank"), "{access}");
    let is_last = |line: &Value| line["message"] == "stopped; all accepted submissions are stored";
    assert!(lines.last().is_some_and(is_last));
}

#[test]
fn errors_of_a_server_with_json_log_are_json() {
    let setup = setup().forms(&[("a.yml", "resource: User\nfields: {emial: }\n")]);
    let mut command = setup.command(&["serve"]);
    let failed = run_command(command.env("REGISTRAR_LOG_FORMAT", "json")).failure(1);
    let lines: Vec<Value> =
        failed.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0]["message"].as_str().unwrap().contains("[unknown-field]"), "{lines:?}");
    assert!(lines.iter().all(|line| line["level"] == "ERROR"), "{lines:?}");
}

#[test]
fn invalid_log_format_is_rejected() {
    let finished = run_command(&mut setup().command(&["serve", "--log-format", "xml"])).failure(2);
    assert!(finished.stderr.contains("expected `text` or `json`"), "{}", finished.stderr);
}

#[test]
fn quiet_server_prints_the_first_token_only() {
    let setup = setup();
    let mut command = setup.command(&["serve", "--quiet"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let lines: Vec<String> = lines
        .map(Result::unwrap)
        .take_while(|line| !line.contains("'Content-Type: application/json'"))
        .collect();
    let printed = lines.join("\n");
    assert!(printed.contains("an API token without limits was created"), "{printed}");
    let url = printed.split(' ').find(|word| word.starts_with("http://")).unwrap();
    let client = AnonymousClient::new(url.strip_suffix("/api/users").unwrap());
    client.get("/health/ready").is(200);
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").arg(&id).status().unwrap().success());
    let status =
        eventually("the server exits", Duration::from_secs(60), || child.try_wait().unwrap());
    assert!(status.success());
    let stderr = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
    let is_message = |line: &&str| line.starts_with("registrar: ");
    assert_eq!(stderr.lines().filter(is_message).count(), 0, "{stderr}");
    assert!(!stderr.contains("migration"), "{stderr}");
}
