//! Hosts of requests, addresses in answers, and what proxies report of both.

use std::sync::atomic::{AtomicU32, Ordering};

use registrar_tests::{Answer, Setup, TestServer, cases};

cases! {
    a_host_that_is_none_is_refused,
    the_target_has_precedence_over_the_host,
    a_header_that_is_sent_twice_is_refused,
    addresses_ignore_what_strangers_report,
    addresses_are_as_a_trusted_proxy_reports with behind_proxy,
    addresses_are_as_a_trusted_proxy_forwards with behind_forwarding_proxy,
    addresses_begin_with_the_public_url with with_public_url,
    an_upgrade_is_ignored_and_the_connection_stays,
    an_id_has_one_spelling,
}

fn behind_proxy(setup: Setup) -> Setup {
    setup.with(|settings| settings.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()])
}

fn behind_forwarding_proxy(setup: Setup) -> Setup {
    behind_proxy(setup).with(|settings| settings.forwarded_headers = "forwarded".parse().unwrap())
}

fn with_public_url(setup: Setup) -> Setup {
    setup.with(|settings| settings.public_url = "https://id.example.com/base".parse().ok())
}

/// Sends a request with these lines as its head, behind the request line's method and target.
fn ask(server: &TestServer, target: &str, lines: &str) -> Answer {
    let token = server.token();
    let mut connection = server.connect();
    let head = format!("GET {target} HTTP/1.1\r\nAuthorization: Bearer {token}\r\n{lines}\r\n\r\n");
    connection.send(head.as_bytes());
    connection.answer()
}

/// The address of a new user, as SCIM has it, without its path.
fn address(server: &TestServer, lines: &str) -> String {
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
    let answer = connection.answer();
    let location = answer.is(201).header("location").unwrap().to_owned();
    location.split_once("/scim/v2/Users/").unwrap().0.to_owned()
}

fn a_host_that_is_none_is_refused(server: &TestServer) {
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
        let answer = ask(server, "/api/users", &format!("Host: {host}"));
        answer.fault(400, "base", "bad_request");
        assert!(!answer.text.contains("script"), "{answer:?}");
    }
    for target in ["http://u@h/api/users", "http://h:x/api/users"] {
        assert_eq!(ask(server, target, "Host: x").status, 400, "{target}");
    }
    for host in ["x", "example.com:80", "[::1]:80", "127.0.0.1", "a_b"] {
        ask(server, "/api/users", &format!("Host: {host}")).is(200);
    }
}

fn the_target_has_precedence_over_the_host(server: &TestServer) {
    // `localhost:4000` is a contract's, where nothing of Registrar's own is.
    ask(server, "http://localhost:4000/health/live", "Host: x").is(404);
    ask(server, "http://x/health/live", "Host: localhost:4000").is(200);
    ask(server, "/health/live", "Host: localhost:4000").is(404);
}

fn a_header_that_is_sent_twice_is_refused(server: &TestServer) {
    for twice in [
        "Host: x\r\nHost: x",
        "Host: x\r\nHost: y",
        "Host: x\r\nAuthorization: Bearer x",
        "Host: x\r\nContent-Type: a/b\r\nContent-Type: a/b",
    ] {
        assert_eq!(ask(server, "/api/users", twice).status, 400, "{twice}");
    }
    ask(server, "/api/users", "Host: x\r\nAccept: a/b\r\nAccept: c/d").is(200);
}

/// What somebody might report who is no proxy.
const REPORTED: &str = "X-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: https\r\n\
     Forwarded: host=evil.example;proto=https;for=192.0.2.1";

fn addresses_ignore_what_strangers_report(server: &TestServer) {
    assert_eq!(address(server, &format!("Host: me.example\r\n{REPORTED}")), "http://me.example");
}

fn addresses_are_as_a_trusted_proxy_reports(server: &TestServer) {
    let of = |lines: &str| address(server, &format!("Host: inner\r\n{lines}"));
    assert_eq!(
        of("X-Forwarded-Host: me.example\r\nX-Forwarded-Proto: https"),
        "https://me.example"
    );
    assert_eq!(of("X-Forwarded-Host: evil.example, me.example"), "http://me.example");
    assert_eq!(of("X-Forwarded-Proto: javascript"), "http://inner");
    assert_eq!(of("X-Forwarded-Host: a b/<x>"), "http://inner");
    // It sets the other kind of headers: this one is the client's.
    assert_eq!(of("Forwarded: host=evil.example;proto=https"), "http://inner");
}

fn addresses_are_as_a_trusted_proxy_forwards(server: &TestServer) {
    let of = |lines: &str| address(server, &format!("Host: inner\r\n{lines}"));
    assert_eq!(of("Forwarded: Host=\"me.example:8080\";Proto=https"), "https://me.example:8080");
    assert_eq!(of("X-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: https"), "http://inner");
}

fn addresses_begin_with_the_public_url(server: &TestServer) {
    let public = "https://id.example.com/base";
    assert_eq!(address(server, &format!("Host: evil.example\r\n{REPORTED}")), public);
}

fn an_upgrade_is_ignored_and_the_connection_stays(server: &TestServer) {
    let token = server.token();
    for options in [
        // As Java's HttpClient sends them.
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
            let answer = connection.answer();
            assert_eq!((answer.status, answer.header("connection")), (400, None), "{options}");
        }
    }
    // Where a body is chunked the connection ends, and the answer says so.
    let mut connection = server.connect();
    let head = "POST /api/users HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n";
    connection.send(format!("{head}Connection: Upgrade\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n").as_bytes());
    let answer = connection.answer();
    assert_eq!((answer.status, answer.header("connection")), (401, Some("close")));
}

fn an_id_has_one_spelling(server: &TestServer) {
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
