//! Answers of the shipped contracts, `/openapi.json` and the output of the command, as snapshots in
//! `snapshots/`. `INSTA_UPDATE=always cargo test -p registrar-tests snapshots` writes them anew.

use insta::assert_snapshot;
use regex::Regex;
use registrar_tests::{
    Database, ProcessOutput, Setup, TempDir, TestServer, repository_path, run_command,
};

/// A form with fields of each kind, and with each way to be left out.
const FORM: &str = "description: Sign-up of a member.
resource: User
fields:
  email: {validation: {presence: true, email: true}}
  first_name: {validation: {length: {maximum: 40}}}
  phone: {validation: {phone: NO}}
  properties:
    age: {type: integer, validation: {numericality: {greater_than: 17}}}
    newsletter: {type: boolean}
    plan: {validation: {inclusion: [free, paid]}}
";

/// A form with problems of several kinds.
const BROKEN: &str = "resource: User
redirect_to: /home
fields:
  emial: {validation: {presense: true}}
  first_name: {validation: {length: {maximum: many}}}
  phone: {validation: {phone: Norway}}
";

fn setup() -> Setup {
    Setup::of(Database::Sqlite).unwrap()
}

/// Returns the text with ids, times, durations and the port of the server masked.
fn masked(server: &TestServer, text: &str) -> String {
    let masks = [
        (r#"("(?:id|shortId|key)": ?)"[^"]*""#, "${1}<id>"),
        (r#"("elapsed": ?)[\d.]+"#, "${1}<seconds>"),
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*(?:Z|[+-]\d\d:\d\d)?", "<time>"),
        (r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<uuid>"),
    ];
    let text = text.replace(&server.url(), "<url>");
    masks.iter().fold(text, |text, (pattern, mask)| {
        Regex::new(pattern).unwrap().replace_all(&text, *mask).into_owned()
    })
}

/// Returns the request and its response: request line, sent body, status, content type, body.
fn exchange(server: &TestServer, path: &str, headers: &[(&str, &str)], body: &str) -> String {
    let response = server.anonymous().send("POST", path, headers, Some(body.as_bytes()));
    let content_type = response.header("content-type").unwrap_or_default();
    let text = masked(server, &response.text);
    format!("POST {path}\n{body}\n\n{} {content_type}\n{text}\n", response.status)
}

#[test]
fn shipped_contracts_answer_with_these_bodies() {
    let server = TestServer::start(setup());
    let json = ("content-type", "application/json");
    let bearer = format!("Bearer {}", server.token());
    let token = format!("Token {}", server.token());
    let operator = server.new_authorization("econtext", "ops@info.com", &[]);
    let contracts = [
        (
            "50skills",
            "/50skills/v1/users/",
            vec![json, ("authorization", &bearer)],
            r#"{"name":"Samwise Gamgee","email":"samwise@50skills.com"}"#,
        ),
        (
            "econtext",
            "/econtext/api/users/user",
            vec![json, ("authorization", &operator)],
            r#"{"email":"user@example.com","password":"secret-word","name":"Jo","applications":[]}"#,
        ),
        (
            "garmat",
            "/garmat/api/users",
            vec![json, ("authorization", &bearer)],
            r#"{"name":"Test User","role":"customer_read_only","email":"user@test.com","account_id":"f260f115-f2e6-4dde-bcab-98b10fdb8cf6"}"#,
        ),
        (
            "platformos",
            "/api/users",
            vec![json, ("authorization", &token)],
            r#"{"form_configuration_name":"reference_rest_api_create_user","form":{"first_name":"Ann","email":"ann@example.com","password":"brisk-harbour-42"}}"#,
        ),
        (
            "scim",
            "/scim/v2/Users",
            vec![("content-type", "application/scim+json"), ("authorization", &bearer)],
            r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"bjensen@example.com","name":{"familyName":"Jensen","givenName":"Barbara"}}"#,
        ),
        (
            "user_com",
            "/user_com/api/public/users/",
            vec![json, ("authorization", &token)],
            r#"{"email":"john@example.com","first_name":"John","gender":2}"#,
        ),
        (
            "user_com_2",
            "/user_com/api/public/users/",
            vec![json, ("authorization", &token), ("accept", "*/*; version=2")],
            r#"{"email":"john2@example.com","first_name":"John","gender":2}"#,
        ),
    ];
    for (name, path, headers, body) in contracts {
        let refused = match name {
            "platformos" => {
                r#"{"form_configuration_name":"reference_rest_api_create_user","form":{"email":"ann"}}"#
            }
            "user_com" | "user_com_2" => r#"{"email":"john","gender":9}"#,
            _ => "{}",
        };
        let exchanges =
            [body, refused].map(|body| exchange(&server, path, &headers, body)).join("\n");
        assert_snapshot!(name, exchanges);
    }
}

#[test]
fn openapi_document_of_a_form() {
    let server = TestServer::start(setup().forms(&[("member.yml", FORM)]));
    let document = server.client().get("/openapi.json").json();
    let mut lines = Vec::new();
    for (key, part) in document.as_object().unwrap() {
        match part.as_object().filter(|_| matches!(key.as_str(), "components" | "paths")) {
            // A line for each operation and each component.
            Some(groups) => lines.extend(groups.iter().flat_map(|(group, items)| {
                let items = items.as_object().unwrap().iter();
                items.map(move |(name, item)| format!("{key} {group} {name}: {item}"))
            })),
            None => lines.push(format!("{key}: {part}")),
        }
    }
    assert_snapshot!("openapi", lines.join("\n").replace(&server.url(), "<url>"));
}

/// Returns the exit code and the output of the command, without the path of a folder.
fn output(arguments: &[&str], folder: &TempDir) -> String {
    let setup = setup();
    let ProcessOutput { status, stdout, stderr } = run_command(&mut setup.bare_command(arguments));
    let text = format!("{status}\n-- stdout\n{stdout}-- stderr\n{stderr}");
    text.replace(&folder.path().display().to_string(), "<forms>")
}

#[test]
fn check_prints_problems() {
    let folder = TempDir::of(&[("broken.yml", BROKEN)]);
    let path = folder.path().display().to_string();
    assert_snapshot!("check", output(&["check", &path], &folder));
    assert_snapshot!("check_short", output(&["check", "--format", "short", &path], &folder));
}

#[test]
fn routes_are_listed() {
    let forms = repository_path("forms").display().to_string();
    let folder = TempDir::new();
    assert_snapshot!("routes", output(&["routes", "--forms", &forms], &folder));
}

#[test]
fn help_is_printed() {
    assert_snapshot!("help", output(&["--help"], &TempDir::new()));
}
