//! Garmat: status 200, six keys, and errors that only repeat the status.

use registrar_tests::{TestServer, cases};

use super::{FORM, JSON, assert_response, masked, post, send};

const PATH: &str = "/garmat/api/users";
const TYPE: &str = "application/json; charset=utf-8";
const SAMPLE: &str = r#"{"name":"Test User","role":"customer_read_only","email":"user@test.com","status":"active","account_id":"f260f115-f2e6-4dde-bcab-98b10fdb8cf6"}"#;

cases! {
    sample_json_is_accepted_as_form_urlencoded,
    omitted_fields_get_defaults,
    errors_contain_only_the_status_text,
    missing_or_invalid_credentials_get_401,
    host_serves_only_contract_routes,
    ambiguous_filter_gets_400,
    token_with_unknown_attributes_is_rejected,
}

fn created_body(
    server: &TestServer,
    authorization: &str,
    content_type: (&str, &str),
    body: &str,
) -> String {
    let response = post(server, PATH, authorization, content_type, body);
    assert_eq!((response.is(200).status, response.header("content-type")), (200, Some(TYPE)));
    let id = response.json()["id"].as_str().unwrap().to_owned();
    assert!(id.len() == 36 && id.as_bytes()[14] == b'4', "{id}");
    masked(&response, &["id"])
}

fn sample_json_is_accepted_as_form_urlencoded(server: &TestServer) {
    assert_eq!(
        created_body(server, "Bearer $", FORM, SAMPLE),
        r#"{"id":_,"name":"Test User","role":"customer_read_only","email":"user@test.com","status":"active","account_id":"f260f115-f2e6-4dde-bcab-98b10fdb8cf6"}"#
    );
    let stored = server.client().user(1);
    assert_eq!(stored["properties"]["role"], "customer_read_only");
}

fn omitted_fields_get_defaults(server: &TestServer) {
    let body = r#"{"name":"A","role":"customer_admin","email":"a@test.com","account_id":"f260f115-f2e6-4dde-bcab-98b10fdb8cf6","id":"mine","more":[1]}"#;
    assert_eq!(
        created_body(server, "$", JSON, body),
        r#"{"id":_,"name":"A","role":"customer_admin","email":"a@test.com","status":"active","account_id":"f260f115-f2e6-4dde-bcab-98b10fdb8cf6"}"#
    );
}

fn errors_contain_only_the_status_text(server: &TestServer) {
    let bad = r#"{"error":"Bad Request"}"#;
    let wrong = [
        "{}".to_owned(),
        String::new(),
        "[1]".to_owned(),
        "{".to_owned(),
        SAMPLE.replace("customer_read_only", "king"),
        SAMPLE.replace("\"active", "\"asleep"),
        SAMPLE.replace("user@", ""),
        SAMPLE.replace("f260f115", "x"),
    ];
    for body in wrong {
        assert_response(&post(server, PATH, "Bearer $", JSON, &body), 400, TYPE, bad);
    }
    post(server, PATH, "Bearer $", JSON, SAMPLE).is(200);
    let again = SAMPLE.replace("user@test", "USER@Test");
    assert_response(&post(server, PATH, "Bearer $", JSON, &again), 400, TYPE, bad);
    assert_eq!(server.client().count(), 1);

    let content_type = ("content-type", "application/x-www-form-urlencoded");
    assert_response(
        &post(server, PATH, "Bearer $", content_type, "email=a%40b.co"),
        415,
        TYPE,
        r#"{"error":"Unsupported Media Type"}"#,
    );
    let method = send(server, "PUT", PATH, "Bearer $", &[], None);
    assert_response(&method, 405, TYPE, r#"{"error":"Method Not Allowed"}"#);
    assert_eq!(method.header("allow"), Some("POST, GET, HEAD"));
    for path in ["/garmat/api/users/", "/garmat/", "/garmat/api"] {
        assert_response(
            &post(server, path, "Bearer $", JSON, SAMPLE),
            404,
            TYPE,
            r#"{"error":"Not Found"}"#,
        );
    }
}

fn missing_or_invalid_credentials_get_401(server: &TestServer) {
    let unauthorized = r#"{"error":"Unauthorized"}"#;
    for header in ["", "Basic eDp5", "Token $", "Bearer x", "x", "Bearer $x", "Bearer"] {
        assert_response(&post(server, PATH, header, JSON, SAMPLE), 401, TYPE, unauthorized);
    }
    server.revoke("tests");
}

fn host_serves_only_contract_routes(server: &TestServer) {
    let host = ("host", "localhost:4000");
    let response = send(server, "POST", "/api/users", "Bearer $", &[host, FORM], Some(SAMPLE));
    assert_eq!(response.is(200).header("content-type"), Some(TYPE));
    // Native routes are not served on this host, nor the contract's routes on others.
    assert_response(
        &send(server, "GET", "/health/live", "", &[host], None),
        404,
        TYPE,
        r#"{"error":"Not Found"}"#,
    );
    let other = ("host", "localhost:4001");
    send(server, "POST", "/api/users", "Bearer $", &[other, JSON], Some(SAMPLE)).is(406);
}

fn ambiguous_filter_gets_400(server: &TestServer) {
    post(server, PATH, "Bearer $", JSON, SAMPLE).is(200);
    let get = |query: &str| send(server, "GET", &format!("{PATH}?{query}"), "Bearer $", &[], None);
    assert!(get("filter=user%40test.com").is(200).text.contains("user@test.com"));
    // The filter is ambiguous.
    let both = get("filter=user%40test.com&filter[x]=b");
    assert_response(&both, 400, TYPE, r#"{"error":"Bad Request"}"#);
}

fn token_with_unknown_attributes_is_rejected(server: &TestServer) {
    post(server, PATH, "Bearer $", JSON, SAMPLE).is(200);
    let get = |credential: &str| send(server, "GET", PATH, credential, &[], None).status;
    assert_eq!(get(&server.new_authorization("garmat", "ours", &[])), 200);
    assert_eq!(get(&server.new_authorization("garmat", "theirs", &[("account_id", "7")])), 200);
    // As created by older versions.
    for (name, attributes) in
        [("a", r#"{"accountid":"7"}"#), ("b", r#"{"account_id":" "}"#), ("c", "{}")]
    {
        let credential = server.new_authorization("garmat", name, &[("account_id", "7")]);
        let set =
            format!("UPDATE api_tokens SET attributes = '{attributes}' WHERE name = '{name}'");
        server.database().execute(&set);
        assert_eq!(get(&credential), 401, "{attributes}");
    }
}
