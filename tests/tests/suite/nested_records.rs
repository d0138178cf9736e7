//! Profiles, relationships and transactables: stored with their user or not at all, and read back
//! completely.

use registrar_tests::{TestServer, cases, samples};
use serde_json::{Value, json};

cases! {
    invalid_transactable_stores_nothing,
    nested_records_are_stored_in_submitted_order,
    membership_joins_existing_relationship,
    database_violations_are_reported_together,
    reference_to_missing_user_is_rejected,
    empty_nested_records_are_not_created,
}

fn invalid_transactable_stores_nothing(server: &TestServer) {
    let mut sample = samples::seller("siri");
    sample["transactables"]["boat"][1]["properties"]["length_m"] = json!(1);
    sample["transactables"]["boat"][1]["name"] = json!("");
    let response = server.client().submit("marketplace_seller", &sample);
    response.invalid(&[
        ("transactables.boat[1].name", "blank"),
        ("transactables.boat[1].properties.length_m", "greater_than"),
    ]);
    assert_eq!(response.json()["details"][0]["pointer"], "/form/transactables/boat/1/name");
    assert_eq!(server.client().get("/api/users").json()["total"], 0);
    for table in ["users", "user_profiles", "transactables", "relationships", "unique_claims"] {
        assert_eq!(server.database().count(table), 0, "{table}");
    }
    server.client().submit("marketplace_seller", &samples::seller("siri")).created();
}

fn nested_records_are_stored_in_submitted_order(server: &TestServer) {
    let mut sample = samples::seller("siri");
    sample["password"] = json!("hunter2-hunter2");
    sample["transactables"]["boat"][0]["custom_images"] =
        json!({ "photo": { "direct_url": "https://img.example/a.png", "caption": "At sea" } });
    sample["transactables"]["boat"][1]["currency"] = json!("NOK");
    sample["transactables"]["boat"][1]["custom_addresses"]["harbour"]["latitude"] = json!("60.390");
    let id = server.client().submit("marketplace_seller", &sample).created();
    let response = server.client().get(&format!("/api/users/{id}"));
    let user = response.is(200).json();

    assert_eq!((&user["id"], &user["email"]), (&json!(id), &json!("siri@example.com")));
    assert_eq!((&user["first_name"], &user["public_profile"]), (&json!("Siri"), &json!(true)));
    assert_eq!(
        user["profiles"]["seller"]["properties"],
        json!({ "shop_name": "shop siri", "commission": 12.5 })
    );
    let member = &user["relationship_users"]["agency_member"][0];
    assert_eq!(member["relationship_name"], "agency");
    assert_eq!(member["properties"], json!({ "status": "pending" }));
    assert!(member["relationship_id"].as_i64().is_some_and(|id| id > 0));
    let agency = &member["relationship"];
    assert_eq!(
        (&agency["id"], &agency["type_name"]),
        (&member["relationship_id"], &json!("agency"))
    );
    assert_eq!((&agency["key"], &agency["properties"]), (&Value::Null, &json!({})));
    assert_eq!(agency["created_at"], user["created_at"]);

    let boats = &user["transactables"]["boat"];
    let named = |key: &str| [&boats[0][key], &boats[1][key]];
    assert_eq!(boats.as_array().unwrap().len(), 2);
    assert_eq!(named("name"), ["Boat siri-1", "Boat siri-2"]);
    assert_eq!(named("currency"), ["EUR", "NOK"]);
    assert_eq!(
        boats[0]["properties"],
        json!({ "registration": "SIRI-1", "length_m": 7.5, "price_per_day": 120 })
    );
    let photo = &boats[0]["custom_images"]["photo"];
    assert_eq!((&photo["caption"], &photo["file_name"]), (&json!("At sea"), &Value::Null));
    let harbour = &boats[1]["custom_addresses"]["harbour"];
    assert_eq!(
        (&harbour["city"], harbour["latitude"].to_string()),
        (&json!("Bergen"), "60.39".to_owned())
    );
    assert!(
        !response.text.contains("password") && !response.text.contains("hunter2"),
        "{response:?}"
    );
}

fn membership_joins_existing_relationship(server: &TestServer) {
    let member_of =
        |id: i64| server.client().user(id)["relationship_users"]["agency_member"][0].clone();
    let first = server.client().submit("marketplace_seller", &samples::seller("one")).created();
    let agency = member_of(first)["relationship_id"].clone();
    let mut second = samples::seller("two");
    second["relationship_users"]["agency_member"] = json!({ "relationship_id": agency });
    let second = server.client().submit("marketplace_seller", &second).created();
    assert_eq!(member_of(second)["relationship_id"], agency);
    assert_eq!(server.database().count("relationships"), 1, "no relationship was created");
}

fn database_violations_are_reported_together(server: &TestServer) {
    server.client().submit("marketplace_seller", &samples::seller("siri")).created();
    let mut again = samples::seller("siri");
    again["email"] = json!(" SIRI@EXAMPLE.COM ");
    again["profiles"]["seller"]["properties"]["shop_name"] = json!("another shop");
    again["relationship_users"]["agency_member"] =
        json!([{ "relationship_id": 1 }, { "relationship_id": "404" }]);
    again["transactables"]["boat"] = json!([samples::boat("new"), samples::boat(" siri-2 ")]);
    let response = server.client().submit("marketplace_seller", &again);
    response.invalid(&[
        ("email", "taken"),
        ("transactables.boat[1].properties.registration", "taken"),
        ("relationship_users.agency_member[1].relationship_id", "required"),
    ]);
    let body = response.json();
    assert_eq!(body["details"][2]["message"], "must exist");
    assert_eq!(
        body["details"][2]["pointer"],
        "/form/relationship_users/agency_member/1/relationship_id"
    );
    assert_eq!(server.client().count(), 1);
    assert_eq!(server.database().count("transactables"), 2);
}

fn reference_to_missing_user_is_rejected(server: &TestServer) {
    let invited_by = |tag: &str, id: Value| {
        let mut sample = samples::client(tag);
        sample["properties"] = json!({ "invited_by": id });
        server.client().submit("client_sign_up", &sample)
    };
    let first = server.client().submit("client_sign_up", &samples::client("first")).created();
    let second = invited_by("second", json!(first)).created();
    assert_eq!(server.client().user(second)["properties"]["invited_by"], first);
    invited_by("third", json!(second.to_string())).created();
    invited_by("fourth", Value::Null).created();
    for nobody in
        [json!(99), json!(0), json!(-1), json!("99"), json!(9_223_372_036_854_775_807_i64)]
    {
        invited_by("x", nobody).invalid(&[("properties.invited_by", "required")]);
    }
    for nonsense in [json!("first"), json!(1.5), json!([first]), json!(true)] {
        assert_eq!(invited_by("x", nonsense).is(422).violations().len(), 1);
    }
}

fn empty_nested_records_are_not_created(server: &TestServer) {
    let mut sample = samples::seller("siri");
    sample["relationship_users"] = json!({ "agency_member": {} });
    sample["transactables"] = json!({ "boat": [{}, samples::boat("a"), null] });
    let id = server.client().submit("marketplace_seller", &sample).created();
    let user = server.client().user(id);
    assert_eq!(user["relationship_users"], json!({}));
    assert_eq!(user["transactables"]["boat"].as_array().unwrap().len(), 1);
    assert_eq!(server.database().count("relationships"), 0);
}
