//! platformOS' REST family: sessions, listings, relationships and customizations, each through the
//! form that the request names, with the vendor's statuses.

use registrar_tests::{Answer, TestServer, cases};
use serde_json::{Value, json};

use super::{FORM, JSON, is, send};

const TYPE: &str = "application/vnd.api+json";
const FORMS: &str = "reference_rest_api_";

cases! {
    sessions_begin_and_end,
    listings_are_created_changed_and_deleted,
    relationships_have_members_and_listings,
    customizations_hang_on_users_and_listings,
    what_is_wrong_is_told_as_rails_does,
    what_is_around_the_form_must_be_right,
    strangers_are_refused,
}

fn call(
    server: &TestServer,
    method: &str,
    path: &str,
    form: &str,
    parent: &str,
    form_body: &Value,
) -> Answer {
    let mut body = json!({"form_configuration_name": format!("{FORMS}{form}"), "form": form_body});
    if !parent.is_empty() {
        body["parent_resource_id"] = parent.into();
    }
    send(server, method, path, "Token token=$", &[JSON], Some(&body.to_string()))
}

/// The id of what was created.
#[track_caller]
fn created(answer: &Answer) -> i64 {
    let id = answer.json()["id"].as_i64().unwrap();
    is(answer, 201, TYPE, &format!(r#"{{"id":{id},"errors":{{}}}}"#));
    id
}

#[track_caller]
fn done(answer: &Answer) {
    assert_eq!((answer.status, answer.text.as_str()), (204, ""), "{answer:?}");
}

fn user(server: &TestServer, email: &str) -> i64 {
    let form = json!({"email": email, "password": "somepassword", "first_name": "E"});
    created(&call(server, "POST", "/api/users", "create_user", "", &form))
}

fn sessions_begin_and_end(server: &TestServer) {
    let id = user(server, "e@example.com");
    let sign_in = |email: &str, password: &str| {
        let form = json!({"email": email, "password": password});
        call(server, "POST", "/api/sessions", "create_session", "", &form)
    };
    let answer = sign_in("E@example.com", "somepassword");
    is(&answer, 201, TYPE, "{}");
    let cookie = answer.header("set-cookie").unwrap();
    let token = cookie.strip_prefix("_registrar_session=").unwrap().split(';').next().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("Secure"), "{cookie}");
    // The session is good for this API alone, and ends.
    let bearer = format!("Bearer {token}");
    let path = format!("/api/user/transactables/{id}");
    let missing = send(server, "PUT", &path, &bearer, &[JSON], Some("{}"));
    assert_eq!(missing.status, 406, "{missing:?}");
    assert_eq!(send(server, "GET", "/api/users/1", &bearer, &[], None).status, 401);
    let ends = send(server, "DELETE", "/api/sessions", &bearer, &[], None);
    done(&ends);
    assert_eq!(send(server, "DELETE", "/api/sessions", &bearer, &[], None).status, 401);
    // An operator's token is no session: it stays.
    done(&send(server, "DELETE", "/api/sessions", "Token $", &[], None));
    for (email, password) in [("e@example.com", "other"), ("nobody@example.com", "somepassword")] {
        let text = r#"{"errors":{"base":["is not a known e-mail address with its password"]}}"#;
        is(&sign_in(email, password), 422, TYPE, text);
    }
    is(&sign_in("e@example.com", ""), 422, TYPE, r#"{"errors":{"password":["can't be blank"]}}"#);
}

fn listings_are_created_changed_and_deleted(server: &TestServer) {
    let id = user(server, "e@example.com");
    let form =
        json!({"name": "Vega", "creator_id": id, "currency": "NOK", "properties": {"length_m": 7}});
    let boat = created(&call(
        server,
        "POST",
        "/api/user/transactables",
        "create_transactable",
        "boat",
        &form,
    ));
    let path = format!("/api/user/transactables/{boat}");
    done(&call(server, "PUT", &path, "transactable_update", "", &json!({"name": "Deneb"})));
    let stored = &server.client().user(id)["transactables"]["boat"][0];
    assert_eq!((&stored["name"], &stored["currency"]), (&json!("Deneb"), &json!("NOK")));
    assert_eq!(stored["properties"], json!({"length_m": 7}));
    let gone = format!("{path}?form_configuration_name={FORMS}delete_transactable");
    done(&send(server, "DELETE", &gone, "Token $", &[], None));
    assert_eq!(server.client().user(id)["transactables"], json!({}));
    let text = r#"{"errors":{"base":["there is no such record"]}}"#;
    is(
        &call(server, "PUT", &path, "transactable_update", "", &json!({"name": "x"})),
        404,
        TYPE,
        text,
    );
    is(&send(server, "DELETE", &gone, "Token $", &[], None), 404, TYPE, text);
}

fn relationships_have_members_and_listings(server: &TestServer) {
    let id = user(server, "e@example.com");
    let form = json!({"properties": {"group_name": "Sailors"}});
    let group = created(&call(
        server,
        "POST",
        "/api/user/relationships",
        "relationship_create",
        "special_group",
        &form,
    ));
    let form = json!({"relationship_id": group, "user_id": id, "properties": {"status": "new"}});
    let member = created(&call(
        server,
        "POST",
        "/api/user/relationship_users",
        "relationship_user_create",
        "special_group_users",
        &form,
    ));
    let form = json!({"name": "Vega", "creator_id": id});
    let boat = created(&call(
        server,
        "POST",
        "/api/user/transactables",
        "create_transactable",
        "boat",
        &form,
    ));
    let form =
        json!({"relationship_id": group, "transactable_id": boat, "properties": {"status": "new"}});
    let listed = created(&call(
        server,
        "POST",
        "/api/user/relationship_transactables",
        "relationship_transactable_create",
        "special_group_transactables",
        &form,
    ));
    let old = json!({"properties": {"status": "old"}});
    done(&call(
        server,
        "PUT",
        &format!("/api/user/relationship_users/{member}"),
        "relationship_user_update",
        "",
        &old,
    ));
    done(&call(
        server,
        "PUT",
        &format!("/api/user/relationship_transactables/{listed}"),
        "relationship_transactable_update",
        "",
        &old,
    ));
    done(&call(
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
    done(&delete("relationship_transactables", listed, "relationship_transactable_delete"));
    // What is in a relationship goes with it.
    done(&delete("relationships", group, "relationship_delete"));
    assert_eq!(delete("relationship_users", member, "relationship_user_delete").status, 404);
    assert_eq!(server.client().user(id)["relationship_users"], json!({}));
}

fn customizations_hang_on_users_and_listings(server: &TestServer) {
    let id = user(server, "e@example.com");
    let form = json!({"user_id": id, "properties": {"url": "https://example.com"}});
    let link = created(&call(
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
    let other = created(&other);
    let urls = || -> Vec<Value> {
        let all = server.client().user(id)["customizations"]["links"].clone();
        all.as_array().unwrap().iter().map(|link| link["properties"]["url"].clone()).collect()
    };
    assert_eq!(urls(), ["https://example.com", "https://example.org"]);
    done(&call(
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
    done(&send(server, "DELETE", &path, "Token $", &[], None));
    assert_eq!(urls(), ["https://example.net"]);
}

fn what_is_wrong_is_told_as_rails_does(server: &TestServer) {
    let form = json!({"name": "", "creator_id": 999, "properties": {"length_m": "long"}, "x": 1});
    let answer =
        call(server, "POST", "/api/user/transactables", "create_transactable", "boat", &form);
    is(
        &answer,
        422,
        TYPE,
        r#"{"errors":{"name":["can't be blank"],"properties.length_m":["must be a decimal"],"x":["is not a known field"]}}"#,
    );
    let form = json!({"name": "Vega", "creator_id": 999});
    let answer =
        call(server, "POST", "/api/user/transactables", "create_transactable", "boat", &form);
    is(&answer, 422, TYPE, r#"{"errors":{"creator_id":["must exist"]}}"#);
    let form = json!({"relationship_id": 1, "user_id": 1, "properties": {"status": "new"}});
    let answer = call(
        server,
        "POST",
        "/api/user/relationship_users",
        "relationship_user_create",
        "special_group_users",
        &form,
    );
    is(
        &answer,
        422,
        TYPE,
        r#"{"errors":{"relationship_id":["must exist"],"user_id":["must exist"]}}"#,
    );
}

fn what_is_around_the_form_must_be_right(server: &TestServer) {
    let path = "/api/user/transactables";
    let wrong = |body: &str| {
        let answer = send(server, "POST", path, "Token $", &[JSON], Some(body));
        assert_eq!((answer.status, answer.header("content-type")), (406, Some(TYPE)), "{answer:?}");
        answer.json()["errors"]["base"][0].as_str().unwrap().to_owned()
    };
    let name = "form_configuration_name";
    for (body, text) in [
        ("{}".to_owned(), "is missing: expected the name of a form"),
        (format!(r#"{{"{name}":7,"form":{{}}}}"#), "is missing"),
        (format!(r#"{{"{name}":"nope","form":{{}}}}"#), "is not the name of a form"),
        (format!(r#"{{"{name}":"{FORMS}create_user","form":{{}}}}"#), "is for something else"),
        (
            format!(r#"{{"{name}":"{FORMS}transactable_update","form":{{}}}}"#),
            "is for something else",
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

fn strangers_are_refused(server: &TestServer) {
    for header in ["", "Token nope", "Basic eDp5"] {
        let answer = send(server, "POST", "/api/user/transactables", header, &[JSON], Some("{}"));
        is(&answer, 401, TYPE, r#"{"errors":{"base":["a token is needed"]}}"#);
        assert_eq!(answer.header("www-authenticate"), Some(r#"Token realm="Application""#));
    }
}
