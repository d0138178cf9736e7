//! Authentication with API tokens: schemes, rejection, and rejection before the body is read.

use registrar_tests::{TestServer, cases, samples};
use serde_json::json;

cases! {
    valid_token_is_accepted_in_every_authorization_scheme,
    missing_or_invalid_token_gets_401,
    revoked_or_expired_token_gets_401,
    contract_token_is_rejected_by_native_routes,
    unauthenticated_request_is_rejected_before_body_is_read,
    unauthenticated_request_with_large_body_gets_401,
    unauthenticated_response_does_not_reveal_forms_or_users,
}

fn valid_token_is_accepted_in_every_authorization_scheme(server: &TestServer) {
    let token = server.token();
    for header in [
        format!("Token token={token}"),
        format!("Token token=\"{token}\""),
        format!("Token token=\"{token}\", nonce=\"x\""),
        format!("Token {token}"),
        format!("token {token}"),
        format!("Bearer {token}"),
        format!("bearer {token}"),
        format!("BEARER  {token}"),
    ] {
        let response = server.anonymous().with_authorization(&header).get("/api/users");
        assert_eq!(response.status, 200, "{}", header.replace(token, "…"));
    }
}

fn missing_or_invalid_token_gets_401(server: &TestServer) {
    let missing = server.anonymous().submit("client_sign_up", &samples::client("ann"));
    missing.rejected(401, "base", "missing_token");
    assert_eq!(missing.header("www-authenticate"), Some("Token realm=\"Application\""));

    let token = server.token();
    let mistyped = format!("{}{}", &token[..52], if token.ends_with('a') { 'b' } else { 'a' });
    let stranger = registrar_server::auth::token::generate().unwrap().reveal().to_owned();
    for header in [
        format!("Basic {token}"),
        token.to_owned(),
        "Token".to_owned(),
        "Token token=".to_owned(),
        "Bearer x".to_owned(),
        format!("Token token={mistyped}"),
        format!("Token token={stranger}"),
        format!("Token token={}", token.to_uppercase()),
    ] {
        let response = server.anonymous().with_authorization(&header).get("/api/users");
        response.rejected(401, "base", "invalid_token");
        assert!(response.header("www-authenticate").is_some());
    }
    assert_eq!(server.client().count(), 0);
}

fn contract_token_is_rejected_by_native_routes(server: &TestServer) {
    let text = registrar_server::auth::token::generate().unwrap().reveal().to_owned();
    let token = registrar_store::NewToken {
        name: "session".to_owned(),
        hash: registrar_server::auth::token::hash(&text),
        contract: Some("shop".to_owned()),
        ..registrar_store::NewToken::default()
    };
    let minted = server.store().issue_token(token);
    actix_web::rt::System::new().block_on(minted).unwrap();
    let client = server.anonymous().with_token(&text);
    let responses = [
        client.get("/api/users"),
        client.get("/api/form_configurations"),
        client.post("/api/users", "{}"),
        client.send("PUT", "/api/users/1", &[], Some(b"{}")),
        client.send("DELETE", "/api/users/1", &[], None),
    ];
    for response in responses {
        response.rejected(401, "base", "invalid_token");
    }
}

fn revoked_or_expired_token_gets_401(server: &TestServer) {
    let old = server.new_token("old", Some(1));
    server.anonymous().with_token(&old).get("/api/users").rejected(401, "base", "invalid_token");
    let future = server.new_token("future", Some(i64::MAX));
    server.anonymous().with_token(&future).get("/api/users").is(200);

    let leaver = server.anonymous().with_token(&server.new_token("leaver", None));
    leaver.get("/api/users").is(200);
    leaver.submit("client_sign_up", &samples::client("one")).created();
    server.revoke("leaver");
    let valid = leaver.submit("client_sign_up", &samples::client("two"));
    valid.rejected(401, "base", "invalid_token");
    let taken = leaver.submit("client_sign_up", &samples::client("one"));
    taken.rejected(401, "base", "invalid_token");
    leaver.get("/api/users").rejected(401, "base", "invalid_token");
    assert_eq!(server.client().count(), 1);
}

fn unauthenticated_request_is_rejected_before_body_is_read(server: &TestServer) {
    for authorization in ["", "Authorization: Token token=reg_x\r\n"] {
        let mut connection = server.connect();
        let head = "POST /api/users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
        connection.send(format!("{head}{authorization}Content-Length: 1000000\r\n\r\n").as_bytes());
        connection.read_response().is(401);
    }
}

fn unauthenticated_request_with_large_body_gets_401(server: &TestServer) {
    let body = " ".repeat(3_000_000);
    for _ in 0..3 {
        server.anonymous().post("/api/users", &body).rejected(401, "base", "missing_token");
    }
}

fn unauthenticated_response_does_not_reveal_forms_or_users(server: &TestServer) {
    let id = server.client().submit("client_sign_up", &samples::client("ann")).created();
    let anonymous = server.anonymous();
    let unknown = anonymous.submit("no_such_form", &json!({}));
    let known = anonymous.submit("client_sign_up", &json!({}));
    assert_eq!((unknown.is(401).text.as_str()), known.is(401).text);
    let there = anonymous.get(&format!("/api/users/{id}"));
    let not_there = anonymous.get("/api/users/99");
    assert_eq!((there.is(401).text.as_str()), not_there.is(401).text);
}
