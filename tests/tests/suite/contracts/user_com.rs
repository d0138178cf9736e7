//! User.com, version 1: numeric codes in requests and labels in responses, JSON and URL-encoded
//! bodies under either content type, and errors as recorded from the vendor.

use registrar_tests::{TestServer, cases};

use super::{FORM, JSON, assert_alphanumeric, assert_response, masked, post, send};

const PATH: &str = "/user_com/api/public/users/";
const TYPE: &str = "application/json";
const SAMPLE: &str = r#"{"email":"myemail@example.org","first_name":"John","last_name":"Doe"}"#;
const FORM_SAMPLE: &str = "email=mynewemail%40mydomain.com&first_name=John&last_name=Doe";

cases! {
    sample_request_creates_user_with_thirty_five_keys,
    json_and_form_bodies_are_accepted_under_either_content_type,
    numeric_codes_are_accepted_and_labels_returned,
    name_is_derived_from_available_fields,
    duplicate_emails_are_allowed,
    user_is_read_by_numeric_id,
    errors_match_recorded_responses,
    read_only_fields_are_ignored,
    missing_or_invalid_credentials_get_401,
    subdomains_serve_routes_without_mount,
}

fn sample_request_creates_user_with_thirty_five_keys(server: &TestServer) {
    let response = post(server, PATH, "Token $", JSON, SAMPLE);
    assert_response(&response, 201, TYPE, &response.text);
    assert_eq!(response.header("allow"), Some("GET, POST, HEAD, OPTIONS"));
    let body = response.json();
    assert_alphanumeric(&body["key"], 12);
    for key in ["created_at", "updated_at"] {
        let time = body[key].as_str().unwrap();
        assert!(time.len() == 27 && time.ends_with('Z') && &time[10..11] == "T", "{time}");
    }
    assert_eq!(
        masked(&response, &["updated_at", "key", "created_at"]),
        r#"{"updated_at":_,"companies":[],"key":_,"city":null,"linkedin_url":null,"tags":[],"last_contacted":null,"phone_number":null,"facebook_url":null,"notifications":true,"region":null,"timezone":null,"status":"visitor","gravatar_url":null,"twitter_url":null,"google_url":null,"os_type":null,"email":"myemail@example.org","score":0,"unsubscribed":false,"first_seen":null,"page_views":0,"last_ip":null,"chat_id":"Chat ID is deprecated and will be removed in future","browser":null,"gender":"unknown","resolution":null,"country":null,"name":"John Doe","created_at":_,"last_seen":null,"lists":[],"attributes":[],"browser_language":null,"id":1}"#
    );
}

fn json_and_form_bodies_are_accepted_under_either_content_type(server: &TestServer) {
    for (content_type, body) in
        [(JSON, SAMPLE), (FORM, SAMPLE), (JSON, FORM_SAMPLE), (FORM, FORM_SAMPLE)]
    {
        let response = post(server, PATH, "Token $", content_type, body);
        assert_eq!(response.is(201).json()["name"], "John Doe");
    }
    let bodies = post(server, PATH, "Token $", FORM, "gender=2&score=7&unsubscribed=true");
    let body = bodies.is(201).json();
    assert_eq!((&body["gender"], &body["score"]), (&"male".into(), &7.into()));
    assert_eq!(body["unsubscribed"], true);
}

fn numeric_codes_are_accepted_and_labels_returned(server: &TestServer) {
    for (sent, gender) in [("1", "unknown"), ("2", "male"), ("\"2\"", "male"), ("3", "female")] {
        let body = format!(r#"{{"gender":{sent},"status":2}}"#);
        let response = post(server, PATH, "Token $", JSON, &body).is(201).json();
        assert_eq!((&response["gender"], &response["status"]), (&gender.into(), &"user".into()));
    }
}

fn name_is_derived_from_available_fields(server: &TestServer) {
    for (body, name) in [
        (r#"{"email":"specs@example.com","gender":2}"#, r#""name":"specs@example.com""#),
        (r#"{"email":"a@example.com","first_name":"Ann"}"#, r#""name":"Ann""#),
        (r#"{"last_name":"Lee","name":"Mine"}"#, r#""name":"Lee""#),
        (r#"{"first_name":null}"#, r#""name":null"#),
        ("", r#""name":null"#),
    ] {
        let response = post(server, PATH, "Token $", JSON, body);
        assert!(response.is(201).text.contains(name), "{body}: {response:?}");
    }
}

fn duplicate_emails_are_allowed(server: &TestServer) {
    for _ in 0..2 {
        post(server, PATH, "Token $", JSON, SAMPLE).is(201);
    }
    assert_eq!(server.client().count(), 2);
}

fn user_is_read_by_numeric_id(server: &TestServer) {
    let created = post(server, PATH, "Token $", JSON, SAMPLE);
    let get = |path: &str| send(server, "GET", path, "Token $", &[], None);
    assert_response(&get(&format!("{PATH}1/")), 200, TYPE, &created.text);
    for id in ["2", "x", "0", "99999999999999999999"] {
        assert_response(&get(&format!("{PATH}{id}/")), 404, TYPE, r#"{"detail":"Not found."}"#);
    }
    // As recorded: a path without a trailing slash has no route and responds with HTML.
    let bare = get(&format!("{PATH}1"));
    assert_eq!((bare.status, bare.header("content-type")), (404, Some("text/html; charset=utf-8")));
}

fn errors_match_recorded_responses(server: &TestServer) {
    let long = "x".repeat(41);
    let too_long = format!(r#"{{"first_name":"{long}"}}"#);
    for (body, errors) in [
        (r#"{"gender":"invalid"}"#, r#"{"gender":["\"invalid\" is not a valid choice."]}"#),
        (r#"{"gender":"male"}"#, r#"{"gender":["\"male\" is not a valid choice."]}"#),
        (r#"{"gender":7}"#, r#"{"gender":["\"7\" is not a valid choice."]}"#),
        (r#"{"gender":null}"#, r#"{"gender":["This field may not be null."]}"#),
        (&too_long, r#"{"first_name":["Ensure this field has no more than 40 characters."]}"#),
        (
            r#"{"email":"x","score":"many","notifications":"maybe","google_url":"x"}"#,
            r#"{"email":["Enter a valid email address."],"google_url":["Enter a valid URL."],"notifications":["Must be a valid boolean."],"score":["A valid integer is required."]}"#,
        ),
        ("[]", r#"{"non_field_errors":["Invalid data. Expected a dictionary, but got list."]}"#),
    ] {
        let text = format!(r#"{{"errors":{errors}}}"#);
        assert_response(&post(server, PATH, "Token $", JSON, body), 400, TYPE, &text);
    }
    assert_eq!(post(server, PATH, "Token $", JSON, r#"{"gender":"invalid"}"#).text.len(), 60);
    assert_response(
        &post(server, PATH, "Token $", JSON, r#"{"a":}"#),
        400,
        TYPE,
        r#"{"detail":"JSON parse error - Expecting value: line 1 column 6 (char 5)"}"#,
    );
    assert_response(
        &post(server, PATH, "Token $", ("content-type", "text/plain"), "hello"),
        415,
        TYPE,
        r#"{"detail":"Unsupported media type \"text/plain\" in request."}"#,
    );
    let put = send(server, "PUT", PATH, "Token $", &[JSON], Some(SAMPLE));
    assert_response(&put, 405, TYPE, r#"{"detail":"Method \"PUT\" not allowed."}"#);
    assert_eq!(server.client().count(), 0);
}

fn read_only_fields_are_ignored(server: &TestServer) {
    let body = r#"{"id":7,"key":"x","first_seen":"0001-01-01T00:00:00Z","last_seen":"0001-01-01T00:00:00Z","page_views":9,"properties":{"city":"Oslo"},"password":"secret1","featured":true,"Verified Member":1}"#;
    let response = post(server, PATH, "Token $", JSON, body).is(201).json();
    assert_eq!((&response["id"], &response["page_views"]), (&1.into(), &0.into()));
    assert!(response["city"].is_null() && response["first_seen"].is_null());
    assert_eq!(server.client().user(1)["featured"], false);
}

fn missing_or_invalid_credentials_get_401(server: &TestServer) {
    for header in ["", "Bearer $", "$"] {
        let response = post(server, PATH, header, JSON, SAMPLE);
        let missing = r#"{"detail":"Authentication credentials were not provided."}"#;
        assert_response(&response, 401, TYPE, missing);
        assert_eq!(response.header("www-authenticate"), Some("Token"));
    }
    for header in ["Token x", "Token"] {
        let response = post(server, PATH, header, JSON, SAMPLE);
        assert_response(&response, 401, TYPE, r#"{"detail":"Invalid token."}"#);
    }
}

fn subdomains_serve_routes_without_mount(server: &TestServer) {
    for host in ["acme.user.com", "ACME.user.com:443"] {
        let headers = [("host", host), JSON];
        send(server, "POST", "/api/public/users/", "Token $", &headers, Some(SAMPLE)).is(201);
    }
    let headers = [("host", "user.com"), JSON];
    let response = send(server, "POST", "/api/public/users/", "Token $", &headers, Some(SAMPLE));
    response.rejected(404, "base", "not_found");
}
