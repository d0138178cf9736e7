//! Pagination, updates and deletion of users through the contracts of 50skills and User.com.

use registrar_tests::{TestServer, cases};
use serde_json::{Value, json};

use super::{JSON, assert_response, post, send};

const FIFTY: &str = "/50skills/v1/users/";
const TYPE: &str = "application/json";

cases! {
    pages_link_to_next_and_previous,
    invalid_page_gets_404,
    patch_updates_submitted_fields_only,
    delete_removes_user_and_frees_email,
    users_of_other_contracts_are_not_listed,
}

fn create(server: &TestServer, email: &str) -> Value {
    let body = format!(r#"{{"name":"A","email":"{email}"}}"#);
    post(server, FIFTY, "Bearer $", JSON, &body).is(201).json()
}

fn get(server: &TestServer, path: &str) -> registrar_tests::TestResponse {
    send(server, "GET", path, "Bearer $", &[], None)
}

fn pages_link_to_next_and_previous(server: &TestServer) {
    let users: Vec<Value> = (0..3).map(|n| create(server, &format!("u{n}@b.co"))).collect();
    let first = get(server, &format!("{FIFTY}?page_size=2")).is(200).json();
    assert_eq!((&first["count"], &first["previous"]), (&3.into(), &Value::Null));
    assert_eq!(first["results"], json!(users[..2]));
    let keys: Vec<&String> = first.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["count", "next", "previous", "results"]);
    let next = first["next"].as_str().unwrap();
    assert!(next.starts_with("http://") && next.contains("page_size=2&page=2"), "{next}");
    let path = &next[next.find(FIFTY).unwrap()..];
    let second = get(server, path).is(200).json();
    assert_eq!((&second["next"], &second["results"]), (&Value::Null, &json!(users[2..])));
    assert!(second["previous"].as_str().unwrap().ends_with("page_size=2&page=1"), "{second}");
    let beyond = get(server, &format!("{FIFTY}?page=9")).is(200).json();
    assert_eq!((&beyond["count"], &beyond["results"]), (&3.into(), &json!([])));
}

fn invalid_page_gets_404(server: &TestServer) {
    for query in ["page=0", "page=x", "page=-1", "page=99999999999", "page_size=x"] {
        let response = get(server, &format!("{FIFTY}?{query}"));
        assert_response(&response, 404, TYPE, r#"{"detail":"Not found."}"#);
    }
    // Larger page sizes are clamped to the maximum.
    get(server, &format!("{FIFTY}?page_size=100000")).is(200);
}

fn patch_updates_submitted_fields_only(server: &TestServer) {
    let user = create(server, "a@b.co");
    create(server, "b@b.co");
    let path = format!("{FIFTY}{}", user["id"].as_str().unwrap());
    let patch = |body: &str| send(server, "PATCH", &path, "Bearer $", &[JSON], Some(body));
    let changed =
        patch(r#"{"isActive":false,"phone":"+441234567890","role":"admin"}"#).is(200).json();
    let mut expected = user.clone();
    expected["isActive"] = false.into();
    expected["phone"] = "+441234567890".into();
    expected["role"] = "admin".into();
    assert_eq!(changed, expected);
    let taken = patch(r#"{"email":"B@b.co","name":""}"#);
    assert_response(&taken, 400, TYPE, r#"{"name":["This field may not be blank."]}"#);
    let taken = patch(r#"{"email":"B@b.co"}"#);
    assert_response(&taken, 400, TYPE, r#"{"email":["user with this email already exists."]}"#);
    assert_eq!(get(server, &path).is(200).json(), expected);
    let gone = send(server, "PATCH", &format!("{FIFTY}zzzzzzzz"), "Bearer $", &[JSON], Some("{}"));
    assert_response(&gone, 404, TYPE, r#"{"detail":"Not found."}"#);
}

fn delete_removes_user_and_frees_email(server: &TestServer) {
    let user = create(server, "a@b.co");
    let path = format!("{FIFTY}{}/", user["id"].as_str().unwrap());
    let delete = || send(server, "DELETE", &path, "Bearer $", &[], None);
    let response = delete();
    assert_eq!((response.status, response.text.as_str()), (204, ""));
    assert_eq!(delete().status, 404);
    assert_eq!(server.client().count(), 0);
    // The address is available again.
    create(server, "a@b.co");
}

fn users_of_other_contracts_are_not_listed(server: &TestServer) {
    create(server, "a@b.co");
    let native = json!({"email": "n@b.co", "password": "secret1", "first_name": "N"});
    server.client().submit("reference_rest_api_create_user", &native).is(201);
    assert_eq!(get(server, FIFTY).is(200).json()["count"], 1);
    assert_eq!(server.client().count(), 2);
}
