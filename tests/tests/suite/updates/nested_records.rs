//! Updates of nested records: profiles in place, lists by id, everything else untouched.

use registrar_tests::{TestServer, cases};
use serde_json::{Value, json};

use super::{create_seller, put_change, update_forms};

cases! {
    profile_is_updated_in_place with update_forms,
    list_records_are_updated_by_id_and_added_without with update_forms,
    references_are_verified_in_updates with update_forms,
}

fn profile_is_updated_in_place(server: &TestServer) {
    let id = create_seller(server, "siri");
    let before = server.client().user(id);
    let change = json!({ "profiles_attributes": { "seller": { "enabled": false, "properties": { "shop_name": "Other" } } } });
    put_change(server, id, change).is(204);
    let mut after = server.client().user(id);
    let profile = &after["profiles"]["seller"];
    assert_eq!(profile["id"], before["profiles"]["seller"]["id"]);
    assert_eq!(profile["properties"], json!({ "shop_name": "Other", "commission": 12.5 }));
    assert_eq!(profile["enabled"], false);
    for changed in ["profiles", "updated_at"] {
        after[changed] = before[changed].clone();
    }
    assert_eq!(after, before);
    put_change(
        server,
        id,
        json!({ "profiles": { "seller": { "properties": { "shop_name": " " } } } }),
    )
    .invalid(&[("profiles.seller.properties.shop_name", "blank")]);

    let seed = json!({ "email": "bare@example.com", "first_name": "B", "mobile_number": "1" });
    let bare = server.client().submit("seed", &seed).created();
    let shop = json!({ "profiles": { "seller": { "properties": { "shop_name": "New" } } } });
    put_change(server, bare, shop).is(204);
    let made = server.client().user(bare)["profiles"]["seller"].clone();
    assert_eq!(made["enabled"], true);
    assert_eq!(made["properties"], json!({ "shop_name": "New" }));
    assert_eq!(server.database().count("user_profiles"), 2);
}

fn list_records_are_updated_by_id_and_added_without(server: &TestServer) {
    let (id, other) = (create_seller(server, "siri"), create_seller(server, "other"));
    let before = server.client().user(id);
    let boat = |location: usize| before["transactables"]["boat"][location].clone();
    let foreign = server.client().user(other)["transactables"]["boat"][0]["id"].clone();
    let send = |boats: Value| put_change(server, id, json!({ "transactables": { "boat": boats } }));
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
    assert_eq!(names, ["Boat siri-1", "Second", "Third"], "new records come last");
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
    // Ids of other users and of other record types are rejected.
    let profile = server.client().user(id)["profiles"]["seller"]["id"].clone();
    let member = json!({ "relationship_users": { "agency_member": { "id": 77, "properties": { "status": "x" } } } });
    put_change(server, id, member).invalid(&[("relationship_users.agency_member.id", "required")]);
    assert!(profile.is_i64());
}

fn references_are_verified_in_updates(server: &TestServer) {
    let (id, other) = (create_seller(server, "siri"), create_seller(server, "other"));
    put_change(server, id, json!({ "properties": { "invited_by": 99 } }))
        .invalid(&[("properties.invited_by", "required")]);
    put_change(server, id, json!({ "properties": { "invited_by": other } })).is(204);
    let member = |id: i64| server.client().user(id)["relationship_users"]["agency_member"].clone();
    let (mine, others) = (member(id)[0].clone(), member(other)[0].clone());
    let join = |to: Value| {
        let change =
            json!({ "id": mine["id"], "relationship_id": to, "properties": { "status": "moved" } });
        put_change(server, id, json!({ "relationship_users": { "agency_member": [change] } }))
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
    // A dangling reference is reported at its path even if it was not submitted.
    server.client().send("DELETE", &format!("/api/users/{other}"), &[], None).is(204);
    put_change(server, id, json!({ "phone": "1" }))
        .invalid(&[("properties.invited_by", "required")]);
}
