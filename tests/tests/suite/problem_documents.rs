//! RFC 9457: error responses are problem documents if the client accepts
//! `application/problem+json`.

use registrar_tests::{Setup, TestResponse, TestServer, cases, samples};
use serde_json::{Value, json};

cases! {
    errors_are_problem_documents_if_accepted with small_limits,
    shutdown_errors_are_problem_documents,
    problem_documents_require_accept_header,
}

const PROBLEM: &str = "application/problem+json";
const ACCEPT_PROBLEM: (&str, &str) = ("accept", PROBLEM);
const JSON: (&str, &str) = ("content-type", "application/json");

fn small_limits(setup: Setup) -> Setup {
    setup.with(|settings| {
        settings.body_limit = 4096;
        settings.body_seconds = 1;
    })
}

/// Asserts a problem document of this status with the members of the plain response.
#[track_caller]
fn assert_problem(response: &TestResponse, status: u16, title: &str, code: &str) {
    let body = response.is(status).json();
    assert_eq!(response.header("content-type"), Some(PROBLEM), "{response:?}");
    let vary = response.header("vary").unwrap_or_default();
    assert!(vary.split(", ").any(|name| name == "Accept"), "{response:?}");
    assert_eq!(body["type"], "about:blank");
    assert_eq!((&body["status"], &body["title"]), (&json!(status), &json!(title)));
    assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{response:?}");
    assert_eq!(body["details"][0]["code"], code, "{response:?}");
    let (field, message) = (&body["details"][0]["field"], &body["details"][0]["message"]);
    assert_eq!(body["errors"][field.as_str().unwrap()][0], *message, "{response:?}");
}

fn errors_are_problem_documents_if_accepted(server: &TestServer) {
    let client = server.client();
    let (post, get) = (
        |content_type: (&str, &str), body: &str| {
            client.send(
                "POST",
                "/api/users",
                &[ACCEPT_PROBLEM, content_type],
                Some(body.as_bytes()),
            )
        },
        |path: &str| client.send("GET", path, &[ACCEPT_PROBLEM], None),
    );
    let submission = |form: &str, fields: &Value| {
        json!({ "form_configuration_name": form, "form": fields }).to_string()
    };
    let empty = submission("client_sign_up", &json!({ "email": "" }));

    assert_problem(&post(JSON, "{"), 400, "Bad Request", "malformed");
    assert_problem(&get("/api/users?per_page=0"), 400, "Bad Request", "bad_query");
    for (method, path) in [("GET", "/api/users"), ("GET", "/api/users/1"), ("POST", "/api/users")] {
        let body: Option<&[u8]> = if method == "POST" { Some(b"{}") } else { None };
        let response = server.anonymous().send(method, path, &[ACCEPT_PROBLEM], body);
        assert_problem(&response, 401, "Unauthorized", "missing_token");
    }
    let stranger = server.anonymous().with_authorization("Bearer x");
    let response = stranger.send("GET", "/api/users", &[ACCEPT_PROBLEM], None);
    assert_problem(&response, 401, "Unauthorized", "invalid_token");
    let form = "/api/form_configurations/no_such";
    for path in ["/", "/api/users/1", "/api/users/x", form, "/nowhere", "/%00"] {
        assert_problem(&get(path), 404, "Not Found", "not_found");
    }
    for path in ["/api/users", "/api/users.json", "/health/live", "/metrics"] {
        let response = client.send("PATCH", path, &[ACCEPT_PROBLEM], Some(b"{}"));
        assert_problem(&response, 405, "Method Not Allowed", "method_not_allowed");
    }
    let put = |body: &str| {
        client.send("PUT", "/api/users/1", &[ACCEPT_PROBLEM, JSON], Some(body.as_bytes()))
    };
    let change = submission("reference_rest_api_update_user", &json!({ "first_name": "" }));
    assert_problem(&put(&change), 404, "Not Found", "not_found");
    let delete = client.send("DELETE", "/api/users/1", &[ACCEPT_PROBLEM], None);
    assert_problem(&delete, 404, "Not Found", "not_found");
    let unknown = post(JSON, &submission("client_sing_up", &json!({})));
    assert_problem(&unknown, 406, "Not Acceptable", "unknown_form");
    assert_eq!(unknown.json()["details"][0]["params"], json!({ "near": "client_sign_up" }));
    assert_problem(&post(JSON, "{}"), 406, "Not Acceptable", "missing");
    let update = submission("reference_rest_api_update_user", &json!({}));
    assert_problem(&post(JSON, &update), 406, "Not Acceptable", "wrong_form");
    let mut slow = server.connect();
    let token = server.token();
    let head = format!(
        "POST /api/users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
         Accept: {PROBLEM}\r\nContent-Length: 100\r\n\r\n"
    );
    slow.send(head.as_bytes());
    assert_problem(&slow.read_response(), 408, "Request Timeout", "body_timeout");
    assert_problem(&post(JSON, &" ".repeat(5000)), 413, "Payload Too Large", "body_too_large");
    let text = ("content-type", "text/plain");
    assert_problem(&post(text, "{}"), 415, "Unsupported Media Type", "unsupported_media_type");
    assert_problem(&post(JSON, &empty), 422, "Unprocessable Entity", "blank");
    post(JSON, &submission("client_sign_up", &samples::client("ann"))).created();
    let again = post(JSON, &submission("client_sign_up", &samples::client("ann")));
    assert_problem(&again, 422, "Unprocessable Entity", "taken");
    assert_eq!(again.json()["detail"], "2 rules of the form are broken");
}

fn shutdown_errors_are_problem_documents(server: &TestServer) {
    server.shut_down_store();
    let body = json!({ "form_configuration_name": "client_sign_up", "form": samples::client("a") });
    let body = body.to_string();
    let headers = [ACCEPT_PROBLEM, JSON];
    let response = server.client().send("POST", "/api/users", &headers, Some(body.as_bytes()));
    assert_problem(&response, 503, "Service Unavailable", "unavailable");
    assert!(response.header("retry-after").is_some());
    let ready = server.anonymous().send("GET", "/health/ready", &[ACCEPT_PROBLEM], None);
    assert_problem(&ready, 503, "Service Unavailable", "not_ready");
}

fn problem_documents_require_accept_header(server: &TestServer) {
    let plain = "application/vnd.api+json";
    for (accept, expected) in [
        ("", plain),
        ("*/*", plain),
        ("application/*", plain),
        ("application/json", plain),
        ("application/problem+xml", plain),
        ("application/problem+jsonx", plain),
        ("application/problem+json;q=0", plain),
        ("application/problem+json; q=0.0, */*", plain),
        ("application/problem+json", PROBLEM),
        ("Application/Problem+JSON", PROBLEM),
        ("text/html, application/problem+json;q=0.1", PROBLEM),
        ("application/problem+json; charset=utf-8", PROBLEM),
    ] {
        let response = server.client().send("GET", "/nowhere", &[("accept", accept)], None);
        assert_eq!(response.is(404).header("content-type"), Some(expected), "{accept:?}");
        assert_eq!(response.header("vary"), Some("Accept"), "{accept:?}");
    }
    let found = server.client().send("GET", "/api/users", &[ACCEPT_PROBLEM], None);
    assert_eq!(found.is(200).header("content-type"), Some(plain));
}
