//! `registrar routes` lists what the server serves.

use registrar_tests::{TestServer, repository_path, run_command};
use serde_json::Value;

use super::setup;

fn routes(format: &str) -> String {
    let setup = setup();
    let mut command = setup.bare_command(&["routes", "--format", format, "--forms"]);
    run_command(command.arg(repository_path("forms"))).success().stdout
}

#[test]
fn routes_lists_operation_form_and_scope_in_columns() {
    let text = routes("text");
    let row = |cells: [&str; 6]| {
        let is_row = |line: &&str| {
            let found: Vec<&str> = line.split("  ").map(str::trim).collect();
            found.into_iter().filter(|cell| !cell.is_empty()).eq(cells)
        };
        assert_eq!(text.lines().filter(is_row).count(), 1, "{cells:?} in\n{text}");
    };
    row(["METHOD", "PATH", "CONTRACT", "OPERATION", "FORM", "SCOPE"]);
    row(["GET", "/metrics", "(native)", "show metrics", "-", "(public)"]);
    row(["GET", "/openapi.json", "(native)", "show openapi", "-", "read"]);
    row(["POST", "/api/users", "platformos", "create user", "(named by request)", "create"]);
    row(["POST", "/garmat/api/users", "garmat", "create user", "garmat", "create"]);
    row(["POST", "/garmat/api/authenticate", "garmat", "issue_token user", "-", "(public)"]);
}

#[test]
fn listed_native_routes_are_served() {
    let server = TestServer::start(setup());
    let client = server.client();
    let listed: Vec<Value> = serde_json::from_str(&routes("json")).unwrap();
    let native: Vec<&Value> = listed.iter().filter(|route| route["contract"].is_null()).collect();
    assert!(native.len() >= 7 && listed.len() > 60, "{}", listed.len());
    for route in native {
        let path = route["path"].as_str().unwrap().replace("{name}", "client_sign_up");
        client.get(&path).is(200);
        let status = server.anonymous().get(&path).status;
        assert_eq!(status == 401, route["is_public"] == false, "{path} {status}");
    }
}
