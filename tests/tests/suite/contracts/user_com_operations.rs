//! User.com beyond creation: look-up by id and external id, search, update and deletion; tags,
//! lists, companies and attributes; version 2.

use registrar_tests::{TestResponse, TestServer, cases};
use serde_json::{Value, json};

use super::{JSON, assert_response, send};

const TYPE: &str = "application/json";

cases! {
    users_are_found_by_id_email_key_and_phone,
    update_or_create_updates_or_creates,
    attributes_are_validated_by_type_and_name,
    tags_are_added_and_removed,
    companies_and_lists_are_managed,
    api_version_is_selected_by_accept_header,
}

fn call(server: &TestServer, method: &str, path: &str, body: &Value) -> TestResponse {
    let text = body.to_string();
    let body = (*body != Value::Null).then_some(text.as_str());
    send(server, method, &format!("/user_com/api/public/{path}"), "Token $", &[JSON], body)
}

fn get(server: &TestServer, path: &str) -> TestResponse {
    call(server, "GET", path, &Value::Null)
}

fn users_are_found_by_id_email_key_and_phone(server: &TestServer) {
    let sent = json!({"email": "a@b.co", "user_id": "42", "phone_number": "555"});
    let created = call(server, "POST", "users/", &sent).is(201).json();
    call(server, "POST", "users/", &json!({"email": "a@b.co"})).is(201);
    let key = created["key"].as_str().unwrap();
    for path in [
        "users/1/",
        "users-by-id/42/",
        "users/search/?email=a@b.co",
        "users/search/?email=A@B.co/",
        &format!("users/search/?key={key}"),
        "users/search/?phone_number=555",
    ] {
        assert_eq!(get(server, path).is(200).json(), created, "{path}");
    }
    let many = get(server, "users/search/?email=a@b.co&many=true").is(200).json();
    assert_eq!((many.as_array().unwrap().len(), &many[0]), (2, &created));
    for path in
        ["users/search/", "users/search/?email=x@b.co", "users/search/?key=nokey", "users-by-id/7/"]
    {
        assert_response(&get(server, path), 404, TYPE, r#"{"detail":"Not found."}"#);
    }
    let page = get(server, "users/?page_size=1").is(200).json();
    assert_eq!((&page["count"], &page["results"]), (&2.into(), &json!([created])));
    let changed = call(
        server,
        "PUT",
        "users-by-id/42/",
        &json!({"city": "Oslo", "gender": 2, "first_name": "Ann"}),
    );
    let changed = changed.is(200).json();
    assert_eq!(
        (&changed["city"], &changed["gender"], &changed["name"]),
        (&"Oslo".into(), &"male".into(), &"Ann".into())
    );
    let wrong = call(server, "PATCH", "users/1/", &json!({"gender": 9}));
    assert_response(&wrong, 400, TYPE, r#"{"errors":{"gender":["\"9\" is not a valid choice."]}}"#);
    assert_eq!(call(server, "DELETE", "users/1/", &Value::Null).status, 204);
    assert_eq!(get(server, "users/1/").status, 404);
    assert_eq!(call(server, "DELETE", "users-by-id/42/", &Value::Null).status, 404);
}

fn update_or_create_updates_or_creates(server: &TestServer) {
    let sent = json!({"custom_id": "7", "first_name": "Ann"});
    let path = "users/update_or_create/";
    assert_response(&call(server, "POST", path, &sent), 201, TYPE, r#"{"created":true,"id":1}"#);
    assert_response(
        &call(server, "POST", path, &json!({"custom_id": "7", "city": "Oslo"})),
        200,
        TYPE,
        r#"{"created":false,"id":1}"#,
    );
    let user = get(server, "users-by-id/7/").is(200).json();
    assert_eq!((&user["name"], &user["city"]), (&"Ann".into(), &"Oslo".into()));
    let wrong = call(server, "POST", path, &json!({"custom_id": "8", "email": "x"}));
    assert_response(&wrong, 400, TYPE, r#"{"errors":{"email":["Enter a valid email address."]}}"#);
    assert_eq!(server.client().count(), 1);
}

fn attributes_are_validated_by_type_and_name(server: &TestServer) {
    call(server, "POST", "users/", &json!({"Verified Member": true, "Plan": "team"})).is(201);
    let set = |body: Value| call(server, "POST", "users/1/set_attribute/", &body);
    let done = set(json!({"attribute": "Seats", "value": 7}));
    assert_eq!((done.status, done.text.as_str()), (200, ""));
    for (attribute, value, text) in [
        ("Seats", json!("many"), "A valid integer is required."),
        (
            "Birthday",
            json!("soon"),
            "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.",
        ),
        ("Plan", json!("gold"), r#"\"gold\" is not a valid choice."#),
        ("Shoe size", json!(7), "Unexpected field."),
        // Built-in columns are not attributes.
        ("email", json!("a@b.co"), "Unexpected field."),
    ] {
        let response = set(json!({"attribute": attribute, "value": value}));
        assert_response(
            &response,
            400,
            TYPE,
            &format!(r#"{{"errors":{{"{attribute}":["{text}"]}}}}"#),
        );
    }
    let several = json!({"Birthday": "2001-02-03", "Balance": 1.5, "Trial ends": "2027-01-01T00:00:00Z", "Nickname": "a"});
    call(server, "POST", "users/1/set_multiple_attributes/", &several).is(200);
    call(server, "POST", "users/1/remove_attribute/", &json!({"attribute": "Seats"})).is(200);
    call(server, "DELETE", "users/1/remove_attribute/", &json!({"attribute": "Nickname"})).is(200);
    let user = get(server, "users/1/").is(200).json();
    let reported: Vec<(Value, Value)> = user["attributes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attribute| (attribute["name"].clone(), attribute["value"].clone()))
        .collect();
    let pair = |name: &str, value: Value| (Value::from(name), value);
    assert_eq!(
        reported,
        [
            pair("Verified Member", json!(true)),
            pair("Birthday", json!("2001-02-03")),
            pair("Trial ends", json!("2027-01-01T00:00:00.000000Z")),
            pair("Plan", json!("team")),
            pair("Balance", json!(1.5)),
        ]
    );
    let first = r#"[{"id":1,"name":"Verified Member","name_std":"verified_member","value":true,"description":""}"#;
    assert!(get(server, "users/1/").text.contains(first), "{user}");
}

fn tags_are_added_and_removed(server: &TestServer) {
    call(server, "POST", "users/", &json!({"tags": ["vip", "new"]})).is(201);
    let names = || -> Vec<Value> {
        let user = get(server, "users/1/").is(200).json();
        user["tags"].as_array().unwrap().iter().map(|tag| tag["name"].clone()).collect()
    };
    assert_eq!(names(), ["vip", "new"]);
    let add = || call(server, "POST", "users/1/add_tag/", &json!({"name": "hot"}));
    assert_response(&add(), 200, TYPE, r#"{"created":true,"tag":{"name":"hot"}}"#);
    assert_response(&add(), 200, TYPE, r#"{"created":false,"tag":{"name":"hot"}}"#);
    let remove = |name: &str| call(server, "POST", "users/1/remove_tag/", &json!({"name": name}));
    assert_eq!(remove("vip").status, 200);
    assert_response(&remove("vip"), 404, TYPE, r#"{"detail":"Not found."}"#);
    assert_eq!(names(), ["new", "hot"]);
    for body in [json!({}), json!({"name": ""}), json!({"name": null})] {
        let response = call(server, "POST", "users/1/add_tag/", &body);
        assert!(
            response.is(400).text.starts_with(r#"{"errors":{"name":["This field"#),
            "{response:?}"
        );
    }
    // Tags are shared between users.
    call(server, "POST", "users/", &json!({"tags": ["hot"]})).is(201);
    assert_eq!(get(server, "tags/").is(200).json()["count"], 3);
    for (tags, errors) in [
        (json!("a"), r#"["Expected a list of items but got type \"str\"."]"#),
        (json!({"a": 1}), r#"["Expected a list of items but got type \"dict\"."]"#),
        (json!(["a", ["b"]]), r#"{"1":["Not a valid string."]}"#),
    ] {
        let response = call(server, "POST", "users/", &json!({"tags": tags}));
        assert_response(&response, 400, TYPE, &format!(r#"{{"errors":{{"tags":{errors}}}}}"#));
    }
}

fn companies_and_lists_are_managed(server: &TestServer) {
    let acme = json!({"custom_id": "acme", "name": "Acme"});
    let company = call(server, "POST", "companies/", &acme).is(201).json();
    let user = call(server, "POST", "users/", &json!({"company_id": "acme"})).is(201).json();
    let reported = &user["companies"][0];
    assert_eq!((&reported["id"], &reported["name"]), (&company["id"], &"Acme".into()));
    assert!(reported["member_since"].as_str().unwrap().starts_with("20"), "{reported}");
    let again = call(server, "POST", "companies/", &acme);
    assert!(again.is(400).text.contains("custom_id"), "{again:?}");
    let list = call(server, "POST", "lists/", &json!({"name": "Buyers"})).is(201).json();
    let id = list["id"].as_i64().unwrap();
    for _ in 0..2 {
        let added = call(server, "POST", "users/1/add_to_list/", &json!({"list": id}));
        assert_response(&added, 200, TYPE, &format!(r#"{{"id":{id}}}"#));
    }
    let user = get(server, "users/1/").is(200).json();
    assert_eq!(user["lists"], json!([{"id": id, "name": "Buyers", "description": null}]));
    assert_eq!(call(server, "POST", "users/1/add_to_list/", &json!({"list": 999})).status, 400);
    call(server, "POST", "users/1/remove_from_list/", &json!({"list": id})).is(200);
    assert_eq!(call(server, "POST", "users/1/remove_from_list/", &json!({"list": id})).status, 404);
    // Lists are not companies.
    assert_eq!(get(server, &format!("companies/{id}/")).status, 404);
    assert_eq!(call(server, "DELETE", &format!("lists/{id}/"), &Value::Null).status, 204);
    assert_eq!(get(server, &format!("lists/{id}/")).status, 404);
}

fn api_version_is_selected_by_accept_header(server: &TestServer) {
    let with = |accept: &str, method: &str, path: &str, body: Option<&str>| {
        let headers = [JSON, ("accept", accept)];
        send(server, method, &format!("/user_com/api/public/{path}"), "Token $", &headers, body)
    };
    let body = r#"{"email":"a@b.co","custom_id":"7","company_custom_id":"acme","Seats":3}"#;
    let created = with("*/*; version=2", "POST", "users/", Some(body)).is(201).json();
    assert_eq!((&created["custom_id"], &created["Seats"]), (&"7".into(), &3.into()));
    assert_eq!(created["companies"][0]["name"], "acme");
    assert!(created.get("key").is_none() && created.get("attributes").is_none(), "{created}");
    let key = created["user_key"].as_str().unwrap();
    assert!(key.len() == 12 && !key.bytes().any(|byte| byte.is_ascii_uppercase()), "{key}");
    for accept in ["*/*;version=2", " */*; version=2", "application/json; version=\"2\""] {
        assert_eq!(with(accept, "GET", "users-by-id/7/", None).is(200).json(), created, "{accept}");
    }
    for accept in ["*/*", "application/json", "*/*; version=1", ""] {
        assert!(
            with(accept, "GET", "users-by-id/7/", None).is(200).json().get("key").is_some(),
            "{accept}"
        );
    }
    let page = with("*/*; version=2", "GET", "users/", None).is(200).json();
    assert_eq!((page.get("count"), &page["results"]), (None, &json!([created])));
    let none = with("*/*; version=3", "GET", "users/", None);
    assert_response(&none, 406, TYPE, r#"{"detail":"Invalid version in \"Accept\" header."}"#);
}
