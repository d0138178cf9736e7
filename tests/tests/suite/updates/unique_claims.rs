//! Uniqueness during updates, including concurrent ones.

use std::collections::BTreeMap;
use std::thread;

use registrar_tests::{TestServer, cases};
use serde_json::{Value, json};

use super::{create_seller, put_change, update_forms};

cases! {
    own_unique_values_do_not_conflict with update_forms,
    changed_unique_value_is_released with update_forms,
    scoped_claim_follows_its_scope_field with update_forms,
    concurrent_updates_of_different_fields_are_both_kept with update_forms,
    concurrent_updates_to_one_value_have_one_winner with update_forms,
}

fn own_unique_values_do_not_conflict(server: &TestServer) {
    let id = create_seller(server, "siri");
    put_change(server, id, json!({ "email": " SIRI@example.com" })).is(204);
    assert_eq!(server.client().user(id)["email"], "SIRI@example.com");
    let boats = server.client().user(id)["transactables"]["boat"].clone();
    let boat = |location: usize, registration: &str| json!({ "id": boats[location]["id"], "properties": { "registration": registration } });
    let send =
        |boats: Vec<Value>| put_change(server, id, json!({ "transactables": { "boat": boats } }));
    let claims = server.database().count("unique_claims");
    send(vec![boat(0, "SIRI-1")]).is(204);
    // Swapped between the two boats, and back.
    send(vec![boat(0, "SIRI-2"), boat(1, "SIRI-1")]).is(204);
    let path = "transactables.boat[0].properties.registration";
    send(vec![boat(0, "SIRI-1")]).invalid(&[(path, "taken")]);
    assert_eq!(server.database().count("unique_claims"), claims);

    let other = create_seller(server, "other");
    put_change(
        server,
        other,
        json!({ "email": "siri@EXAMPLE.com", "transactables": { "boat": [
        { "name": "new" }, { "name": "old", "properties": { "registration": "SIRI-1" } }] } }),
    )
    .invalid(&[("email", "taken"), ("transactables.boat[1].properties.registration", "taken")]);
    assert_eq!(server.database().count("transactables"), 4, "the update was rolled back");
    assert_eq!(server.client().user(other)["email"], "other@example.com");
}

fn changed_unique_value_is_released(server: &TestServer) {
    let (id, other) = (create_seller(server, "siri"), create_seller(server, "other"));
    put_change(server, id, json!({ "email": "new@example.com" })).is(204);
    put_change(server, other, json!({ "email": "siri@example.com" })).is(204);
    put_change(server, id, json!({ "email": "siri@example.com" })).invalid(&[("email", "taken")]);
    put_change(server, id, json!({ "email": "other@example.com" })).is(204);

    let boat = server.client().user(id)["transactables"]["boat"][0]["id"].clone();
    let registered = |registration: Value| {
        json!({ "transactables": { "boat": [
            { "id": boat, "properties": { "registration": registration } }] } })
    };
    put_change(server, id, registered(json!("X"))).is(204);
    let again = json!({ "transactables": { "boat": [
        { "name": "b", "properties": { "registration": "SIRI-1" } }] } });
    put_change(server, other, again).is(204);
    put_change(server, id, registered(json!("SIRI-1"))).is(422);
    put_change(server, id, registered(json!("SIRI-2"))).is(422);
    put_change(server, id, registered(Value::Null)).is(204);
    put_change(server, other, json!({ "transactables": { "boat": [] } })).is(204);

    // A form without the `unique` rule releases the claim too.
    let form = json!({ "email": "free@example.com" });
    server.client().update(other, "only_email", &form).is(204);
    server.client().submit("client_sign_up", &json!({ "email": "siri@example.com", "name": "A", "profiles": { "client": { "properties": { "company_name": "C" } } } })).created();
}

fn scoped_claim_follows_its_scope_field(server: &TestServer) {
    let (one, other) = (create_seller(server, "one"), create_seller(server, "other"));
    put_change(server, one, json!({ "external_id": "7", "language": "en" })).is(204);
    put_change(server, other, json!({ "external_id": "7", "language": "en" }))
        .invalid(&[("external_id", "taken")]);
    put_change(server, other, json!({ "external_id": "7", "language": "no" })).is(204);
    put_change(server, one, json!({ "language": "no" })).invalid(&[("external_id", "taken")]);
    put_change(server, one, json!({ "language": "de" })).is(204);
    put_change(server, other, json!({ "language": "en" })).is(204);
}

fn concurrent_updates_of_different_fields_are_both_kept(server: &TestServer) {
    let id = create_seller(server, "siri");
    for round in 0..10 {
        let fields = ["last_name", "phone"];
        thread::scope(|scope| {
            for field in fields {
                let client = server.client();
                scope.spawn(move || {
                    client
                        .update(id, "change", &json!({ field: format!("{field}{round}") }))
                        .is(204);
                });
            }
        });
        let user = server.client().user(id);
        for field in fields {
            assert_eq!(user[field], format!("{field}{round}"));
        }
    }
    // Some concurrent updates may be rejected, but acknowledged ones are stored.
    let responses: Vec<(i64, u16)> = thread::scope(|scope| {
        let threads = (0..8).map(|number| {
            let client = server.client();
            scope.spawn(move || {
                let boat = json!({ "name": format!("n{number}") });
                let change = json!({ "relationship_users": { "agency_member": [
                    { "relationship_name": "agency", "properties": { "status": boat["name"] } }] } });
                let response = client.update(id, "change", &change);
                if response.status == 503 {
                    assert!(response.header("retry-after").is_some());
                }
                (number, response.status)
            })
        });
        let threads: Vec<_> = threads.collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let user = server.client().user(id);
    let members = user["relationship_users"]["agency_member"].as_array().unwrap();
    let done = responses.iter().filter(|(_, status)| *status == 204).count();
    assert!(
        done > 0 && responses.iter().all(|(_, status)| [204, 503].contains(status)),
        "{responses:?}"
    );
    assert_eq!(members.len(), 1 + done, "{responses:?}");
}

fn concurrent_updates_to_one_value_have_one_winner(server: &TestServer) {
    let ids: Vec<i64> = (0..6).map(|number| create_seller(server, &format!("s{number}"))).collect();
    let mut statuses = BTreeMap::new();
    for status in thread::scope(|scope| {
        let threads: Vec<_> = ids
            .iter()
            .map(|&id| {
                let client = server.client();
                scope.spawn(move || {
                    client.update(id, "change", &json!({ "email": "one@example.com" })).status
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<u16>>()
    }) {
        *statuses.entry(status).or_insert(0) += 1;
    }
    assert_eq!(statuses, BTreeMap::from([(204, 1), (422, 5)]));
    let page = server.client().get("/api/users?email=one%40example.com").json();
    assert_eq!(page["total"], 1);
    // The same value for one user, in two concurrent updates.
    let id = page["results"][0]["id"].as_i64().unwrap();
    thread::scope(|scope| {
        for _ in 0..2 {
            let client = server.client();
            scope.spawn(move || {
                client.update(id, "change", &json!({ "email": "two@example.com" })).is(204);
            });
        }
    });
}
