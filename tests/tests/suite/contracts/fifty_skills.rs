//! 50skills Journeys: input in snake or camel case, output in camel case, messages of Django REST
//! framework.

use registrar_tests::{TestServer, cases};

use super::{FORM, JSON, assert_alphanumeric, assert_response, masked, post, send};

const PATH: &str = "/50skills/v1/users/";
const TYPE: &str = "application/json";
const SAMPLE: &str = r#"{"name":"Samwise Gamgee","email":"samwise@50skills.com"}"#;

cases! {
    sample_request_creates_user_with_eleven_keys,
    snake_and_camel_case_are_accepted_and_read_only_keys_ignored,
    user_is_read_by_alphanumeric_id,
    all_validation_errors_are_reported,
    malformed_requests_get_django_errors,
    missing_or_invalid_credentials_get_401,
    host_serves_routes_without_mount,
}

fn sample_request_creates_user_with_eleven_keys(server: &TestServer) {
    let response = post(server, PATH, "Bearer $", JSON, SAMPLE);
    assert_response(&response, 201, TYPE, &response.text);
    let body = response.json();
    assert_alphanumeric(&body["id"], 8);
    assert_eq!(body["id"], body["shortId"]);
    assert_eq!(
        masked(&response, &["id", "shortId"]),
        r#"{"id":_,"shortId":_,"name":"Samwise Gamgee","email":"samwise@50skills.com","phone":null,"isActive":true,"role":"user","picture":null,"hasSetPassword":false,"isMe":false,"status":"created"}"#
    );
}

fn snake_and_camel_case_are_accepted_and_read_only_keys_ignored(server: &TestServer) {
    for (tag, is_active, send_invite) in
        [("a", "is_active", "send_invite"), ("b", "isActive", "sendInvite")]
    {
        let body = format!(
            r#"{{"id":"x","shortId":"x","name":"A","email":"{tag}@b.co","phone":"+441234567890","{is_active}":false,"role":"admin","picture":"https://example.com/a.png","{send_invite}":true,"status":"gone","hasSetPassword":true,"token_type:":"?"}}"#
        );
        let response = post(server, PATH, "Bearer $", JSON, &body);
        response.is(201);
        assert_eq!(
            masked(&response, &["id", "shortId", "email"]),
            r#"{"id":_,"shortId":_,"name":"A","email":_,"phone":"+441234567890","isActive":false,"role":"admin","picture":"https://example.com/a.png","hasSetPassword":false,"isMe":false,"status":"created"}"#
        );
    }
}

fn user_is_read_by_alphanumeric_id(server: &TestServer) {
    let created = post(server, PATH, "Bearer $", JSON, SAMPLE);
    let id = created.json()["id"].as_str().unwrap().to_owned();
    for slash in ["/", ""] {
        let path = format!("{PATH}{id}{slash}");
        assert_response(
            &send(server, "GET", &path, "Bearer $", &[], None),
            200,
            TYPE,
            &created.text,
        );
    }
    for id in ["1", "zzzzzzzz", "x", "%00"] {
        let response = send(server, "GET", &format!("{PATH}{id}/"), "Bearer $", &[], None);
        assert_response(&response, 404, TYPE, r#"{"detail":"Not found."}"#);
    }
}

fn all_validation_errors_are_reported(server: &TestServer) {
    post(server, PATH, "Bearer $", JSON, SAMPLE).is(201);
    for (body, errors) in [
        ("{}", r#"{"name":["This field is required."],"email":["This field is required."]}"#),
        ("", r#"{"name":["This field is required."],"email":["This field is required."]}"#),
        (
            r#"{"name":"","email":null}"#,
            r#"{"name":["This field may not be blank."],"email":["This field may not be null."]}"#,
        ),
        (
            r#"{"name":[],"email":"samwise","isActive":"maybe","role":"king","picture":"nowhere","sendInvite":{}}"#,
            r#"{"name":["Not a valid string."],"email":["Enter a valid email address."],"isActive":["Must be a valid boolean."],"role":["\"king\" is not a valid choice."],"picture":["Enter a valid URL."],"sendInvite":["Must be a valid boolean."]}"#,
        ),
        (
            r#"{"name":"A","email":"a@b.co","is_active":null}"#,
            r#"{"isActive":["This field may not be null."]}"#,
        ),
        (
            r#"{"name":"A","email":"SAMWISE@50skills.com"}"#,
            r#"{"email":["user with this email already exists."]}"#,
        ),
    ] {
        assert_response(&post(server, PATH, "Bearer $", JSON, body), 400, TYPE, errors);
    }
    assert_eq!(server.client().count(), 1);
}

fn malformed_requests_get_django_errors(server: &TestServer) {
    assert_response(
        &post(server, PATH, "Bearer $", JSON, "[1]"),
        400,
        TYPE,
        r#"{"nonFieldErrors":["Invalid data. Expected a dictionary, but got list."]}"#,
    );
    assert_response(
        &post(server, PATH, "Bearer $", JSON, r#"{"a":}"#),
        400,
        TYPE,
        r#"{"detail":"JSON parse error - Expecting value: line 1 column 6 (char 5)"}"#,
    );
    let text = ("content-type", "text/plain; charset=utf-8");
    assert_response(
        &post(server, PATH, "Bearer $", text, SAMPLE),
        415,
        TYPE,
        r#"{"detail":"Unsupported media type \"text/plain\" in request."}"#,
    );
    post(server, PATH, "Bearer $", FORM, SAMPLE).is(415);
    let get = send(server, "PUT", PATH, "Bearer $", &[], None);
    assert_response(&get, 405, TYPE, r#"{"detail":"Method \"PUT\" not allowed."}"#);
    assert_eq!(get.header("allow"), Some("POST, GET, HEAD"));
    assert_response(
        &post(server, "/50skills/v1/", "", JSON, ""),
        404,
        TYPE,
        r#"{"detail":"Not found."}"#,
    );
}

fn missing_or_invalid_credentials_get_401(server: &TestServer) {
    let missing = r#"{"detail":"Authentication credentials were not provided."}"#;
    for header in ["", "Token $", "$"] {
        let response = post(server, PATH, header, JSON, SAMPLE);
        assert_response(&response, 401, TYPE, missing);
        assert_eq!(response.header("www-authenticate"), Some("Bearer"));
    }
    for header in ["Bearer x", "Bearer", "Bearer a b"] {
        let response = post(server, PATH, header, JSON, SAMPLE);
        assert_response(&response, 401, TYPE, r#"{"detail":"Invalid token."}"#);
    }
    post(server, PATH, "Bearer $", JSON, SAMPLE).is(201);
    server.revoke("tests");
    let after = post(server, PATH, "Bearer $", JSON, r#"{"name":"B","email":"b@b.co"}"#);
    assert_response(&after, 401, TYPE, r#"{"detail":"Invalid token."}"#);
}

fn host_serves_routes_without_mount(server: &TestServer) {
    let host = ("host", "journeys-api.50skills.app");
    send(server, "POST", "/v1/users/", "Bearer $", &[host, JSON], Some(SAMPLE)).is(201);
    send(server, "POST", "/50skills/v1/users/", "Bearer $", &[host, JSON], Some(SAMPLE)).is(404);
}
