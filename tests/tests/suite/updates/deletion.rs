//! Deletion of users, and its authorization.

use registrar_tests::{TestServer, cases, samples};
use serde_json::json;

cases! {
    deletion_removes_all_records_of_the_user,
    unauthorized_update_or_deletion_changes_nothing,
}

fn deletion_removes_all_records_of_the_user(server: &TestServer) {
    let first = server.client().submit("marketplace_seller", &samples::seller("first")).created();
    let agency = server.client().user(first)["relationship_users"]["agency_member"][0].clone();
    let mut second = samples::seller("second");
    second["password"] = json!("secret-secret");
    let second_id = server.client().submit("marketplace_seller", &second).created();
    let mut third = samples::seller("third");
    third["relationship_users"]["agency_member"] =
        json!({ "relationship_id": agency["relationship_id"] });
    let third = server.client().submit("marketplace_seller", &third).created();
    let before = server.client().user(third);

    let path = format!("/api/users/{first}");
    let response = server.client().send("DELETE", &path, &[], None);
    assert_eq!((response.is(204).text.as_str(), response.header("content-type")), ("", None));
    server.client().send("DELETE", &path, &[], None).rejected(404, "base", "not_found");
    server.client().get(&path).is(404);
    assert_eq!(
        server.client().user(third),
        before,
        "the relationship is kept for its other member"
    );
    server.client().submit("marketplace_seller", &samples::seller("first")).created();

    for id in [second_id, third, first + 3] {
        server.client().send("DELETE", &format!("/api/users/{id}"), &[], None).is(204);
    }
    for table in [
        "users",
        "user_profiles",
        "transactables",
        "relationship_users",
        "addresses",
        "files",
        "customizations",
        "password_credentials",
        "unique_claims",
    ] {
        assert_eq!(server.database().count(table), 0, "{table}");
    }
}

fn unauthorized_update_or_deletion_changes_nothing(server: &TestServer) {
    let id = server.client().submit("client_sign_up", &samples::client("a")).created();
    let before = server.client().user(id);
    let token = server.new_token("short-lived", None);
    let client = server.anonymous().with_token(&token);
    let form = "reference_rest_api_update_user";
    client.update(id, form, &json!({ "first_name": "A" })).is(204);
    let changed = server.client().user(id);
    server.revoke("short-lived");
    let path = format!("/api/users/{id}");
    client.update(id, form, &json!({ "first_name": "B" })).rejected(401, "base", "invalid_token");
    client.send("DELETE", &path, &[], None).rejected(401, "base", "invalid_token");
    client.send("DELETE", "/api/users/404", &[], None).rejected(401, "base", "invalid_token");
    let anonymous = server.anonymous();
    anonymous.update(id, form, &json!({})).rejected(401, "base", "missing_token");
    anonymous.send("DELETE", &path, &[], None).rejected(401, "base", "missing_token");
    assert_eq!(server.client().user(id), changed);
    assert_ne!(before, changed);
}
