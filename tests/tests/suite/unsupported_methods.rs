//! Unsupported methods on every kind of path, and headers of all responses.

use registrar_tests::{TestResponse, TestServer, cases};

cases! {
    unsupported_method_gets_405_with_allow,
    unknown_path_gets_404_for_every_method,
    responses_have_security_headers_and_no_server_banner,
}

const METHODS: [&str; 7] = ["TRACE", "CONNECT", "PROPFIND", "LINK", "get", "POSTS", "QUERY"];

/// Paths of the native API, of Registrar's own routes and of contracts.
const SERVED_PATHS: [&str; 9] = [
    "/api/users",
    "/api/users/1",
    "/health/live",
    "/metrics",
    "/openapi.json",
    "/api/form_configurations",
    "/api/form_configurations/x/schema",
    "/scim/v2/Users",
    "/scim/v2/Users/1",
];

fn send_request(server: &TestServer, method: &str, path: &str) -> TestResponse {
    let mut connection = server.connect();
    let token = server.token();
    connection.send(
        format!("{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n")
            .as_bytes(),
    );
    connection.read_response()
}

fn unsupported_method_gets_405_with_allow(server: &TestServer) {
    for path in SERVED_PATHS {
        for method in METHODS {
            let response = send_request(server, method, path);
            assert_eq!(response.status, 405, "{method} {path}: {response:?}");
            let allowed = response.header("allow").unwrap_or_default();
            assert!(allowed.contains("GET"), "{method} {path}: {response:?}");
            assert!(!allowed.contains(method), "{method} {path}: {response:?}");
        }
    }
}

fn unknown_path_gets_404_for_every_method(server: &TestServer) {
    for path in ["/nowhere", "/api/nothing", "/scim/v2/Nothing", "/health"] {
        for method in METHODS {
            let response = send_request(server, method, path);
            assert_eq!(response.status, 404, "{method} {path}: {response:?}");
            assert_eq!(response.header("allow"), None);
        }
    }
}

fn responses_have_security_headers_and_no_server_banner(server: &TestServer) {
    let methods = ["GET", "POST", "PUT", "DELETE", "TRACE"];
    let paths = SERVED_PATHS.into_iter().chain(["/nowhere", "/scim/v2/Nothing", "/garmat/x"]);
    for path in paths {
        for response in methods.map(|method| send_request(server, method, path)) {
            for (name, value) in [
                ("cache-control", "no-store"),
                ("x-content-type-options", "nosniff"),
                ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
                ("referrer-policy", "no-referrer"),
            ] {
                assert_eq!(response.header(name), Some(value), "{path}: {response:?}");
            }
            for (name, value) in &response.headers {
                let reported =
                    ["server", "x-powered-by", "via", "x-runtime"].contains(&name.as_str());
                let version = value.contains(env!("CARGO_PKG_VERSION"));
                let maker = value.to_lowercase().contains("actix");
                assert!(!reported && !version && !maker, "{path}: {name}: {value}");
            }
        }
    }
}
