//! Invariant 9: SQLite and PostgreSQL give byte-equal responses.

use registrar_tests::{Database, Setup, TestResponse, TestServer, samples};
use serde_json::{Value, json};

/// Keys with values that differ between runs.
const MASKED: [&str; 4] =
    ["\"uuid\":\"", "\"created_at\":\"", "\"updated_at\":\"", "\"forms_loaded_at\":\""];

#[test]
fn sqlite_and_postgresql_responses_are_byte_equal() {
    let Some(postgres) = Setup::of(Database::Postgres) else { return };
    let sqlite = Setup::of(Database::Sqlite).unwrap();
    let (one, other) = (
        collect_responses(&TestServer::start(sqlite)),
        collect_responses(&TestServer::start(postgres)),
    );
    assert!(one.len() >= 25, "{}", one.len());
    for (one, other) in one.iter().zip(&other) {
        assert_eq!(one, other);
    }
    let statuses: Vec<&str> = one.iter().map(|response| &response[..3]).collect();
    for status in ["200", "201", "400", "404", "406", "415", "422"] {
        assert!(statuses.contains(&status), "no response has status {status}: {statuses:?}");
    }
}

fn collect_responses(server: &TestServer) -> Vec<String> {
    let client = server.client();
    let changed = |mut sample: Value, pointer: &str, value: Value| {
        *sample.pointer_mut(pointer).unwrap() = value;
        sample
    };
    let boats = "/transactables/boat/1/properties";
    let submissions = [
        ("reference_rest_api_create_user", samples::reference("ann")),
        ("reference_rest_api_create_user", samples::reference("ann")),
        ("reference_rest_api_create_user", json!({})),
        ("developer_sign_up", json!({})),
        ("developer_sign_up", samples::developer("ada")),
        (
            "developer_sign_up",
            changed(samples::developer("ADA"), "/email", json!("Ada@Example.Com")),
        ),
        ("client_sign_up", samples::client("ø 1")),
        ("client_sign_up", changed(samples::client("cleo"), "/email", json!("ann"))),
        ("client_sign_up", changed(samples::client("cleo"), "/email", json!("ÅSA@exåmple.no"))),
        (
            "client_sign_up",
            changed(samples::client("carl"), "/email", json!("åsa@xn--exmple-jua.no")),
        ),
        ("marketplace_seller", samples::seller("siri")),
        ("marketplace_seller", samples::seller("siri")),
        ("marketplace_seller", samples::seller("sam")),
        (
            "marketplace_seller",
            changed(samples::seller("x"), boats, json!({ "berths": 1.5, "x": 1 })),
        ),
        (
            "marketplace_seller",
            changed(
                samples::seller("y"),
                "/relationship_users/agency_member",
                json!([{ "relationship_id": 1 }, { "relationship_id": 404 }]),
            ),
        ),
        (
            "marketplace_seller",
            changed(
                samples::seller("z"),
                &format!("{boats}/price_per_day"),
                json!("0012345678901234567890.1230"),
            ),
        ),
    ];
    let mut responses: Vec<TestResponse> =
        submissions.iter().map(|(form, fields)| client.submit(form, fields)).collect();
    for path in [
        "/api/users",
        "/api/users?page=2&per_page=3",
        "/api/users?email=%C3%A5sa%40ex%C3%A5mple.no",
        "/api/users?external_id=%C3%B8+1",
        "/api/users?page=x",
        "/api/users/1",
        "/api/users/2",
        "/api/users/5",
        "/api/users/404",
        "/health/ready",
    ] {
        responses.push(client.get(path));
    }
    responses.push(client.post("/api/users", "{"));
    responses
        .push(client.post("/api/users", r#"{"form_configuration_name": "seller", "form": {}}"#));
    responses.push(client.send("POST", "/api/users", &[("content-type", "a/b")], Some(b"x")));
    responses.iter().map(normalized).collect()
}

/// Returns status, headers and body without values that differ between runs.
fn normalized(response: &TestResponse) -> String {
    let mut headers: Vec<String> = response
        .headers
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "connection" | "date" | "x-request-id"))
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    headers.sort();
    let mut body = response.text.clone();
    for key in MASKED {
        let mut parts = body.split(key);
        let mut masked = parts.next().unwrap().to_owned();
        for part in parts {
            masked.push_str(key);
            masked.push('*');
            masked.push_str(&part[part.find('"').unwrap()..]);
        }
        body = masked;
    }
    format!("{}\n{}\n\n{body}", response.status, headers.join("\n"))
}
