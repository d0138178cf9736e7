//! Request bodies: content types, sizes, time-outs and syntax. Anything unsupported gets a clear
//! response below 500 and stores nothing.

use registrar_tests::{Setup, TestResponse, TestServer, cases, samples};
use serde_json::json;

cases! {
    content_encoding_gets_415,
    unsupported_content_type_or_charset_gets_415,
    json_content_types_are_accepted,
    json_sent_as_form_urlencoded_gets_415_with_hint,
    multipart_fields_are_read_and_files_rejected,
    body_over_limit_gets_413 with small_body_limit,
    stalled_body_gets_408 with one_second_body_timeout,
    truncated_body_stores_nothing,
    malformed_or_ambiguous_json_gets_400,
    json_nesting_up_to_64_levels_is_accepted,
}

const VALID_BODY: &str = r#"{"form_configuration_name":"reference_rest_api_create_user","form":{"first_name":"A","email":"a@b.co","password":"brisk-harbour-42"}}"#;

fn post_with_headers(server: &TestServer, headers: &[(&str, &str)]) -> TestResponse {
    server.client().send("POST", "/api/users", headers, Some(VALID_BODY.as_bytes()))
}

fn content_encoding_gets_415(server: &TestServer) {
    let json = ("content-type", "application/json");
    for encoding in ["gzip", "br", "deflate", "zstd", "gzip, identity", "x"] {
        let response = post_with_headers(server, &[json, ("content-encoding", encoding)]);
        response.rejected(415, "base", "unsupported_media_type");
    }
    post_with_headers(server, &[json, ("content-encoding", "identity")]).created();
}

fn unsupported_content_type_or_charset_gets_415(server: &TestServer) {
    for content_type in [
        "text/plain",
        "application/xml",
        "application/octet-stream",
        "application/jsonx",
        "image/png",
        "json",
        "",
        "application/json; charset=utf-16",
        "application/json; charset=iso-8859-1",
        "application/x-www-form-urlencoded; charset=utf-16",
    ] {
        let response = post_with_headers(server, &[("content-type", content_type)]);
        response.rejected(415, "base", "unsupported_media_type");
    }
    assert_eq!(server.client().count(), 0);
}

fn json_content_types_are_accepted(server: &TestServer) {
    let content_types = [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON;charset=UTF-8",
        "application/vnd.api+json",
        "text/json",
    ];
    for (index, content_type) in content_types.iter().enumerate() {
        let body = VALID_BODY.replace("a@b.co", &format!("a{index}@b.co"));
        let headers = [("content-type", *content_type)];
        let response = server.client().send("POST", "/api/users", &headers, Some(body.as_bytes()));
        assert_eq!(response.status, 201, "{content_type}: {response:?}");
    }
    let mut bare = server.connect();
    bare.send(&request(server, "", VALID_BODY));
    bare.read_response().created();
}

fn json_sent_as_form_urlencoded_gets_415_with_hint(server: &TestServer) {
    let response =
        post_with_headers(server, &[("content-type", "application/x-www-form-urlencoded")]);
    let message = response.rejected(415, "base", "unsupported_media_type");
    assert!(message.contains("Content-Type: application/json"), "{message}");
}

fn multipart_fields_are_read_and_files_rejected(server: &TestServer) {
    let part = |name: &str, value: &str| {
        format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let body = |email: &str, more: &str| {
        let named = part("form_configuration_name", "reference_rest_api_create_user");
        let fields = [("form[first_name]", "Ann"), ("form[password]", "brisk-harbour-42")];
        let fields: String = fields.map(|(name, value)| part(name, value)).concat();
        format!("{named}{fields}{}{more}--x--\r\n", part("form[email]", email))
    };
    let post = |content_type: &str, body: &str| {
        let headers = [("content-type", content_type)];
        server.client().send("POST", "/api/users", &headers, Some(body.as_bytes()))
    };
    let content_type = "multipart/form-data; boundary=x";
    post(content_type, &body("a@b.co", "")).created();
    post(content_type, &body("a@b.co", "")).invalid(&[("email", "taken")]);
    post(content_type, &body("x", "")).invalid(&[("email", "invalid")]);
    let file = part("form[name]\"; filename=\"a.txt", "x");
    let cut = body("b@b.co", "");
    for (content_type, body) in [
        (content_type, body("b@b.co", &file)),
        (content_type, cut[..cut.len() - 9].to_owned()),
        (content_type, String::new()),
        (content_type, VALID_BODY.to_owned()),
        ("multipart/form-data", body("b@b.co", "")),
        ("multipart/form-data; boundary=y", body("b@b.co", "")),
    ] {
        post(content_type, &body).rejected(400, "base", "malformed");
    }
    assert_eq!(server.client().count(), 1);
}

fn small_body_limit(setup: Setup) -> Setup {
    setup.with(|settings| settings.body_limit = 200)
}

fn body_over_limit_gets_413(server: &TestServer) {
    let fits = format!("{VALID_BODY}{}", " ".repeat(200 - VALID_BODY.len()));
    server.client().post("/api/users", &fits).created();

    let mut declared = server.connect();
    declared.send(&request(server, "Content-Type: application/json\r\n", &format!("{fits} ")));
    let message = declared.read_response().rejected(413, "base", "body_too_large");
    assert!(message.contains("200 bytes"), "{message}");

    // The headers suffice: the declared length, or the size of the chunks received so far.
    let mut chunked = server.connect();
    chunked.send(&head(server, "Transfer-Encoding: chunked\r\n"));
    for _ in 0..3 {
        chunked.send(format!("64\r\n{}\r\n", " ".repeat(100)).as_bytes());
    }
    chunked.read_response().rejected(413, "base", "body_too_large");
    assert_eq!(server.client().count(), 1);
}

fn one_second_body_timeout(setup: Setup) -> Setup {
    setup.with(|settings| settings.body_seconds = 1)
}

fn stalled_body_gets_408(server: &TestServer) {
    let started = std::time::Instant::now();
    let mut slow = server.connect();
    slow.send(&head(server, "Content-Type: application/json\r\nContent-Length: 100\r\n"));
    slow.send(b"{\"form");
    slow.read_response().rejected(408, "base", "body_timeout");
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
}

fn truncated_body_stores_nothing(server: &TestServer) {
    let mut broken = server.connect();
    let length = VALID_BODY.len() + 1;
    let content_type = format!("Content-Type: application/json\r\nContent-Length: {length}\r\n");
    broken.send(&head(server, &content_type));
    broken.send(VALID_BODY.as_bytes());
    broken.shut_down_write();
    assert!(broken.is_closed() || broken.read_response().status == 400);
    assert_eq!(server.client().count(), 0);
}

fn malformed_or_ambiguous_json_gets_400(server: &TestServer) {
    let form = |members: &str| {
        format!(r#"{{"form_configuration_name": "client_sign_up", "form": {{{members}}}}}"#)
    };
    let deep = format!("{}1{}", r#"{"a":"#.repeat(65), "}".repeat(65));
    for (what, body, hint) in [
        ("nothing", String::new(), "empty"),
        ("half", r#"{"form_configuration_name": "client_sign_up""#.to_owned(), "not valid JSON"),
        ("a comma too many", form(r#""name": "A","#), "not valid JSON"),
        ("two documents", "{}{}".to_owned(), "not valid JSON"),
        ("not a number", form(r#""name": NaN"#), "not valid JSON"),
        ("a key twice", form(r#""name": "A", "name": "B""#), "/form/name"),
        (
            "a key twice, spelled otherwise",
            form(r#""name": "A", "n\u0061me": "B""#),
            "duplicate key",
        ),
        ("NUL", form(r#""name": "A\u0000B""#), "NUL"),
        ("NUL in a key", form(r#""na\u0000me": "A""#), "NUL"),
        ("half a surrogate pair", form(r#""name": "\ud800""#), "Unicode"),
        ("65 deep", deep, "nested too deeply"),
        ("a number without bounds", form(r#""name": 1e999999"#), "number out of range"),
    ] {
        let response = server.client().post("/api/users", &body);
        let message = response.rejected(400, "base", "malformed");
        assert!(message.contains(hint), "{what}: {message}");
    }
    let latin1 =
        b"{\"form_configuration_name\": \"client_sign_up\", \"form\": {\"name\": \"\xe9\"}}";
    let content_type = [("content-type", "application/json")];
    let response = server.client().send("POST", "/api/users", &content_type, Some(latin1));
    assert!(response.rejected(400, "base", "malformed").contains("Unicode"));
    assert_eq!(server.client().count(), 0);
}

fn json_nesting_up_to_64_levels_is_accepted(server: &TestServer) {
    let mut sample = samples::client("deep");
    let mut nested = json!(1);
    for _ in 0..62 {
        nested = json!([nested]);
    }
    sample["ignored"] = nested;
    server.client().submit("client_sign_up", &sample).created();
}

fn head(server: &TestServer, headers: &str) -> Vec<u8> {
    let token = server.token();
    format!("POST /api/users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n{headers}\r\n")
        .into_bytes()
}

fn request(server: &TestServer, headers: &str, body: &str) -> Vec<u8> {
    let mut request = head(server, &format!("{headers}Content-Length: {}\r\n", body.len()));
    request.extend_from_slice(body.as_bytes());
    request
}
