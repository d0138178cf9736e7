//! `Host` headers, base URLs in responses, and headers of reverse proxies.

use std::sync::atomic::{AtomicU32, Ordering};

use registrar_tests::{Setup, TestResponse, TestServer, cases};

cases! {
    invalid_host_header_is_rejected,
    absolute_request_target_overrides_host_header,
    duplicate_header_is_rejected,
    forwarded_headers_of_untrusted_clients_are_ignored,
    x_forwarded_headers_of_trusted_proxy_set_base_url with trusted_proxy,
    forwarded_header_of_trusted_proxy_sets_base_url with trusted_forwarded_proxy,
    public_url_setting_overrides_host_header with public_base_url,
    upgrade_request_is_ignored_and_connection_is_kept_alive,
    user_id_in_path_must_be_canonical,
}

fn trusted_proxy(setup: Setup) -> Setup {
    setup.with(|settings| settings.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()])
}

fn trusted_forwarded_proxy(setup: Setup) -> Setup {
    trusted_proxy(setup).with(|settings| settings.forwarded_headers = "forwarded".parse().unwrap())
}

fn public_base_url(setup: Setup) -> Setup {
    setup.with(|settings| settings.public_url = "https://id.example.com/base".parse().ok())
}

/// Sends a GET request with these header lines.
fn send_get(server: &TestServer, target: &str, lines: &str) -> TestResponse {
    let token = server.token();
    let mut connection = server.connect();
    let head = format!("GET {target} HTTP/1.1\r\nAuthorization: Bearer {token}\r\n{lines}\r\n\r\n");
    connection.send(head.as_bytes());
    connection.read_response()
}

/// Creates a user through SCIM and returns the base URL of its `Location`.
fn location_base_url(server: &TestServer, lines: &str) -> String {
    let token = server.token();
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let body = format!(r#"{{"userName":"u{}"}}"#, NEXT.fetch_add(1, Ordering::Relaxed));
    let mut connection = server.connect();
    connection.send(
        format!(
            "POST /scim/v2/Users HTTP/1.1\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/scim+json\r\nContent-Length: {}\r\n{lines}\r\n\r\n{body}",
            body.len()
        )
        .as_bytes(),
    );
    let response = connection.read_response();
    let location = response.is(201).header("location").unwrap().to_owned();
    location.split_once("/scim/v2/Users/").unwrap().0.to_owned()
}

fn invalid_host_header_is_rejected(server: &TestServer) {
    for host in [
        "a b\"/<x>?e",
        "a/b",
        "u@h",
        "a:b",
        "[::1",
        "a\"",
        "<script>",
        "a#b",
        "a\\b",
        "h:1:2",
        "%",
        "é",
    ] {
        let response = send_get(server, "/api/users", &format!("Host: {host}"));
        response.rejected(400, "base", "bad_request");
        assert!(!response.text.contains("script"), "{response:?}");
    }
    for target in ["http://u@h/api/users", "http://h:x/api/users"] {
        assert_eq!(send_get(server, target, "Host: x").status, 400, "{target}");
    }
    for host in ["x", "example.com:80", "[::1]:80", "127.0.0.1", "a_b"] {
        send_get(server, "/api/users", &format!("Host: {host}")).is(200);
    }
}

fn absolute_request_target_overrides_host_header(server: &TestServer) {
    // `localhost:4000` belongs to a contract, on which Registrar's own routes are not served.
    send_get(server, "http://localhost:4000/health/live", "Host: x").is(404);
    send_get(server, "http://x/health/live", "Host: localhost:4000").is(200);
    send_get(server, "/health/live", "Host: localhost:4000").is(404);
}

fn duplicate_header_is_rejected(server: &TestServer) {
    for twice in [
        "Host: x\r\nHost: x",
        "Host: x\r\nHost: y",
        "Host: x\r\nAuthorization: Bearer x",
        "Host: x\r\nContent-Type: a/b\r\nContent-Type: a/b",
    ] {
        assert_eq!(send_get(server, "/api/users", twice).status, 400, "{twice}");
    }
    send_get(server, "/api/users", "Host: x\r\nAccept: a/b\r\nAccept: c/d").is(200);
}

/// Forwarding headers sent by a client that is not a trusted proxy.
const FORWARDING_HEADERS: &str = "X-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: https\r\n\
     Forwarded: host=evil.example;proto=https;for=192.0.2.1";

fn forwarded_headers_of_untrusted_clients_are_ignored(server: &TestServer) {
    assert_eq!(
        location_base_url(server, &format!("Host: me.example\r\n{FORWARDING_HEADERS}")),
        "http://me.example"
    );
}

fn x_forwarded_headers_of_trusted_proxy_set_base_url(server: &TestServer) {
    let of = |lines: &str| location_base_url(server, &format!("Host: inner\r\n{lines}"));
    assert_eq!(
        of("X-Forwarded-Host: me.example\r\nX-Forwarded-Proto: https"),
        "https://me.example"
    );
    assert_eq!(of("X-Forwarded-Host: evil.example, me.example"), "http://me.example");
    assert_eq!(of("X-Forwarded-Proto: javascript"), "http://inner");
    assert_eq!(of("X-Forwarded-Host: a b/<x>"), "http://inner");
    // The proxy sets the other kind of header; this one comes from the client.
    assert_eq!(of("Forwarded: host=evil.example;proto=https"), "http://inner");
}

fn forwarded_header_of_trusted_proxy_sets_base_url(server: &TestServer) {
    let of = |lines: &str| location_base_url(server, &format!("Host: inner\r\n{lines}"));
    assert_eq!(of("Forwarded: Host=\"me.example:8080\";Proto=https"), "https://me.example:8080");
    assert_eq!(of("X-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: https"), "http://inner");
}

fn public_url_setting_overrides_host_header(server: &TestServer) {
    let public = "https://id.example.com/base";
    assert_eq!(
        location_base_url(server, &format!("Host: evil.example\r\n{FORWARDING_HEADERS}")),
        public
    );
}

fn upgrade_request_is_ignored_and_connection_is_kept_alive(server: &TestServer) {
    let token = server.token();
    for options in [
        // As sent by Java's `HttpClient`.
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk",
        "Connection: keep-alive, Upgrade\r\nUpgrade: websocket",
        "Connection: Upgrade",
        "Upgrade: websocket",
    ] {
        let mut connection = server.connect();
        for _ in 0..3 {
            let body = r#"{"userName":""}"#;
            connection.send(
                format!(
                    "POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
                     {options}\r\nContent-Type: application/scim+json\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                )
                .as_bytes(),
            );
            let response = connection.read_response();
            assert_eq!((response.status, response.header("connection")), (400, None), "{options}");
        }
    }
    // With a chunked body the connection closes, and the response says so.
    let mut connection = server.connect();
    let head = "POST /api/users HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n";
    connection.send(format!("{head}Connection: Upgrade\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n").as_bytes());
    let response = connection.read_response();
    assert_eq!((response.status, response.header("connection")), (401, Some("close")));
}

fn user_id_in_path_must_be_canonical(server: &TestServer) {
    let client = server.client();
    client.submit("client_sign_up", &registrar_tests::samples::client("one")).created();
    client.get("/api/users/1").is(200);
    client.get("/api/users/1.json").is(200);
    for id in ["01", "+1", "%31", "0001.json", "%2B1", "1%2Ejson", "-0", "%201", "1%20", "1%"] {
        assert_eq!(client.get(&format!("/api/users/{id}")).status, 404, "{id}");
        assert_eq!(
            client.send("DELETE", &format!("/api/users/{id}"), &[], None).status,
            404,
            "{id}"
        );
    }
}
