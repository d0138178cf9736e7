//! The example of the platformOS reference and its responses, byte by byte.

use registrar_tests::{TestServer, cases};

cases! {
    reference_request_creates_user,
    repeated_reference_request_is_taken,
    json_suffix_of_route_is_accepted,
}

const REQUEST: &str = r#"{"form_configuration_name": "reference_rest_api_create_user", "form": {"first_name": "Example", "email": "example1@example.com", "password": "somepassword"}}"#;

fn reference_request_creates_user(server: &TestServer) {
    let response = server.client().post("/api/users", REQUEST);
    response.is(201);
    assert_eq!(response.text, r#"{"id":1,"errors":{}}"#);
    assert_eq!(response.header("content-type"), Some("application/vnd.api+json"));
    assert_eq!(response.header("location"), Some("/api/users/1"));
    let version = response.header("form-version").unwrap();
    assert!(version.len() == 16 && version.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert!(response.header("x-request-id").is_some_and(|id| !id.is_empty()));
    assert_eq!(server.client().user(1)["email"], "example1@example.com");
}

fn repeated_reference_request_is_taken(server: &TestServer) {
    server.client().post("/api/users", REQUEST).created();
    let again = server.client().post("/api/users", REQUEST);
    again.invalid(&[("email", "taken")]);
    let start = r#"{"errors":{"email":["has already been taken"]},"details":[{"field":"email","pointer":"/form/email","code":"taken","params":{},"message":"has already been taken","full_message":"Email has already been taken"}]}"#;
    assert_eq!(again.text, start);
    assert_eq!(again.header("content-type"), Some("application/vnd.api+json"));
    assert_eq!(again.header("location"), None);
    assert_eq!(server.client().count(), 1);
}

fn json_suffix_of_route_is_accepted(server: &TestServer) {
    let response = server.client().post("/api/users.json", REQUEST);
    assert_eq!((response.status, response.text.as_str()), (201, r#"{"id":1,"errors":{}}"#));
    server.client().post("/api/users", REQUEST).invalid(&[("email", "taken")]);
    assert_eq!(server.client().get("/api/users.json").json()["total"], 1);
}
