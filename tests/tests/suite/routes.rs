//! Routes, methods, health checks, and headers of all responses.

use registrar_core::config::Policies;
use registrar_tests::{TestServer, cases};

cases! {
    unknown_path_gets_404,
    allow_header_lists_supported_methods,
    health_requires_no_token,
    head_responds_like_get_without_body,
    valid_request_id_is_echoed_and_invalid_replaced,
    responses_forbid_caching_and_sniffing,
    malformed_http_gets_4xx,
}

fn unknown_path_gets_404(server: &TestServer) {
    for path in
        ["/", "/api", "/api/user", "/api/users/", "/api/users/1/x", "/health", "/%00", "/API/users"]
    {
        server.client().get(path).rejected(404, "base", "not_found");
        server.client().post(path, "{}").rejected(404, "base", "not_found");
    }
}

fn allow_header_lists_supported_methods(server: &TestServer) {
    for (path, allowed) in [
        ("/api/users", "GET, HEAD, POST"),
        ("/api/users.json", "GET, HEAD, POST"),
        ("/api/users/1", "DELETE, GET, HEAD, PUT"),
        ("/api/users/1.json", "DELETE, GET, HEAD, PUT"),
        ("/health/live", "GET, HEAD"),
        ("/health/ready", "GET, HEAD"),
        ("/api/form_configurations", "GET, HEAD"),
        ("/api/form_configurations/x", "GET, HEAD"),
        ("/api/form_configurations/x/schema", "GET, HEAD"),
        ("/metrics", "GET, HEAD"),
        ("/openapi.json", "GET, HEAD"),
    ] {
        let methods = ["DELETE", "PATCH", "PUT", "OPTIONS"];
        for method in methods.into_iter().filter(|method| !allowed.contains(method)) {
            let body: Option<&[u8]> =
                if matches!(method, "PATCH" | "PUT") { Some(b"{}") } else { None };
            let response = server.client().send(method, path, &[], body);
            response.rejected(405, "base", "method_not_allowed");
            assert_eq!(response.header("allow"), Some(allowed), "{method} {path}");
        }
    }
}

fn health_requires_no_token(server: &TestServer) {
    let live = server.anonymous().get("/health/live");
    assert_eq!(live.is(200).text, r#"{"status":"up"}"#);
    let ready = server.anonymous().get("/health/ready").is(200).json();
    let folder = registrar_tests::repository_path("forms");
    let forms = registrar_server::config_source::load(&[folder], Policies::Refuse).unwrap();
    let count = u64::try_from(forms.names().len()).unwrap();
    assert_eq!((&ready["status"], ready["forms"].as_u64()), (&"ready".into(), Some(count)));
}

fn head_responds_like_get_without_body(server: &TestServer) {
    for path in ["/health/live", "/health/ready", "/api/users"] {
        let response = server.client().send("HEAD", path, &[], None);
        assert_eq!(response.is(200).text, "", "{path}");
    }
    server.anonymous().send("HEAD", "/api/users", &[], None).is(401);
}

fn valid_request_id_is_echoed_and_invalid_replaced(server: &TestServer) {
    let id_for = |id: &str| {
        let response = server.client().send("GET", "/api/users", &[("x-request-id", id)], None);
        response.is(200).header("x-request-id").unwrap().to_owned()
    };
    let longest = "x".repeat(64);
    for fit in ["a", "01J-abc_DEF.9", &longest] {
        assert_eq!(id_for(fit), fit);
    }
    let long = "x".repeat(65);
    for unfit in ["", "a b", "a/b", "<script>", "é", &long] {
        let id = id_for(unfit);
        assert!(!id.is_empty() && id != unfit, "{unfit:?} became {id:?}");
    }
    assert_ne!(id_for(""), id_for(""), "request ids are unique");
}

fn responses_forbid_caching_and_sniffing(server: &TestServer) {
    for response in [
        server.client().get("/api/users"),
        server.client().get("/nowhere"),
        server.client().post("/api/users", "{"),
        server.anonymous().post("/api/users", "{}"),
        server.anonymous().get("/health/live"),
    ] {
        assert_eq!(response.header("cache-control"), Some("no-store"), "{response:?}");
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"), "{response:?}");
        assert!(response.header("x-request-id").is_some(), "{response:?}");
    }
}

fn malformed_http_gets_4xx(server: &TestServer) {
    let head = "POST /api/users HTTP/1.1\r\nHost: x\r\n";
    for bytes in [
        "hello\r\n\r\n".to_owned(),
        "GET /api/users\r\n\r\n".to_owned(),
        "GET /api/users HTTP/9.9\r\n\r\n".to_owned(),
        format!("{head}Content-Length: -1\r\n\r\n"),
        format!("{head}Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx"),
        format!("{head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        format!("{head}X: {}\r\n\r\n", "x".repeat(200_000)),
        format!("{head}Bad Name: x\r\n\r\n"),
    ] {
        let mut connection = server.connect();
        connection.send(bytes.as_bytes());
        let shown = &bytes[..bytes.len().min(80)];
        let status = connection.read_response().status;
        assert!((400..500).contains(&status), "{shown:?}: {status}");
    }
    server.anonymous().get("/health/ready").is(200);
}
