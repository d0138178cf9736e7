//! Responses to updates, and rules on stored values.

use registrar_tests::{TestServer, cases, samples};
use serde_json::{Value, json};

use super::{create_seller, put_change, update_forms};

cases! {
    update_responds_with_204_and_is_stored,
    invalid_update_requests_are_rejected with update_forms,
    rules_consider_stored_values with update_forms,
    one_form_can_create_and_update with update_forms,
    password_is_kept_unless_submitted with update_forms,
    html_form_can_update with update_forms,
}

fn update_responds_with_204_and_is_stored(server: &TestServer) {
    let id = server.client().submit("marketplace_seller", &samples::seller("siri")).created();
    let before = server.client().user(id);
    let form = "reference_rest_api_update_user";
    let response = server.client().update(id, form, &json!({ "first_name": "Iris" }));
    assert_eq!((response.is(204).text.as_str(), response.header("content-type")), ("", None));
    assert_eq!(response.header("form-version").map(str::len), Some(16));
    let mut after = server.client().user(id);
    assert_eq!(after["first_name"], "Iris");
    assert!(after["updated_at"].as_str() > before["updated_at"].as_str());
    after["first_name"] = before["first_name"].clone();
    after["updated_at"] = before["updated_at"].clone();
    assert_eq!(after, before, "nothing else changes");

    let body = json!({ "form_configuration_name": form, "form": { "first_name": "Json" } });
    let path = format!("/api/users/{id}.json");
    server.client().send("PUT", &path, &[], Some(body.to_string().as_bytes())).is(204);
    assert_eq!(server.client().get(&path).is(200).json()["first_name"], "Json");
    server.client().send("DELETE", &path, &[], None).is(204);
    server.client().get(&path).is(404);
}

fn invalid_update_requests_are_rejected(server: &TestServer) {
    let id = server.client().submit("client_sign_up", &samples::client("a")).created();
    let form = "reference_rest_api_update_user";
    let change = json!({ "first_name": "B" });
    let name = "form_configuration_name";
    server.client().update(id, "client_sign_up", &change).rejected(406, name, "wrong_form");
    // Forms for other record types neither create nor update users.
    for form in ["boat", "sign_in"] {
        server.client().update(id, form, &change).rejected(406, name, "wrong_form");
        server.client().submit(form, &change).rejected(406, name, "wrong_form");
    }
    server.client().update(id, "reference_rest_api_update", &change).rejected(
        406,
        name,
        "unknown_form",
    );
    server.client().submit(form, &change).rejected(406, name, "wrong_form");
    server.client().update(id, form, &json!([])).rejected(406, "form", "missing");
    server.client().update(id + 1, form, &change).rejected(404, "base", "not_found");
    for nobody in ["0", "-1", "x", "1x", "9223372036854775808", ".json", "1.json.json"] {
        let path = format!("/api/users/{nobody}");
        let body = json!({ "form_configuration_name": form, "form": change }).to_string();
        let response = server.client().send("PUT", &path, &[], Some(body.as_bytes()));
        response.rejected(404, "base", "not_found");
        server.client().send("DELETE", &path, &[], None).rejected(404, "base", "not_found");
    }
    let path = format!("/api/users/{id}");
    server.client().send("PUT", &path, &[], Some(b"{")).rejected(400, "base", "malformed");
    let content_type = [("content-type", "text/csv")];
    let response = server.client().send("PUT", &path, &content_type, Some(b"a"));
    response.rejected(415, "base", "unsupported_media_type");
    server
        .client()
        .update(id, form, &json!({ "first_name": "" }))
        .invalid(&[("first_name", "blank")]);
    let unknown = json!({ "email": "x@example.com", "first_name": "B" });
    server.client().update(id, form, &unknown).invalid(&[("email", "unknown_field")]);
}

fn rules_consider_stored_values(server: &TestServer) {
    let id = create_seller(server, "siri");
    put_change(server, id, json!({})).is(204);
    put_change(server, id, json!({ "last_name": "S" })).is(204);
    put_change(
        server,
        id,
        json!({ "first_name": null, "transactables": { "boat": {
        "id": server.client().user(id)["transactables"]["boat"][1]["id"], "name": "" } } }),
    )
    .invalid(&[("first_name", "blank"), ("transactables.boat.name", "blank")]);
    let user = server.client().user(id);
    assert_eq!((&user["first_name"], &user["last_name"]), (&json!("Siri"), &json!("S")));
    put_change(server, id, json!({ "mobile_number": "1", "last_name": null })).is(204);
    let user = server.client().user(id);
    assert_eq!((&user["mobile_number"], &user["last_name"]), (&json!("99"), &Value::Null));
    // Defaults apply to new records only.
    put_change(server, id, json!({ "phone": "1" })).is(204);
    assert_eq!(server.client().user(id)["last_name"], Value::Null);

    let bare = server.client().submit("client_sign_up", &samples::client("bare")).created();
    put_change(server, bare, json!({})).invalid(&[
        ("first_name", "blank"),
        ("mobile_number", "blank"),
        ("profiles", "blank"),
    ]);
}

fn one_form_can_create_and_update(server: &TestServer) {
    let form = json!({ "email": "a@example.com", "external_id": "1" });
    let id = server.client().submit("only_email", &form).created();
    server.client().update(id, "only_email", &json!({ "external_id": "2" })).is(204);
    let user = server.client().user(id);
    assert_eq!((&user["email"], &user["external_id"]), (&form["email"], &json!("2")));
}

fn password_is_kept_unless_submitted(server: &TestServer) {
    let seed = json!({
        "email": "a@example.com", "password": "hunter2-hunter2", "first_name": "A",
        "mobile_number": "1", "profiles": { "seller": { "properties": { "shop_name": "S" } } },
    });
    let id = server.client().submit("seed", &seed).created();
    let hashes = |server: &TestServer| {
        let cells = server.database().all_cells().into_iter();
        cells.filter(|cell| cell.starts_with("password_credentials.phc")).collect::<String>()
    };
    let before = hashes(server);
    for kept in [json!({ "phone": "1" }), json!({ "password": "" }), json!({ "password": null })] {
        put_change(server, id, kept).is(204);
        assert_eq!(hashes(server), before);
    }
    put_change(server, id, json!({ "password": "short" })).invalid(&[("password", "too_short")]);
    put_change(server, id, json!({ "password": "correct horse" })).is(204);
    let after = hashes(server);
    assert!(after != before && after.contains("$argon2id$"));
    let shown = server.client().get(&format!("/api/users/{id}")).text;
    assert!(!shown.contains("argon2") && !shown.contains("password"), "{shown}");

    let without = create_seller(server, "without");
    put_change(server, without, json!({ "password": "correct horse" })).is(204);
    assert_eq!(server.database().count("password_credentials"), 2);
}

fn html_form_can_update(server: &TestServer) {
    let id = create_seller(server, "siri");
    let boat = server.client().user(id)["transactables"]["boat"][0]["id"].clone();
    let fields = format!(
        "form_configuration_name=change&form[password]=&form[transactables][boat][0][id]={boat}\
         &form[transactables][boat][0][properties][length_m]=9.5&form[transactables][boat][1][id]=\
         &form[transactables][boat][1][name]=New"
    );
    let content_type = [("content-type", "application/x-www-form-urlencoded")];
    let path = format!("/api/users/{id}");
    server.client().send("PUT", &path, &content_type, Some(fields.as_bytes())).is(204);
    let boats = server.client().user(id)["transactables"]["boat"].clone();
    assert_eq!((&boats[0]["id"], &boats[0]["properties"]["length_m"]), (&boat, &json!(9.5)));
    assert_eq!((&boats[0]["name"], &boats[2]["name"]), (&json!("Boat siri-1"), &json!("New")));
}
