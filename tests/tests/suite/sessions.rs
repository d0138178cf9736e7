//! End of sessions, and deletion of stored responses with their user.

use registrar_tests::{Setup, TestServer, cases};
use serde_json::{Value, json};

use super::authorization_matrix::{PASSWORD, all_operations, bearer, call, create_person, sign_in};

cases! {
    password_change_ends_other_sessions with all_operations,
    delete_user_sessions_ends_all_of_them with all_operations,
    issued_token_chain_is_limited_to_two,
    stored_responses_are_deleted_with_their_user,
    strict_form_stores_equal_responses_for_taken_and_free with strict_contract,
}

fn password_change_ends_other_sessions(server: &TestServer) {
    let ann = create_person(server, "ann");
    let sessions = [sign_in(server, &ann.email), sign_in(server, &ann.email)];
    let own = format!("/users/{}", ann.id);
    let changed = json!({ "password": "another good password" });
    assert_eq!(call(&sessions[0], "PUT", &own, &changed).status, 204);
    assert_eq!(
        call(&sessions[0], "GET", &own, &json!({})).status,
        200,
        "the session that changed the password"
    );
    assert_eq!(call(&sessions[1], "GET", &own, &json!({})).status, 401);
    // A password change by an operator ends all sessions.
    let operator = bearer(server, server.token());
    assert_eq!(call(&operator, "PUT", &own, &json!({ "password": PASSWORD })).status, 204);
    assert_eq!(call(&sessions[0], "GET", &own, &json!({})).status, 401);
    let again = sign_in(server, &ann.email);
    assert_eq!(call(&operator, "PUT", &own, &json!({ "first_name": "Ann" })).status, 204);
    assert_eq!(call(&again, "GET", &own, &json!({})).status, 200, "other updates end no session");
}

fn delete_user_sessions_ends_all_of_them(server: &TestServer) {
    let (ann, bob) = (create_person(server, "ann"), create_person(server, "bob"));
    let sessions = [sign_in(server, &ann.email), sign_in(server, &ann.email)];
    let of_bob = sign_in(server, &bob.email);
    let path = format!("/api/users/{}/sessions", ann.id);
    let reader = server.new_limited_token("reader", &["read"], &[]);
    let reader = server.anonymous().with_token(&reader);
    reader.send("DELETE", &path, &[], None).rejected(403, "base", "insufficient_scope");
    let response = server.client().send("DELETE", &path, &[], None);
    assert_eq!((response.status, response.text.as_str()), (204, ""), "{response:?}");
    for session in &sessions {
        let own = format!("/users/{}", ann.id);
        assert_eq!(call(session, "GET", &own, &json!({})).status, 401);
    }
    let own = format!("/users/{}", bob.id);
    assert_eq!(call(&of_bob, "GET", &own, &json!({})).status, 200);
    let nobody = server.client().send("DELETE", "/api/users/404/sessions", &[], None);
    assert_eq!(nobody.status, 404);
    let cells = server.database().all_cells();
    let kind = cells.iter().filter(|cell| cell.starts_with("audit_events.kind: "));
    assert!(kind.into_iter().any(|cell| cell.contains("session")), "{cells:?}");
}

fn issued_token_chain_is_limited_to_two(server: &TestServer) {
    let issue = |secret: &str| {
        let body = json!({ "api_key": secret }).to_string();
        let response = server.anonymous().post("/garmat/api/authenticate", &body);
        let token = response.json()["session_token"].as_str().map(str::to_owned);
        (response.status, token)
    };
    let (first, token) = issue(&server.new_token("app", None));
    assert_eq!(first, 200);
    let (second, token) = issue(&token.unwrap());
    assert_eq!(second, 200);
    let (third, token) = issue(&token.unwrap());
    assert_ne!(third, 200);
    assert_eq!(token, None);
}

fn stored_responses_are_deleted_with_their_user(server: &TestServer) {
    let client = server.anonymous().with_authorization(&format!("Bearer {}", server.token()));
    let schema = "urn:ietf:params:scim:schemas:core:2.0:User";
    let body = json!({ "schemas": [schema], "userName": "erased-canary@example.com" }).to_string();
    let headers = [("content-type", "application/scim+json"), ("idempotency-key", "one")];
    let create = || client.send("POST", "/scim/v2/Users", &headers, Some(body.as_bytes()));
    let id = create().is(201).json()["id"].as_str().unwrap().to_owned();
    assert_eq!(create().header("idempotent-replayed"), Some("true"));
    let deleted = client.send("DELETE", &format!("/scim/v2/Users/{id}"), &[], None);
    assert_eq!(deleted.status, 204, "{deleted:?}");
    let cells = server.database().all_cells();
    assert!(!cells.iter().any(|cell| cell.contains("erased-canary")), "{cells:?}");
    let again = create();
    assert_eq!((again.status, again.header("idempotent-replayed")), (201, None), "{again:?}");
}

fn strict_contract(setup: Setup) -> Setup {
    let contract = "mount: /mine\nform: strict\nauthentication: { schemes: [none] }\ncatalogue: forms\n\
        routes: [{ method: POST, path: /people, operation: create }]\nanswers:\n\
        \x20 accepted: { status: 202, body: { status: '{{ status }}' } }\n\
        \x20 created: { status: 201 }\n  invalid: { status: 422 }\n  not_an_object: { status: 400 }\n\
        \x20 malformed: { status: 400 }\n  unsupported_media_type: { status: 415 }\n  route_not_found: { status: 404 }\n\
        \x20 method_not_allowed: { status: 405 }\n  error: { body: { details: '{{ details }}' } }\n";
    setup.forms(&[
        ("strict.yml", "resource: User\nenumeration: strict\nfields: { email: , first_name: }\n"),
        ("contracts/mine.yml", contract),
    ])
}

fn strict_form_stores_equal_responses_for_taken_and_free(server: &TestServer) {
    let create = |email: &str, key: Option<&str>| {
        let body = json!({ "email": email }).to_string();
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        server.anonymous().send("POST", "/mine/people", &headers, Some(body.as_bytes()))
    };
    let shown = |response: &registrar_tests::TestResponse| -> (u16, Value) {
        (response.status, response.json())
    };
    let free = create("free@example.com", None);
    assert_eq!(free.status, 202, "{free:?}");
    let taken = create("free@example.com", None);
    let (free_by_key, taken_by_key) =
        (create("other@example.com", Some("one")), create("other@example.com", Some("two")));
    let again = create("other@example.com", Some("one"));
    for response in [&taken, &free_by_key, &taken_by_key, &again] {
        assert_eq!(shown(response), shown(&free), "{response:?}");
    }
}
