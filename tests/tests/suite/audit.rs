//! Audit events: each create, update and delete is recorded with its actor and form, and nothing
//! else is.

use registrar_tests::{TestServer, cases, samples};
use serde_json::json;

cases! {
    create_update_and_delete_write_audit_events,
    rejected_requests_write_no_audit_events,
}

fn create_update_and_delete_write_audit_events(server: &TestServer) {
    let token = server.new_token("clerk", None);
    let client = server.anonymous().with_token(&token);
    let body =
        json!({ "form_configuration_name": "client_sign_up", "form": samples::client("ann") });
    let headers = [("content-type", "application/json"), ("x-request-id", "req-77")];
    let created = client.send("POST", "/api/users", &headers, Some(body.to_string().as_bytes()));
    let (id, version) = (created.created(), created.header("form-version").unwrap());
    let clerk = "token_id = (SELECT id FROM api_tokens WHERE name = 'clerk')";
    let audit_event_count =
        |what: &str| server.database().count(&format!("audit_events WHERE {what} AND {clerk}"));
    assert_eq!(
        audit_event_count(&format!(
            "action = 'create' AND kind = 'user' AND record_id = {id} AND user_id = {id} \
             AND form_name = 'client_sign_up' AND form_version = '{version}' \
             AND request_id LIKE '%-% req-77' AND caller_id IS NULL"
        )),
        1
    );
    let form = json!({ "first_name": "Anna" });
    client.update(id, "reference_rest_api_update_user", &form).is(204);
    let form = json!({ "name": "Vega", "creator_id": id, "currency": "NOK" });
    let name = "reference_rest_api_create_transactable";
    let body =
        json!({ "form_configuration_name": name, "parent_resource_id": "boat", "form": form });
    let boat = client.post("/api/user/transactables", &body.to_string());
    let boat = boat.is(201).json()["id"].as_i64().unwrap();
    let form = "form_configuration_name=reference_rest_api_delete_transactable";
    client.send("DELETE", &format!("/api/user/transactables/{boat}?{form}"), &[], None).is(204);
    client.send("DELETE", &format!("/api/users/{id}"), &[], None).is(204);
    for (what, count) in [
        (format!("action = 'update' AND kind = 'user' AND record_id = {id}"), 1),
        (format!("action = 'create' AND kind = 'transactable' AND record_id = {boat}"), 1),
        (format!("action = 'delete' AND kind = 'transactable' AND user_id = {id}"), 1),
        (format!("action = 'delete' AND kind = 'user' AND record_id = {id}"), 1),
        (format!("user_id = {id}"), 5),
    ] {
        assert_eq!(audit_event_count(&what), count, "{what}");
    }
}

fn rejected_requests_write_no_audit_events(server: &TestServer) {
    let client = server.client();
    client.submit("client_sign_up", &samples::client("ann")).created();
    client.submit("client_sign_up", &samples::client("ann")).is(422);
    client.send("DELETE", "/api/users/404", &[], None).is(404);
    assert_eq!(server.database().count("audit_events"), 1);
}
