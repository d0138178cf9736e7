//! Unsupported methods on every kind of path, and headers of all responses.

use registrar_tests::{Answer, TestServer, cases};

cases! {
    a_method_that_nobody_serves_is_told_which_are_on_every_kind_of_path,
    where_nothing_is_no_method_is_served,
    every_answer_is_safe_to_show_and_tells_nothing_of_the_server,
}

const METHODS: [&str; 7] = ["TRACE", "CONNECT", "PROPFIND", "LINK", "get", "POSTS", "QUERY"];

/// Paths of the native API, of Registrar's own routes and of contracts.
const SERVED: [&str; 9] = [
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

fn ask(server: &TestServer, method: &str, path: &str) -> Answer {
    let mut connection = server.connect();
    let token = server.token();
    connection.send(
        format!("{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n")
            .as_bytes(),
    );
    connection.answer()
}

fn a_method_that_nobody_serves_is_told_which_are_on_every_kind_of_path(server: &TestServer) {
    for path in SERVED {
        for method in METHODS {
            let answer = ask(server, method, path);
            assert_eq!(answer.status, 405, "{method} {path}: {answer:?}");
            let allowed = answer.header("allow").unwrap_or_default();
            assert!(allowed.contains("GET"), "{method} {path}: {answer:?}");
            assert!(!allowed.contains(method), "{method} {path}: {answer:?}");
        }
    }
}

fn where_nothing_is_no_method_is_served(server: &TestServer) {
    for path in ["/nowhere", "/api/nothing", "/scim/v2/Nothing", "/health"] {
        for method in METHODS {
            let answer = ask(server, method, path);
            assert_eq!(answer.status, 404, "{method} {path}: {answer:?}");
            assert_eq!(answer.header("allow"), None);
        }
    }
}

fn every_answer_is_safe_to_show_and_tells_nothing_of_the_server(server: &TestServer) {
    let methods = ["GET", "POST", "PUT", "DELETE", "TRACE"];
    let paths = SERVED.into_iter().chain(["/nowhere", "/scim/v2/Nothing", "/garmat/x"]);
    for path in paths {
        for answer in methods.map(|method| ask(server, method, path)) {
            for (name, value) in [
                ("cache-control", "no-store"),
                ("x-content-type-options", "nosniff"),
                ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
                ("referrer-policy", "no-referrer"),
            ] {
                assert_eq!(answer.header(name), Some(value), "{path}: {answer:?}");
            }
            for (name, value) in &answer.headers {
                let told = ["server", "x-powered-by", "via", "x-runtime"].contains(&name.as_str());
                let version = value.contains(env!("CARGO_PKG_VERSION"));
                let maker = value.to_lowercase().contains("actix");
                assert!(!told && !version && !maker, "{path}: {name}: {value}");
            }
        }
    }
}
