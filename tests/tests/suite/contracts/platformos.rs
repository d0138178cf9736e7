//! platformOS REST API: sessions, transactables, relationships and customizations, each through the
//! form named in the request, with the vendor's statuses.

use registrar_tests::{TestResponse, TestServer, cases};
use serde_json::{Value, json};

use super::{FORM, JSON, assert_response, send};

const TYPE: &str = "application/vnd.api+json";
const FORMS: &str = "reference_rest_api_";

cases! {
    session_is_created_and_deleted,
    transactable_is_created_updated_and_deleted,
    relationship_members_and_transactables_are_managed,
    customization_is_created_updated_and_deleted,
    validation_errors_have_rails_messages,
    invalid_parameters_get_406,
    missing_or_invalid_token_gets_401,
}

fn call(
    server: &TestServer,
    method: &str,
    path: &str,
    form: &str,
    parent: &str,
    form_body: &Value,
) -> TestResponse {
    let mut body = json!({"form_configuration_name": format!("{FORMS}{form}"), "form": form_body});
    if !parent.is_empty() {
        body["parent_resource_id"] = parent.into();
    }
    send(server, method, path, "Token token=$", &[JSON], Some(&body.to_string()))
}

/// Asserts 201 and returns the id.
#[track_caller]
fn created_id(response: &TestResponse) -> i64 {
    let id = response.json()["id"].as_i64().unwrap();
    assert_response(response, 201, TYPE, &format!(r#"{{"id":{id},"errors":{{}}}}"#));
    id
}

#[track_caller]
fn assert_no_content(response: &TestResponse) {
    assert_eq!((response.status, response.text.as_str()), (204, ""), "{response:?}");
}

fn create_user(server: &TestServer, email: &str) -> i64 {
    let form = json!({"email": email, "password": "somepassword", "first_name": "E"});
    created_id(&call(server, "POST", "/api/users", "create_user", "", &form))
}

fn session_is_created_and_deleted(server: &TestServer) {
    let id = create_user(server, "e@example.com");
    let sign_in = |email: &str, password: &str| {
        let form = json!({"email": email, "password": password});
        call(server, "POST", "/api/sessions", "create_session", "", &form)
    };
    let response = sign_in("E@example.com", "somepassword");
    assert_response(&response, 201, TYPE, "{}");
    let cookie = response.header("set-cookie").unwrap();
    let token = cookie.strip_prefix("_registrar_session=").unwrap().split(';').next().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("Secure"), "{cookie}");
    // The session is valid for this contract only, and ends.
    let bearer = format!("Bearer {token}");
    let path = format!("/api/user/transactables/{id}");
    let missing = send(server, "PUT", &path, &bearer, &[JSON], Some("{}"));
    assert_eq!(missing.status, 406, "{missing:?}");
    assert_eq!(send(server, "GET", "/api/users/1", &bearer, &[], None).status, 401);
    let ends = send(server, "DELETE", "/api/sessions", &bearer, &[], None);
    assert_no_content(&ends);
    assert_eq!(send(server, "DELETE", "/api/sessions", &bearer, &[], None).status, 401);
    // An operator's token is not a session and remains valid.
    assert_no_content(&send(server, "DELETE", "/api/sessions", "Token $", &[], None));
    for (email, password) in [("e@example.com", "other"), ("nobody@example.com", "somepassword")] {
        let text = r#"{"errors":{"base":["is not a known e-mail address with its password"]}}"#;
        assert_response(&sign_in(email, password), 422, TYPE, text);
    }
    assert_response(
        &sign_in("e@example.com", ""),
        422,
        TYPE,
        r#"{"errors":{"password":["can't be blank"]}}"#,
    );
}

fn transactable_is_created_updated_and_deleted(server: &TestServer) {
    let id = create_user(server, "e@example.com");
    let form =
        json!({"name": "Vega", "creator_id": id, "currency": "NOK", "properties": {"length_m": 7}});
    let boat = created_id(&call(
        server,
        "POST",
        "/api/user/transactables",
        "create_transactable",
        "boat",
        &form,
    ));
    let path = format!("/api/user/transactables/{boat}");
    assert_no_content(&call(
        server,
        "PUT",
        &path,
        "transactable_update",
        "",
        &json!({"name": "Deneb"}),
    ));
    let stored = &server.client().user(id)["transactables"]["boat"][0];
    assert_eq!((&stored["name"], &stored["currency"]), (&json!("Deneb"), &json!("NOK")));
    assert_eq!(stored["properties"], json!({"length_m": 7}));
    let gone = format!("{path}?form_configuration_name={FORMS}delete_transactable");
    assert_no_content(&send(server, "DELETE", &gone, "Token $", &[], None));
    assert_eq!(server.client().user(id)["transactables"], json!({}));
    let text = r#"{"errors":{"base":["there is no such record"]}}"#;
    assert_response(
        &call(server, "PUT", &path, "transactable_update", "", &json!({"name": "x"})),
        404,
        TYPE,
        text,
    );
    assert_response(&send(server, "DELETE", &gone, "Token $", &[], None), 404, TYPE, text);
}

fn relationship_members_and_transactables_are_managed(server: &TestServer) {
    let id = create_user(server, "e@example.com");
    let form = json!({"properties": {"group_name": "Sailors"}});
    let group = created_id(&call(
        server,
        "POST",
        "/api/user/relationships",
        "relationship_create",
        "special_group",
        &form,
    ));
    let form = json!({"relationship_id": group, "user_id": id, "properties": {"status": "new"}});
    let member = created_id(&call(
        server,
        "POST",
        "/api/user/relationship_users",
        "relationship_user_create",
        "special_group_users",
        &form,
    ));
    let form = json!({"name": "Vega", "creator_id": id});
    let boat = created_id(&call(
        server,
        "POST",
        "/api/user/transactables",
        "create_transactable",
        "boat",
        &form,
    ));
    let form =
        json!({"relationship_id": group, "transactable_id": boat, "properties": {"status": "new"}});
    let listed = created_id(&call(
        server,
        "POST",
        "/api/user/relationship_transactables",
        "relationship_transactable_create",
        "special_group_transactables",
        &form,
    ));
    let old = json!({"properties": {"status": "old"}});
    assert_no_content(&call(
        server,
        "PUT",
        &format!("/api/user/relationship_users/{member}"),
        "relationship_user_update",
        "",
        &old,
    ));
    assert_no_content(&call(
        server,
        "PUT",
        &format!("/api/user/relationship_transactables/{listed}"),
        "relationship_transactable_update",
        "",
        &old,
    ));
    assert_no_content(&call(
        server,
        "PUT",
        &format!("/api/user/relationships/{group}"),
        "relationship_update",
        "",
        &json!({"properties": {"group_name": "Rowers"}}),
    ));
    let stored = &server.client().user(id)["relationship_users"]["special_group_users"][0];
    assert_eq!(stored["properties"], json!({"status": "old"}));
    assert_eq!(stored["relationship"]["properties"], json!({"group_name": "Rowers"}));
    let delete = |plural: &str, id: i64, form: &str| {
        let path = format!("/api/user/{plural}/{id}?form_configuration_name={FORMS}{form}");
        send(server, "DELETE", &path, "Token $", &[], None)
    };
    assert_no_content(&delete(
        "relationship_transactables",
        listed,
        "relationship_transactable_delete",
    ));
    // Deleting a relationship deletes its members.
    assert_no_content(&delete("relationships", group, "relationship_delete"));
    assert_eq!(delete("relationship_users", member, "relationship_user_delete").status, 404);
    assert_eq!(server.client().user(id)["relationship_users"], json!({}));
}

fn customization_is_created_updated_and_deleted(server: &TestServer) {
    let id = create_user(server, "e@example.com");
    let form = json!({"user_id": id, "properties": {"url": "https://example.com"}});
    let link = created_id(&call(
        server,
        "POST",
        "/api/user/customizations",
        "create_customization",
        "links",
        &form,
    ));
    let fields = format!(
        "form_configuration_name={FORMS}create_customization&form[user_id]={id}&form[properties][url]=https://example.org"
    );
    let other = send(
        server,
        "POST",
        "/api/customizations.json",
        "Token token=\"$\"",
        &[FORM],
        Some(&fields),
    );
    let other = created_id(&other);
    let urls = || -> Vec<Value> {
        let all = server.client().user(id)["customizations"]["links"].clone();
        all.as_array().unwrap().iter().map(|link| link["properties"]["url"].clone()).collect()
    };
    assert_eq!(urls(), ["https://example.com", "https://example.org"]);
    assert_no_content(&call(
        server,
        "PUT",
        &format!("/api/user/customizations/{other}"),
        "update_customization",
        "",
        &json!({"properties": {"url": "https://example.net"}}),
    ));
    let path = format!(
        "/api/user/customizations/{link}?form_configuration_name={FORMS}delete_customization"
    );
    assert_no_content(&send(server, "DELETE", &path, "Token $", &[], None));
    assert_eq!(urls(), ["https://example.net"]);
}

fn validation_errors_have_rails_messages(server: &TestServer) {
    let form = json!({"name": "", "creator_id": 999, "properties": {"length_m": "long"}, "x": 1});
    let response =
        call(server, "POST", "/api/user/transactables", "create_transactable", "boat", &form);
    assert_response(
        &response,
        422,
        TYPE,
        r#"{"errors":{"name":["can't be blank"],"properties.length_m":["must be a decimal"],"x":["is not a known field"]}}"#,
    );
    let form = json!({"name": "Vega", "creator_id": 999});
    let response =
        call(server, "POST", "/api/user/transactables", "create_transactable", "boat", &form);
    assert_response(&response, 422, TYPE, r#"{"errors":{"creator_id":["must exist"]}}"#);
    let form = json!({"relationship_id": 1, "user_id": 1, "properties": {"status": "new"}});
    let response = call(
        server,
        "POST",
        "/api/user/relationship_users",
        "relationship_user_create",
        "special_group_users",
        &form,
    );
    assert_response(
        &response,
        422,
        TYPE,
        r#"{"errors":{"relationship_id":["must exist"],"user_id":["must exist"]}}"#,
    );
}

fn invalid_parameters_get_406(server: &TestServer) {
    let path = "/api/user/transactables";
    let wrong = |body: &str| {
        let response = send(server, "POST", path, "Token $", &[JSON], Some(body));
        assert_eq!(
            (response.status, response.header("content-type")),
            (406, Some(TYPE)),
            "{response:?}"
        );
        response.json()["errors"]["base"][0].as_str().unwrap().to_owned()
    };
    let name = "form_configuration_name";
    for (body, text) in [
        ("{}".to_owned(), "is missing: expected the name of a form"),
        (format!(r#"{{"{name}":7,"form":{{}}}}"#), "is missing"),
        (format!(r#"{{"{name}":"nope","form":{{}}}}"#), "is not the name of a form"),
        (
            format!(r#"{{"{name}":"{FORMS}create_user","form":{{}}}}"#),
            "names a form for another resource or operation",
        ),
        (
            format!(r#"{{"{name}":"{FORMS}transactable_update","form":{{}}}}"#),
            "names a form for another resource or operation",
        ),
        (format!(r#"{{"{name}":"{FORMS}create_transactable"}}"#), "`form` is missing"),
        (
            format!(
                r#"{{"{name}":"{FORMS}create_transactable","parent_resource_id":"car","form":{{}}}}"#
            ),
            "`parent_resource_id` is not the type",
        ),
        ("[]".to_owned(), "the body is not an object"),
    ] {
        assert!(wrong(&body).contains(text), "{body}");
    }
    let path = "/api/user/transactables/1";
    assert_eq!(send(server, "DELETE", path, "Token $", &[], None).status, 406);
    let patch = send(server, "PATCH", "/api/sessions", "Token $", &[], None);
    assert_eq!((patch.status, patch.header("allow")), (405, Some("POST, DELETE")));
}

fn missing_or_invalid_token_gets_401(server: &TestServer) {
    for header in ["", "Token nope", "Basic eDp5"] {
        let response = send(server, "POST", "/api/user/transactables", header, &[JSON], Some("{}"));
        assert_response(&response, 401, TYPE, r#"{"errors":{"base":["a token is needed"]}}"#);
        assert_eq!(response.header("www-authenticate"), Some(r#"Token realm="Application""#));
    }
}
