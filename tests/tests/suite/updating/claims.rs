//! Uniqueness during updates, including concurrent ones.

use std::collections::BTreeMap;
use std::thread;

use registrar_tests::{TestServer, cases};
use serde_json::{Value, json};

use super::{changing, put, seller};

cases! {
    a_user_does_not_clash_with_himself with changing,
    a_value_that_changed_is_free_for_others with changing,
    a_claim_that_narrows_down_follows_what_it_depends_on with changing,
    changes_of_different_fields_at_once_both_survive with changing,
    one_value_asked_for_by_many_goes_to_one with changing,
}

fn a_user_does_not_clash_with_himself(server: &TestServer) {
    let id = seller(server, "siri");
    put(server, id, json!({ "email": " SIRI@example.com" })).is(204);
    assert_eq!(server.client().user(id)["email"], "SIRI@example.com");
    let boats = server.client().user(id)["transactables"]["boat"].clone();
    let boat = |place: usize, registration: &str| json!({ "id": boats[place]["id"], "properties": { "registration": registration } });
    let send = |boats: Vec<Value>| put(server, id, json!({ "transactables": { "boat": boats } }));
    let claims = server.database().count("unique_claims");
    send(vec![boat(0, "SIRI-1")]).is(204);
    // Swapped between the two boats, and back.
    send(vec![boat(0, "SIRI-2"), boat(1, "SIRI-1")]).is(204);
    let path = "transactables.boat[0].properties.registration";
    send(vec![boat(0, "SIRI-1")]).invalid(&[(path, "taken")]);
    assert_eq!(server.database().count("unique_claims"), claims);

    let other = seller(server, "other");
    put(
        server,
        other,
        json!({ "email": "siri@EXAMPLE.com", "transactables": { "boat": [
        { "name": "new" }, { "name": "old", "properties": { "registration": "SIRI-1" } }] } }),
    )
    .invalid(&[("email", "taken"), ("transactables.boat[1].properties.registration", "taken")]);
    assert_eq!(server.database().count("transactables"), 4, "nothing of it was stored");
    assert_eq!(server.client().user(other)["email"], "other@example.com");
}

fn a_value_that_changed_is_free_for_others(server: &TestServer) {
    let (id, other) = (seller(server, "siri"), seller(server, "other"));
    put(server, id, json!({ "email": "new@example.com" })).is(204);
    put(server, other, json!({ "email": "siri@example.com" })).is(204);
    put(server, id, json!({ "email": "siri@example.com" })).invalid(&[("email", "taken")]);
    put(server, id, json!({ "email": "other@example.com" })).is(204);

    let boat = server.client().user(id)["transactables"]["boat"][0]["id"].clone();
    let registered = |registration: Value| {
        json!({ "transactables": { "boat": [
            { "id": boat, "properties": { "registration": registration } }] } })
    };
    put(server, id, registered(json!("X"))).is(204);
    let again = json!({ "transactables": { "boat": [
        { "name": "b", "properties": { "registration": "SIRI-1" } }] } });
    put(server, other, again).is(204);
    put(server, id, registered(json!("SIRI-1"))).is(422);
    put(server, id, registered(json!("SIRI-2"))).is(422);
    put(server, id, registered(Value::Null)).is(204);
    put(server, other, json!({ "transactables": { "boat": [] } })).is(204);

    // A form without the `unique` rule releases the claim too.
    let form = json!({ "email": "free@example.com" });
    server.client().update(other, "only_email", &form).is(204);
    server.client().submit("client_sign_up", &json!({ "email": "siri@example.com", "name": "A", "profiles": { "client": { "properties": { "company_name": "C" } } } })).created();
}

fn a_claim_that_narrows_down_follows_what_it_depends_on(server: &TestServer) {
    let (one, other) = (seller(server, "one"), seller(server, "other"));
    put(server, one, json!({ "external_id": "7", "language": "en" })).is(204);
    put(server, other, json!({ "external_id": "7", "language": "en" }))
        .invalid(&[("external_id", "taken")]);
    put(server, other, json!({ "external_id": "7", "language": "no" })).is(204);
    put(server, one, json!({ "language": "no" })).invalid(&[("external_id", "taken")]);
    put(server, one, json!({ "language": "de" })).is(204);
    put(server, other, json!({ "language": "en" })).is(204);
}

fn changes_of_different_fields_at_once_both_survive(server: &TestServer) {
    let id = seller(server, "siri");
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
    let answers: Vec<(i64, u16)> = thread::scope(|scope| {
        let threads = (0..8).map(|number| {
            let client = server.client();
            scope.spawn(move || {
                let boat = json!({ "name": format!("n{number}") });
                let change = json!({ "relationship_users": { "agency_member": [
                    { "relationship_name": "agency", "properties": { "status": boat["name"] } }] } });
                let answer = client.update(id, "change", &change);
                if answer.status == 503 {
                    assert!(answer.header("retry-after").is_some());
                }
                (number, answer.status)
            })
        });
        let threads: Vec<_> = threads.collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let user = server.client().user(id);
    let members = user["relationship_users"]["agency_member"].as_array().unwrap();
    let done = answers.iter().filter(|(_, status)| *status == 204).count();
    assert!(
        done > 0 && answers.iter().all(|(_, status)| [204, 503].contains(status)),
        "{answers:?}"
    );
    assert_eq!(members.len(), 1 + done, "{answers:?}");
}

fn one_value_asked_for_by_many_goes_to_one(server: &TestServer) {
    let ids: Vec<i64> = (0..6).map(|number| seller(server, &format!("s{number}"))).collect();
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
