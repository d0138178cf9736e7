//! Scopes of API tokens.

use registrar_tests::{Setup, TestResponse, TestServer, cases, samples};
use serde_json::json;

cases! {
    operations_require_their_scope,
    form_limited_token_uses_only_its_forms,
    privileged_forms_require_privileged_scope with role_forms,
    session_inherits_limits_of_issuing_token,
    issued_token_inherits_limits_of_presented_token,
    contracts_require_scopes,
}

fn assert_forbidden(response: &TestResponse, code: &str) {
    let text = response.rejected(403, "base", code);
    assert!(text.starts_with("the token "), "{text}");
}

fn operations_require_their_scope(server: &TestServer) {
    let id = server.client().submit("client_sign_up", &samples::client("ann")).created();
    let path = format!("/api/users/{id}");
    let all = ["create", "read", "update", "delete"];
    for only in all {
        let token = server.new_limited_token(only, &[only], &[]);
        let client = server.anonymous().with_token(&token);
        let name = json!({ "first_name": "Anna" });
        let tries: [(&str, TestResponse); 5] = [
            ("create", client.submit("client_sign_up", &json!({}))),
            ("read", client.get(&path)),
            ("read", client.get("/api/form_configurations")),
            ("update", client.update(id, "reference_rest_api_update_user", &name)),
            ("delete", client.send("DELETE", "/api/users/404", &[], None)),
        ];
        for (scope, response) in tries {
            if scope == only {
                assert!(matches!(response.status, 200 | 204 | 404 | 422), "{only}: {response:?}");
            } else {
                assert_forbidden(&response, "insufficient_scope");
            }
        }
    }
    assert_eq!(server.client().count(), 1);
}

fn form_limited_token_uses_only_its_forms(server: &TestServer) {
    let token = server.new_limited_token("app", &[], &["client_sign_up"]);
    let client = server.anonymous().with_token(&token);
    client.submit("client_sign_up", &samples::client("ann")).created();
    assert_forbidden(
        &client.submit("developer_sign_up", &samples::developer("bob")),
        "form_not_allowed",
    );
    // Unknown forms are reported like to any other caller.
    client.submit("no_such_form", &json!({})).rejected(
        406,
        "form_configuration_name",
        "unknown_form",
    );
    assert_eq!(server.client().count(), 1);
}

fn role_forms(setup: Setup) -> Setup {
    let fields =
        "fields: { email: , properties: { role: { type: string }, city: { type: string } } }\n";
    setup.forms(&[
        ("operator.yml", &format!("resource: User\nprivileged: true\n{fields}")),
        (
            "anybody.yml",
            "resource: User\nfields: { email: , properties: { city: { type: string } } }\n",
        ),
    ])
}

fn privileged_forms_require_privileged_scope(server: &TestServer) {
    let form = |tag: &str| json!({ "email": format!("{tag}@example.com"), "properties": { "role": "admin" } });
    let token = server.new_limited_token("app", &["create", "read"], &[]);
    let app = server.anonymous().with_token(&token);
    assert_forbidden(&app.submit("operator", &form("a")), "insufficient_scope");
    app.submit("anybody", &form("a")).invalid(&[("properties.role", "unknown_field")]);
    let token = server.new_limited_token("trusted", &["create", "read", "privileged"], &[]);
    let id = server.anonymous().with_token(&token).submit("operator", &form("b")).created();
    assert_eq!(app.user(id)["properties"]["role"], json!("admin"));
    assert_eq!(server.client().count(), 1);
}

fn session_inherits_limits_of_issuing_token(server: &TestServer) {
    let token = server.new_limited_token("app", &["create", "sessions"], &[]);
    let app = server.anonymous().with_token(&token);
    let form = json!({ "email": "e@example.com", "password": "somepassword", "first_name": "E" });
    let id = app.submit("reference_rest_api_create_user", &form).created();
    let form = json!({ "email": "e@example.com", "password": "somepassword" });
    let name = "reference_rest_api_create_session";
    let body = json!({ "form_configuration_name": name, "form": form }).to_string();
    let session = app.post("/api/sessions", &body);
    let cookie = session.is(201).header("set-cookie").unwrap().to_owned();
    let token = cookie.strip_prefix("_registrar_session=").unwrap().split(';').next().unwrap();
    let with_session = server.anonymous().with_authorization(&format!("Bearer {token}"));
    let body =
        json!({ "form_configuration_name": "reference_rest_api_transactable_update", "form": {} });
    let path = format!("/api/user/transactables/{id}");
    let headers = [("content-type", "application/json")];
    let update = with_session.send("PUT", &path, &headers, Some(body.to_string().as_bytes()));
    assert_eq!(update.status, 403, "{update:?}");
}

fn issued_token_inherits_limits_of_presented_token(server: &TestServer) {
    let made_by = |token: &str| {
        let body = json!({ "api_key": token }).to_string();
        server.anonymous().post("/garmat/api/authenticate", &body)
    };
    let reader = server.new_limited_token("reader", &["read"], &[]);
    assert_eq!(made_by(&reader).status, 403, "requires the scope `sessions`");
    let token = server.new_limited_token("app", &["read", "sessions"], &[]);
    let response = made_by(&token).is(200).json();
    let made = response["session_token"].as_str().unwrap();
    let made = server.anonymous().with_authorization(&format!("Bearer {made}"));
    made.get("/garmat/api/users").is(200);
    let body = json!({ "name": "Ann", "email": "ann@example.com" }).to_string();
    assert_eq!(made.post("/garmat/api/users", &body).status, 403);
    assert_eq!(server.client().count(), 0);
}

fn contracts_require_scopes(server: &TestServer) {
    let token = server.new_limited_token("reader", &["read"], &[]);
    let reader = server.anonymous().with_authorization(&format!("Bearer {token}"));
    let schema = "urn:ietf:params:scim:schemas:core:2.0:User";
    let body = json!({ "schemas": [schema], "userName": "ann@example.com" }).to_string();
    let refused = reader.post("/scim/v2/Users", &body);
    assert_eq!(
        (refused.status, refused.json()["status"].as_str()),
        (403, Some("403")),
        "{refused:?}"
    );
    reader.get("/scim/v2/Users").is(200);
}
