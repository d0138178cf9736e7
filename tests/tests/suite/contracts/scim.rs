//! SCIM 2.0 (RFC 7643 and RFC 7644): the contract of the tutorial.

use registrar_tests::{TestResponse, TestServer, cases};
use serde_json::{Value, json};

use super::{assert_response, mask_everywhere, send};

const PATH: &str = "/scim/v2/Users";
const TYPE: &str = "application/scim+json";
const CONTENT_TYPE: (&str, &str) = ("content-type", TYPE);

cases! {
    user_is_created_with_all_attributes,
    duplicate_user_name_gets_409,
    errors_have_scim_format,
    users_are_read_filtered_replaced_and_deleted,
}

fn call(server: &TestServer, method: &str, path: &str, body: &str) -> TestResponse {
    let body = (!body.is_empty()).then_some(body);
    send(server, method, &format!("{PATH}{path}"), "Bearer $", &[CONTENT_TYPE], body)
}

/// The served subset of the example in RFC 7643, section 8.2.
fn example() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": "2819c223-7f76-453a-919d-413861904646",
        "externalId": "701984",
        "userName": "bjensen@example.com",
        "name": {"formatted": "Ms. Barbara J Jensen, III", "familyName": "Jensen", "givenName": "Barbara"},
        "displayName": "Babs Jensen",
        "emails": [{"value": "bjensen@example.com", "type": "work", "primary": true}, {"value": "babs@jensen.org"}],
        "phoneNumbers": [{"value": "555-555-5555", "type": "work"}],
        "title": "Tour Guide",
        "preferredLanguage": "en-US",
        "timezone": "America/Los_Angeles",
        "active": true,
        "password": "t1meMa$heen",
    })
}

fn user_is_created_with_all_attributes(server: &TestServer) {
    let response = call(server, "POST", "", &example().to_string());
    assert_eq!(
        (response.status, response.header("content-type")),
        (201, Some(TYPE)),
        "{response:?}"
    );
    assert_eq!(
        mask_everywhere(&response.text, &["id", "created", "lastModified", "location"]),
        r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":_,"externalId":"701984","userName":"bjensen@example.com","name":{"formatted":"Ms. Barbara J Jensen, III","givenName":"Barbara","familyName":"Jensen"},"title":"Tour Guide","preferredLanguage":"en-US","timezone":"America/Los_Angeles","active":true,"emails":[{"value":"bjensen@example.com","primary":true}],"phoneNumbers":[{"value":"555-555-5555"}],"meta":{"resourceType":"User","created":_,"lastModified":_,"location":_}}"#
    );
    let body = response.json();
    let location = response.header("location").unwrap();
    assert!(location.ends_with(&format!("{PATH}/{}", body["id"].as_str().unwrap())), "{location}");
    assert_eq!(body["meta"]["location"], location);
    // Absent attributes are omitted.
    let least = call(server, "POST", "", r#"{"userName":"least"}"#);
    least.is(201);
    assert_eq!(
        mask_everywhere(&least.text, &["id", "created", "lastModified", "location"]),
        r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":_,"userName":"least","active":true,"meta":{"resourceType":"User","created":_,"lastModified":_,"location":_}}"#
    );
}

fn duplicate_user_name_gets_409(server: &TestServer) {
    call(server, "POST", "", r#"{"userName":"bjensen"}"#).is(201);
    assert_response(
        &call(server, "POST", "", r#"{"userName":"BJensen"}"#),
        409,
        TYPE,
        r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"scimType":"uniqueness","detail":"userName is already in use","status":"409"}"#,
    );
    assert_eq!(server.client().count(), 1);
}

fn errors_have_scim_format(server: &TestServer) {
    let error = |what: &str, detail: &str| {
        format!(
            r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"scimType":"{what}","detail":"{detail}","status":"400"}}"#
        )
    };
    for (body, text) in [
        ("{}", error("invalidValue", "userName is required")),
        (r#"{"userName":" "}"#, error("invalidValue", "userName is required")),
        (
            r#"{"userName":"a","emails":[{"value":"a"}]}"#,
            error("invalidValue", "emails.0.value is not valid"),
        ),
        (r#"{"userName":"a","active":"perhaps"}"#, error("invalidValue", "active must be boolean")),
        (
            r#"{"userName":"a","emails":"a"}"#,
            error("invalidValue", "emails.0.value must be string"),
        ),
        (r#"{"userName":"a","emails":{}}"#, error("invalidValue", "emails.0.value must be string")),
        (r#"{"userName":"a","name":[]}"#, error("invalidValue", "name.formatted must be string")),
        ("[]", error("invalidSyntax", "The body is not a JSON object")),
        ("{", error("invalidSyntax", "The body is not a JSON object")),
    ] {
        assert_response(&call(server, "POST", "", body), 400, TYPE, &text);
    }
    let plain = |status: u16, detail: &str| {
        format!(
            r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"detail":"{detail}","status":"{status}"}}"#
        )
    };
    assert_response(&call(server, "GET", "/nobody", ""), 404, TYPE, &plain(404, "Not Found"));
    assert_response(&call(server, "PATCH", "", "{}"), 405, TYPE, &plain(405, "Method Not Allowed"));
    let stranger = send(server, "POST", PATH, "", &[CONTENT_TYPE], Some("{}"));
    assert_response(&stranger, 401, TYPE, &plain(401, "Unauthorized"));
    assert_eq!(server.client().count(), 0);
}

fn users_are_read_filtered_replaced_and_deleted(server: &TestServer) {
    let id = call(server, "POST", "", &example().to_string()).json()["id"].clone();
    let path = format!("/{}", id.as_str().unwrap());
    let found = call(server, "GET", &path, "").is(200).json();
    let list = |query: &str| call(server, "GET", query, "").is(200).json();
    let one = list("?filter=userName%20eq%20%22BJENSEN%40example.com%22");
    assert_eq!((&one["totalResults"], &one["Resources"][0]), (&1.into(), &found));
    let none = list("?filter=userName%20eq%20%22nobody%22");
    assert_eq!((&none["totalResults"], &none["Resources"]), (&0.into(), &json!([])));
    let other = call(server, "GET", "?filter=title%20eq%20%22Guide%22", "");
    assert!(other.is(400).text.contains("invalidFilter"));
    let replaced =
        call(server, "PUT", &path, r#"{"userName":"bjensen@example.com","title":"Boss"}"#)
            .is(200)
            .json();
    assert_eq!((&replaced["title"], &replaced["id"]), (&"Boss".into(), &id));
    assert_eq!(call(server, "DELETE", &path, "").status, 204);
    assert_eq!(call(server, "GET", &path, "").status, 404);
}
