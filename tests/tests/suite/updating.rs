//! PUT and DELETE: a form laid over a stored user, and a user that goes.

use std::collections::BTreeMap;
use std::thread;

use registrar_tests::{Answer, Setup, TestServer, cases, samples};
use serde_json::{Value, json};

cases! {
    a_change_is_answered_with_nothing_and_stored,
    what_is_not_there_or_not_allowed_is_told,
    rules_look_at_what_is_stored_too with changing,
    a_form_that_may_both_creates_and_changes with changing,
    a_user_does_not_clash_with_himself with changing,
    a_value_that_changed_is_free_for_others with changing,
    a_claim_that_narrows_down_follows_what_it_depends_on with changing,
    a_profile_changes_in_place_and_the_rest_stays with changing,
    records_are_changed_by_their_id_and_added_without with changing,
    references_are_looked_up_as_ever with changing,
    a_password_is_kept_until_another_is_sent with changing,
    changes_of_different_fields_at_once_both_survive with changing,
    one_value_asked_for_by_many_goes_to_one with changing,
    a_deleted_user_leaves_nothing_but_what_is_others,
    who_may_not_changes_nothing,
    a_form_of_html_changes_too with changing,
}

const CHANGE: &str = "\
resource: User
resource_owner: anyone
fields:
  email:
  external_id: { validation: { unique: { scope: language } } }
  password: { validation: { presence: true } }
  first_name: { validation: { presence: true } }
  last_name: { property_options: { default: Doe } }
  phone:
  language:
  mobile_number: { property_options: { readonly: true }, validation: { presence: true } }
  properties:
    invited_by: { type: integer, validation: { exists: User } }
  profiles:
    validation: { presence: true }
    seller:
      validation: { presence: true }
      enabled:
      properties: { shop_name: { validation: { presence: true } } }
  relationship_users:
    agency_member: { relationship_id: , relationship_name: , properties: { status: } }
  transactables:
    boat:
      validation: { length: { maximum: 4 } }
      name: { validation: { presence: true } }
      properties: { registration: { validation: { unique: true } }, length_m: }
      custom_addresses: { harbour: { city: { validation: { presence: true } }, street: } }
      custom_images: { photo: { direct_url: , caption: } }
";
const SEED: &str = "\
resource: User
fields: { email: , password: , first_name: , mobile_number: , external_id: , profiles: { seller: { properties: { shop_name: , commission: } } } }
";
const EMAIL: &str = "\
resource: User
resource_owner: anyone
fields: { email: { validation: { unique: false } }, external_id: { validation: { unique: false } } }
";

const SELLER: &str = "\
resource: User
extends: marketplace_seller
fields: { mobile_number: }
";

/// The shipped forms and more.
fn changing(setup: Setup) -> Setup {
    setup.more_forms(&[
        ("change.yml", CHANGE),
        ("seed.yml", SEED),
        ("only_email.yml", EMAIL),
        ("seller.yml", SELLER),
    ])
}

fn put(server: &TestServer, id: i64, form: Value) -> Answer {
    server.client().update(id, "change", &form)
}

/// A seller who has all that `change` demands.
fn seller(server: &TestServer, tag: &str) -> i64 {
    let mut sample = samples::seller(tag);
    sample["mobile_number"] = json!("99");
    server.client().submit("seller", &sample).created()
}

fn a_change_is_answered_with_nothing_and_stored(server: &TestServer) {
    let id = server.client().submit("marketplace_seller", &samples::seller("siri")).created();
    let before = server.client().user(id);
    let form = "reference_rest_api_update_user";
    let answer = server.client().update(id, form, &json!({ "first_name": "Iris" }));
    assert_eq!((answer.is(204).text.as_str(), answer.header("content-type")), ("", None));
    assert_eq!(answer.header("form-version").map(str::len), Some(16));
    let mut after = server.client().user(id);
    assert_eq!(after["first_name"], "Iris");
    assert!(after["updated_at"].as_str() > before["updated_at"].as_str());
    after["first_name"] = before["first_name"].clone();
    after["updated_at"] = before["updated_at"].clone();
    assert_eq!(after, before, "all else is as it was");

    let body = json!({ "form_configuration_name": form, "form": { "first_name": "Json" } });
    let path = format!("/api/users/{id}.json");
    server.client().send("PUT", &path, &[], Some(body.to_string().as_bytes())).is(204);
    assert_eq!(server.client().get(&path).is(200).json()["first_name"], "Json");
    server.client().send("DELETE", &path, &[], None).is(204);
    server.client().get(&path).is(404);
}

fn what_is_not_there_or_not_allowed_is_told(server: &TestServer) {
    let id = server.client().submit("client_sign_up", &samples::client("a")).created();
    let form = "reference_rest_api_update_user";
    let change = json!({ "first_name": "B" });
    let name = "form_configuration_name";
    server.client().update(id, "client_sign_up", &change).fault(406, name, "wrong_form");
    server.client().update(id, "reference_rest_api_update", &change).fault(
        406,
        name,
        "unknown_form",
    );
    server.client().submit(form, &change).fault(406, name, "wrong_form");
    server.client().update(id, form, &json!([])).fault(406, "form", "missing");
    server.client().update(id + 1, form, &change).fault(404, "base", "not_found");
    for nobody in ["0", "-1", "x", "1x", "9223372036854775808", ".json", "1.json.json"] {
        let path = format!("/api/users/{nobody}");
        let body = json!({ "form_configuration_name": form, "form": change }).to_string();
        let answer = server.client().send("PUT", &path, &[], Some(body.as_bytes()));
        answer.fault(404, "base", "not_found");
        server.client().send("DELETE", &path, &[], None).fault(404, "base", "not_found");
    }
    let path = format!("/api/users/{id}");
    server.client().send("PUT", &path, &[], Some(b"{")).fault(400, "base", "malformed");
    let label = [("content-type", "text/csv")];
    let answer = server.client().send("PUT", &path, &label, Some(b"a"));
    answer.fault(415, "base", "unsupported_media_type");
    server
        .client()
        .update(id, form, &json!({ "first_name": "" }))
        .invalid(&[("first_name", "blank")]);
    let unknown = json!({ "email": "x@example.com", "first_name": "B" });
    server.client().update(id, form, &unknown).invalid(&[("email", "unknown_field")]);
}

fn rules_look_at_what_is_stored_too(server: &TestServer) {
    let id = seller(server, "siri");
    put(server, id, json!({})).is(204);
    put(server, id, json!({ "last_name": "S" })).is(204);
    put(
        server,
        id,
        json!({ "first_name": null, "transactables": { "boat": {
        "id": server.client().user(id)["transactables"]["boat"][1]["id"], "name": "" } } }),
    )
    .invalid(&[("first_name", "blank"), ("transactables.boat.name", "blank")]);
    let user = server.client().user(id);
    assert_eq!((&user["first_name"], &user["last_name"]), (&json!("Siri"), &json!("S")));
    put(server, id, json!({ "mobile_number": "1", "last_name": null })).is(204);
    let user = server.client().user(id);
    assert_eq!((&user["mobile_number"], &user["last_name"]), (&json!("99"), &Value::Null));
    // A default is for what is new.
    put(server, id, json!({ "phone": "1" })).is(204);
    assert_eq!(server.client().user(id)["last_name"], Value::Null);

    let bare = server.client().submit("client_sign_up", &samples::client("bare")).created();
    put(server, bare, json!({})).invalid(&[
        ("first_name", "blank"),
        ("mobile_number", "blank"),
        ("profiles", "blank"),
    ]);
}

fn a_form_that_may_both_creates_and_changes(server: &TestServer) {
    let form = json!({ "email": "a@example.com", "external_id": "1" });
    let id = server.client().submit("only_email", &form).created();
    server.client().update(id, "only_email", &json!({ "external_id": "2" })).is(204);
    let user = server.client().user(id);
    assert_eq!((&user["email"], &user["external_id"]), (&form["email"], &json!("2")));
}

fn a_user_does_not_clash_with_himself(server: &TestServer) {
    let id = seller(server, "siri");
    put(server, id, json!({ "email": " SIRI@example.com" })).is(204);
    assert_eq!(server.client().user(id)["email"], "SIRI@example.com");
    let boats = server.client().user(id)["transactables"]["boat"].clone();
    let boat = |place: usize, registration: &str| json!({ "id": boats[place]["id"], "properties": { "registration": registration } });
    let send = |boats: Vec<Value>| put(server, id, json!({ "transactables": { "boat": boats } }));
    let claims = server.direct().count("unique_claims");
    send(vec![boat(0, "SIRI-1")]).is(204);
    // With each other, and back.
    send(vec![boat(0, "SIRI-2"), boat(1, "SIRI-1")]).is(204);
    let path = "transactables.boat[0].properties.registration";
    send(vec![boat(0, "SIRI-1")]).invalid(&[(path, "taken")]);
    assert_eq!(server.direct().count("unique_claims"), claims);

    let other = seller(server, "other");
    put(
        server,
        other,
        json!({ "email": "siri@EXAMPLE.com", "transactables": { "boat": [
        { "name": "new" }, { "name": "old", "properties": { "registration": "SIRI-1" } }] } }),
    )
    .invalid(&[("email", "taken"), ("transactables.boat[1].properties.registration", "taken")]);
    assert_eq!(server.direct().count("transactables"), 4, "nothing of it was stored");
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

    // A form for which it need not be unique frees it too.
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

fn a_profile_changes_in_place_and_the_rest_stays(server: &TestServer) {
    let id = seller(server, "siri");
    let before = server.client().user(id);
    let change = json!({ "profiles_attributes": { "seller": { "enabled": false, "properties": { "shop_name": "Other" } } } });
    put(server, id, change).is(204);
    let mut after = server.client().user(id);
    let profile = &after["profiles"]["seller"];
    assert_eq!(profile["id"], before["profiles"]["seller"]["id"]);
    assert_eq!(profile["properties"], json!({ "shop_name": "Other", "commission": 12.5 }));
    assert_eq!(profile["enabled"], false);
    for changed in ["profiles", "updated_at"] {
        after[changed] = before[changed].clone();
    }
    assert_eq!(after, before);
    put(server, id, json!({ "profiles": { "seller": { "properties": { "shop_name": " " } } } }))
        .invalid(&[("profiles.seller.properties.shop_name", "blank")]);

    let seed = json!({ "email": "bare@example.com", "first_name": "B", "mobile_number": "1" });
    let bare = server.client().submit("seed", &seed).created();
    let shop = json!({ "profiles": { "seller": { "properties": { "shop_name": "New" } } } });
    put(server, bare, shop).is(204);
    let made = server.client().user(bare)["profiles"]["seller"].clone();
    assert_eq!(made["enabled"], true);
    assert_eq!(made["properties"], json!({ "shop_name": "New" }));
    assert_eq!(server.direct().count("user_profiles"), 2);
}

fn records_are_changed_by_their_id_and_added_without(server: &TestServer) {
    let (id, other) = (seller(server, "siri"), seller(server, "other"));
    let before = server.client().user(id);
    let boat = |place: usize| before["transactables"]["boat"][place].clone();
    let foreign = server.client().user(other)["transactables"]["boat"][0]["id"].clone();
    let send = |boats: Value| put(server, id, json!({ "transactables": { "boat": boats } }));
    send(json!([{ "name": "A" }, { "id": foreign, "name": "Mine now" }]))
        .invalid(&[("transactables.boat[1].id", "required")]);
    send(json!([{ "id": 999_999 }])).invalid(&[("transactables.boat[0].id", "required")]);
    send(json!([{ "name": "A" }, { "name": "B" }, { "name": "C" }]))
        .invalid(&[("transactables.boat", "too_long")]);

    send(json!([
        { "name": "Third", "custom_addresses": { "harbour": { "city": "Bodø" } } },
        { "id": boat(1)["id"], "name": "Second", "custom_addresses": { "harbour": { "street": "Quay" } },
          "custom_images": { "photo": { "direct_url": "https://img.example/a.png" } } },
    ]))
    .is(204);
    let after = server.client().user(id)["transactables"]["boat"].clone();
    let names: Vec<&Value> = after.as_array().unwrap().iter().map(|boat| &boat["name"]).collect();
    assert_eq!(names, ["Boat siri-1", "Second", "Third"], "what is new comes last");
    assert_eq!(after[0], boat(0));
    assert_eq!(
        (&after[1]["id"], &after[1]["properties"]),
        (&boat(1)["id"], &boat(1)["properties"])
    );
    let (harbour, old) =
        (&after[1]["custom_addresses"]["harbour"], &boat(1)["custom_addresses"]["harbour"]);
    assert_eq!((&harbour["id"], &harbour["city"]), (&old["id"], &json!("Bergen")));
    assert_eq!(harbour["street"], "Quay");
    assert_eq!(after[1]["custom_images"]["photo"]["direct_url"], "https://img.example/a.png");
    assert_eq!(after[2]["custom_addresses"]["harbour"]["city"], "Bodø");
    assert_eq!(server.client().user(other)["transactables"], {
        let mut others = server.client().user(other);
        others["transactables"].take()
    });
    // Not of the user's own any more than of another type.
    let profile = server.client().user(id)["profiles"]["seller"]["id"].clone();
    let member = json!({ "relationship_users": { "agency_member": { "id": 77, "properties": { "status": "x" } } } });
    put(server, id, member).invalid(&[("relationship_users.agency_member.id", "required")]);
    assert!(profile.is_i64());
}

fn references_are_looked_up_as_ever(server: &TestServer) {
    let (id, other) = (seller(server, "siri"), seller(server, "other"));
    put(server, id, json!({ "properties": { "invited_by": 99 } }))
        .invalid(&[("properties.invited_by", "required")]);
    put(server, id, json!({ "properties": { "invited_by": other } })).is(204);
    let member = |id: i64| server.client().user(id)["relationship_users"]["agency_member"].clone();
    let (mine, others) = (member(id)[0].clone(), member(other)[0].clone());
    let join = |to: Value| {
        let change =
            json!({ "id": mine["id"], "relationship_id": to, "properties": { "status": "moved" } });
        put(server, id, json!({ "relationship_users": { "agency_member": [change] } }))
    };
    join(json!(999))
        .invalid(&[("relationship_users.agency_member[0].relationship_id", "required")]);
    join(others["relationship_id"].clone()).is(204);
    let moved = member(id)[0].clone();
    assert_eq!(
        (&moved["id"], &moved["relationship_id"]),
        (&mine["id"], &others["relationship_id"])
    );
    assert_eq!(moved["properties"], json!({ "status": "moved" }));
    // What was referred to is gone: told where it stands, though it was not sent.
    server.client().send("DELETE", &format!("/api/users/{other}"), &[], None).is(204);
    put(server, id, json!({ "phone": "1" })).invalid(&[("properties.invited_by", "required")]);
}

fn a_password_is_kept_until_another_is_sent(server: &TestServer) {
    let seed = json!({
        "email": "a@example.com", "password": "hunter2-hunter2", "first_name": "A",
        "mobile_number": "1", "profiles": { "seller": { "properties": { "shop_name": "S" } } },
    });
    let id = server.client().submit("seed", &seed).created();
    let hashes = |server: &TestServer| {
        let cells = server.direct().every_cell().into_iter();
        cells.filter(|cell| cell.starts_with("password_credentials.phc")).collect::<String>()
    };
    let before = hashes(server);
    for kept in [json!({ "phone": "1" }), json!({ "password": "" }), json!({ "password": null })] {
        put(server, id, kept).is(204);
        assert_eq!(hashes(server), before);
    }
    put(server, id, json!({ "password": "short" })).invalid(&[("password", "too_short")]);
    put(server, id, json!({ "password": "correct horse" })).is(204);
    let after = hashes(server);
    assert!(after != before && after.contains("$argon2id$"));
    let shown = server.client().get(&format!("/api/users/{id}")).text;
    assert!(!shown.contains("argon2") && !shown.contains("password"), "{shown}");

    let without = seller(server, "without");
    put(server, without, json!({ "password": "correct horse" })).is(204);
    assert_eq!(server.direct().count("password_credentials"), 2);
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
    // Of many some may be sent away, but what is answered with 204 is there.
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
    // And the same value for one user, asked for twice at once.
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

fn a_deleted_user_leaves_nothing_but_what_is_others(server: &TestServer) {
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
    let answer = server.client().send("DELETE", &path, &[], None);
    assert_eq!((answer.is(204).text.as_str(), answer.header("content-type")), ("", None));
    server.client().send("DELETE", &path, &[], None).fault(404, "base", "not_found");
    server.client().get(&path).is(404);
    assert_eq!(server.client().user(third), before, "the relationship stays for who is in it");
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
        assert_eq!(server.direct().count(table), 0, "{table}");
    }
}

fn who_may_not_changes_nothing(server: &TestServer) {
    let id = server.client().submit("client_sign_up", &samples::client("a")).created();
    let before = server.client().user(id);
    let token = server.new_token("short-lived", None);
    let client = server.anonymous().with_token(&token);
    let form = "reference_rest_api_update_user";
    client.update(id, form, &json!({ "first_name": "A" })).is(204);
    let changed = server.client().user(id);
    server.revoke("short-lived");
    let path = format!("/api/users/{id}");
    client.update(id, form, &json!({ "first_name": "B" })).fault(401, "base", "invalid_token");
    client.send("DELETE", &path, &[], None).fault(401, "base", "invalid_token");
    client.send("DELETE", "/api/users/404", &[], None).fault(401, "base", "invalid_token");
    let anonymous = server.anonymous();
    anonymous.update(id, form, &json!({})).fault(401, "base", "missing_token");
    anonymous.send("DELETE", &path, &[], None).fault(401, "base", "missing_token");
    assert_eq!(server.client().user(id), changed);
    assert_ne!(before, changed);
}

fn a_form_of_html_changes_too(server: &TestServer) {
    let id = seller(server, "siri");
    let boat = server.client().user(id)["transactables"]["boat"][0]["id"].clone();
    let fields = format!(
        "form_configuration_name=change&form[password]=&form[transactables][boat][0][id]={boat}\
         &form[transactables][boat][0][properties][length_m]=9.5&form[transactables][boat][1][id]=\
         &form[transactables][boat][1][name]=New"
    );
    let label = [("content-type", "application/x-www-form-urlencoded")];
    let path = format!("/api/users/{id}");
    server.client().send("PUT", &path, &label, Some(fields.as_bytes())).is(204);
    let boats = server.client().user(id)["transactables"]["boat"].clone();
    assert_eq!((&boats[0]["id"], &boats[0]["properties"]["length_m"]), (&boat, &json!(9.5)));
    assert_eq!((&boats[0]["name"], &boats[2]["name"]), (&json!("Boat siri-1"), &json!("New")));
}
