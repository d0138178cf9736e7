//! eContext: Basic authentication of stored users, a single error in a fixed order, JSON in
//! Python's notation, and nested objects in full.

use registrar_tests::{TestResponse, TestServer, cases};
use serde_json::Value;

use super::{FORM, JSON, mask_everywhere, send};

const PATH: &str = "/econtext/api/users/user";
const TYPE: &str = "application/json; charset=UTF-8";
const UNAUTHENTICATED_BODY: &str =
    r#"{"error": {"description": "Authentication required", "title": "401 Unauthorized"}}"#;

cases! {
    sample_request_creates_user_in_vendor_envelope,
    single_error_follows_vendor_order,
    unauthenticated_requests_get_vendor_401,
    user_is_read_updated_and_deleted_after_disabling,
    applications_and_groups_are_created_joined_and_left,
    applications_are_listed_with_limit_and_offset,
    api_key_secret_is_shown_once,
    authenticate_verifies_credentials,
    users_are_listed_and_searched,
}

fn call(server: &TestServer, who: &str, method: &str, path: &str, body: &str) -> TestResponse {
    let body = (!body.is_empty()).then_some(body);
    send(server, method, &format!("/econtext/api/{path}"), who, &[JSON], body)
}

fn operator_authorization(server: &TestServer) -> String {
    server.new_authorization("econtext", "ops@info.com", &[])
}

/// Returns the body with varying values masked.
#[track_caller]
fn masked_body(response: &TestResponse, status: u16) -> String {
    assert_eq!(
        (response.status, response.header("content-type")),
        (status, Some(TYPE)),
        "{response:?}"
    );
    assert!(response.text.contains("\"elapsed\": 0."), "{response:?}");
    mask_everywhere(&response.text, &["elapsed", "id", "created_at", "modified_at", "href"])
}

fn error_body(status: &str, traceback: &str, error: &str) -> String {
    let code = &status[..3];
    format!(
        r#"{{"econtext": {{"status": "{status}", "traceback": "{traceback}", "elapsed": _, "errorcode": "{code}", "result": {{}}, "error": "{error}"}}}}"#
    )
}

fn sample_request_creates_user_in_vendor_envelope(server: &TestServer) {
    let who = operator_authorization(server);
    let application =
        call(server, &who, "POST", "applications/application", r#"{"name":"Search"}"#);
    let id = application.json()["econtext"]["result"]["application"]["id"].clone();
    let body = format!(
        r#"{{"email":" User@Example.com ","password":"secret-word","name":"Jo \u00dc","applications":[{id}],"custom_data":{{"a":[1,"x"]}},"unknown":1}}"#
    );
    let response = call(server, &who, "POST", "users/user", &body);
    assert_eq!(
        masked_body(&response, 200),
        r#"{"econtext": {"result": {"user": {"username": " User@Example.com ", "status": "UNVERIFIED", "applications": [{"status": "DISABLED", "href": _, "name": "Search", "custom_data": null, "created_at": _, "modified_at": _, "id": _, "description": null}], "href": _, "groups": [], "apikeys": [], "id": _, "name": "Jo \u00dc", "created_at": _, "modified_at": _, "custom_data": {"a": [1, "x"]}, "email": "user@example.com"}}, "elapsed": _}}"#
    );
    let user = &response.json()["econtext"]["result"]["user"];
    let id = user["id"].as_str().unwrap();
    assert!(id.len() == 36 && id.as_bytes()[14] == b'4', "{id}");
    assert!(user["href"].as_str().unwrap().ends_with(&format!("{PATH}/{id}")), "{user}");
    let time = user["created_at"].as_str().unwrap();
    assert!(time.len() == 32 && time.ends_with("000+00:00") && &time[10..11] == " ", "{time}");
    // An empty object and non-objects are stored as no custom data.
    for (number, custom) in ["{}", "[1]", "\"x\"", "null", "7"].into_iter().enumerate() {
        let body = format!(
            r#"{{"email":"u{number}@x.co","password":"secret-word","applications":[],"custom_data":{custom}}}"#
        );
        let user = call(server, &who, "POST", "users/user", &body).is(200).json();
        assert!(user["econtext"]["result"]["user"]["custom_data"].is_null(), "{custom}");
    }
}

fn single_error_follows_vendor_order(server: &TestServer) {
    let who = operator_authorization(server);
    let unknown = "f260f115-f2e6-4dde-bcab-98b10fdb8cf6";
    let missing =
        |name: &str| (format!("The \\\"{name}\\\" parameter is required."), "Missing parameter");
    let invalid = |name: &str, what: &str| {
        (format!("The \\\"{name}\\\" parameter is invalid. {what}"), "Invalid parameter")
    };
    let taken = invalid("email", "A user with that email address already exists");
    let short = invalid("password", "Password must be at least 7 characters long");
    let cases = [
        (String::from("{}"), missing("email")),
        (r#"{"email":null,"password":"x"}"#.into(), missing("email")),
        (r#"{"email":"ops@info.com"}"#.into(), missing("password")),
        (r#"{"email":"ops@info.com","password":"short"}"#.into(), missing("applications")),
        // Uniqueness is reported before later checks.
        (r#"{"email":"OPS@info.com","password":"short","applications":[]}"#.into(), taken.clone()),
        (r#"{"email":"ops@info.com","password":"secret-word","applications":[]}"#.into(), taken),
        (
            r#"{"email":"ops","password":"short","applications":[]}"#.into(),
            invalid("email", "Invalid email address"),
        ),
        (r#"{"email":"a@b.co","password":"123456","applications":"x"}"#.into(), short),
        (
            r#"{"email":"a@b.co","password":"1234567","applications":"x"}"#.into(),
            invalid("applications", "Expecting a list of application ids"),
        ),
        (
            format!(
                r#"{{"email":"a@b.co","password":"1234567","applications":["{unknown}"],"groups":7}}"#
            ),
            invalid("applications", &format!("Couldn't find application {unknown}")),
        ),
        (
            r#"{"email":"a@b.co","password":"1234567","applications":[],"groups":{}}"#.into(),
            invalid("groups", "Expecting a list of group ids"),
        ),
        (
            r#"{"email":"a@b.co","password":"1234567","applications":[],"groups":["x"]}"#.into(),
            invalid("groups", "Couldn't find group x"),
        ),
    ];
    for (body, (traceback, what)) in cases {
        let response = call(server, &who, "POST", "users/user", &body);
        assert_eq!(
            masked_body(&response, 400),
            error_body("400 Bad Request", &traceback, what),
            "{body}"
        );
    }
    assert_eq!(server.client().count(), 1);
    let mine = r#"{"email":"a@b.co","password":"1234567","applications":[],"id":"mine"}"#;
    call(server, &who, "POST", "users/user", mine).is(200);
    let again = call(server, &who, "POST", "users/user", &mine.replace("a@b", "b@b"));
    let (traceback, what) = invalid("id", "A User with that id already exists");
    assert_eq!(masked_body(&again, 400), error_body("400 Bad Request", &traceback, what));
    // Ids that are in use are rejected, whoever owns them.
    let user = call(server, &who, "GET", "users?limit=1", "").json();
    let id = user["econtext"]["result"]["users"][0]["id"].clone();
    let body = format!(r#"{{"email":"z@b.co","password":"1234567","applications":[],"id":{id}}}"#);
    let (traceback, what) = invalid("id", "A User with that id already exists");
    let response = call(server, &who, "POST", "users/user", &body);
    assert_eq!(masked_body(&response, 400), error_body("400 Bad Request", &traceback, what));
    let unread =
        error_body("400 Bad Request", "The body is not a JSON object", "Invalid parameter");
    for (content_type, body) in [(JSON, "{"), (JSON, "[]"), (FORM, "email=x"), (JSON, " ")] {
        let response = send(server, "POST", PATH, &who, &[content_type], Some(body));
        assert_eq!(masked_body(&response, 400), unread, "{body}");
    }
}

fn unauthenticated_requests_get_vendor_401(server: &TestServer) {
    let who = operator_authorization(server);
    let body = r#"{"email":"a@b.co","password":"secret-word","applications":[]}"#;
    call(server, &who, "POST", "users/user", body).is(200);
    let encoded = |pair: &str| {
        let scheme = registrar_contracts::Scheme::Basic;
        let (name, password) = pair.split_once(':').unwrap();
        scheme.header(name, password)
    };
    let wrong = [
        String::new(),
        "Bearer x".into(),
        "Basic".into(),
        "Basic !".into(),
        encoded("ops@info.com:wrong"),
        encoded("nobody@info.com:wrong"),
        encoded("ops@info.com:"),
        // A stored user with the right password that belongs to no system.
        encoded("a@b.co:secret-word"),
    ];
    for header in wrong {
        // Five consecutive wrong passwords are free of delay.
        let paths = if header.len() > 12 { 2 } else { 3 };
        for path in ["users/user", "nowhere", "users/user/mine"].into_iter().take(paths) {
            let response = call(server, &header, "GET", path, "");
            assert_eq!(
                (response.status, response.text.as_str()),
                (401, UNAUTHENTICATED_BODY),
                "{header} {path}"
            );
            let challenge = Some(r#"Basic realm="eContext Authentication""#);
            assert_eq!(response.header("www-authenticate"), challenge);
        }
    }
    // An API token is not accepted as a user's credential.
    assert_eq!(call(server, "Token $", "GET", "users", "").status, 401);
    let ping = call(server, "", "GET", "ping", "");
    assert_eq!(
        masked_body(&ping, 200),
        r#"{"econtext": {"result": {"ping": "pong"}, "elapsed": _}}"#
    );
    let nowhere = call(server, &who, "GET", "nowhere", "");
    assert_eq!(
        (nowhere.status, nowhere.text.as_str(), nowhere.header("content-type")),
        (404, "", None)
    );
    let put = call(server, &who, "PATCH", "users/user", "{}");
    assert_eq!(masked_body(&put, 405), r#"{"econtext": {"result": null, "elapsed": _}}"#);
    assert_eq!(put.header("allow"), Some("POST"));
}

fn user_is_read_updated_and_deleted_after_disabling(server: &TestServer) {
    let who = operator_authorization(server);
    let body = r#"{"email":"a@b.co","password":"secret-word","applications":[],"username":"ann"}"#;
    let created = call(server, &who, "POST", "users/user", body).is(200).json();
    let id = created["econtext"]["result"]["user"]["id"].as_str().unwrap();
    let path = format!("users/user/{id}");
    let found = call(server, &who, "GET", &path, "").is(200).json();
    assert_eq!(found["econtext"]["result"], created["econtext"]["result"]);
    let gone = error_body(
        "400 Bad Request",
        r#"The \"userid\" parameter is invalid. User not found"#,
        "Invalid parameter",
    );
    for other in ["x", "1", &id.replace('-', ""), "f260f115-f2e6-4dde-bcab-98b10fdb8cf6"] {
        for (method, body) in [("GET", ""), ("PUT", "{}"), ("DELETE", "")] {
            let response = call(server, &who, method, &format!("users/user/{other}"), body);
            assert_eq!(masked_body(&response, 400), gone, "{method} {other}");
        }
    }
    // The user's own address is not a conflict; the sign-in name is immutable.
    let body = r#"{"email":"A@b.co","name":"Ann","username":"other","id":"other"}"#;
    let changed = call(server, &who, "PUT", &path, body).is(200).json();
    let user = &changed["econtext"]["result"]["user"];
    assert_eq!(
        (&user["name"], &user["username"], &user["id"]),
        (&"Ann".into(), &"ann".into(), &id.into())
    );
    let response = call(server, &who, "PUT", &path, r#"{"email":"ops@info.com"}"#);
    assert!(response.is(400).text.contains("A user with that email address already exists"));
    let conflict = error_body(
        "409 Conflict",
        "User must be disabled before deletion is possible",
        "409 Conflict",
    );
    assert_eq!(masked_body(&call(server, &who, "DELETE", &path, ""), 409), conflict);
    call(server, &who, "PUT", &path, r#"{"status":"DISABLED"}"#).is(200);
    assert_eq!(
        masked_body(&call(server, &who, "DELETE", &path, ""), 200),
        r#"{"econtext": {"result": {"deleted": true}, "elapsed": _}}"#
    );
    assert_eq!(masked_body(&call(server, &who, "GET", &path, ""), 400), gone);
}

fn applications_and_groups_are_created_joined_and_left(server: &TestServer) {
    let who = operator_authorization(server);
    let made = |kind: &str, body: &str| {
        let response = call(server, &who, "POST", &format!("{kind}s/{kind}"), body).is(200).json();
        response["econtext"]["result"][kind]["id"].as_str().unwrap().to_owned()
    };
    let one = made("application", r#"{"name":"One"}"#);
    let two = made("application", r#"{"name":"Two","custom_data":{"a":1}}"#);
    let group = made("group", &format!(r#"{{"name":"Writers","application":"{one}"}}"#));
    let body = format!(
        r#"{{"email":"a@b.co","password":"secret-word","applications":["{one}"],"id":"a"}}"#
    );
    call(server, &who, "POST", "users/user", &body).is(200);
    let path = |more: &str| format!("users/user/a/{more}");
    let joined = r#"{"econtext": {"result": {"application": true}, "elapsed": _}}"#;
    // Adding twice has the effect of adding once.
    for _ in 0..2 {
        let response = call(server, &who, "POST", &path(&format!("application/{two}")), "");
        assert_eq!(masked_body(&response, 200), joined);
    }
    let response = call(server, &who, "POST", &path(&format!("group/{group}")), "{}");
    assert_eq!(
        masked_body(&response, 200),
        r#"{"econtext": {"result": {"group": true}, "elapsed": _}}"#
    );
    let nobody = call(server, &who, "POST", &path("application/x"), "");
    assert!(nobody.is(400).text.contains("Couldn't find application x"));
    let user =
        call(server, &who, "GET", "users/user/a", "").json()["econtext"]["result"]["user"].clone();
    let names = |of: &str| -> Vec<String> {
        let all = user[of].as_array().unwrap().iter();
        all.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        (names("applications"), names("groups")),
        (vec!["One".into(), "Two".into()], vec!["Writers".into()])
    );
    assert_eq!(user["groups"][0]["application"], one.as_str());
    assert_eq!(
        masked_body(&call(server, &who, "DELETE", &path(&format!("application/{one}")), ""), 200),
        joined
    );
    let last = call(server, &who, "DELETE", &path(&format!("application/{two}")), "");
    let what = "A User must be associated with at least one Application";
    assert_eq!(masked_body(&last, 409), error_body("409 Conflict", what, "409 Conflict"));
    call(server, &who, "DELETE", &path(&format!("group/{group}")), "").is(200);
    // Groups are not applications.
    let response = call(server, &who, "GET", &format!("applications/application/{group}"), "");
    assert!(response.is(400).text.contains("Application not found"));
    let path = format!("applications/application/{two}");
    call(server, &who, "PUT", &path, r#"{"status":"ENABLED"}"#).is(200);
    assert!(call(server, &who, "DELETE", &path, "").is(409).text.contains("must be disabled"));
    call(server, &who, "PUT", &path, r#"{"status":"DISABLED"}"#).is(200);
    call(server, &who, "DELETE", &path, "").is(200);
    assert_eq!(call(server, &who, "GET", &path, "").status, 400);
}

fn applications_are_listed_with_limit_and_offset(server: &TestServer) {
    let who = operator_authorization(server);
    for name in ["One", "Two", "Three"] {
        let body = format!(r#"{{"name":"{name}"}}"#);
        call(server, &who, "POST", "applications/application", &body).is(200);
    }
    let list = |query: &str| -> Vec<Value> {
        let response =
            call(server, &who, "GET", &format!("applications{query}"), "").is(200).json();
        let all = response["econtext"]["result"]["applications"].as_array().unwrap().clone();
        all.into_iter().map(|one| one["name"].clone()).collect()
    };
    let all = list("");
    assert_eq!(all[all.len() - 3..], ["One", "Two", "Three"]);
    assert_eq!(list("?limit=2&offset=1"), all[1..3]);
    assert_eq!(list(&format!("?limit=2&offset={}", all.len() - 1)), ["Three"]);
    assert_eq!(list(&format!("?limit=1&offset={}", u32::MAX)), [""; 0]);
}

fn api_key_secret_is_shown_once(server: &TestServer) {
    let who = operator_authorization(server);
    let body = r#"{"email":"a@b.co","password":"secret-word","applications":[],"id":"a"}"#;
    call(server, &who, "POST", "users/user", body).is(200);
    // Responses with secrets must not be stored for replay.
    let keyed = [JSON, ("idempotency-key", "k")];
    let (path, body) = ("/econtext/api/users/user/a/apikey", r#"{"name":"ci"}"#);
    let refused = send(server, "POST", path, &who, &keyed, Some(body));
    assert_eq!(refused.status, 400, "{refused:?}");
    assert_eq!(server.database().count("idempotency_records"), 0);
    assert_eq!(server.database().count("audit_events WHERE kind = 'customization'"), 0);
    let made = call(server, &who, "POST", "users/user/a/apikey", body).is(200).json();
    let key = &made["econtext"]["result"]["apikey"];
    let (id, secret) = (key["id"].as_str().unwrap(), key["secret"].as_str().unwrap());
    assert!(id.len() == 25 && id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()));
    let path = format!("users/user/a/apikey/{id}");
    let shown = call(server, &who, "GET", &path, "");
    shown.is(200);
    assert!(!shown.text.contains(secret) && !shown.text.contains("secret"), "{shown:?}");
    let user = call(server, &who, "GET", "users/user/a", "");
    user.is(200);
    assert!(user.text.contains(id) && !user.text.contains(secret), "{user:?}");
    let changed = call(server, &who, "PUT", &path, r#"{"status":"DISABLED","secret":"x"}"#);
    changed.is(200);
    assert_eq!(changed.json()["econtext"]["result"]["apikey"]["status"], "DISABLED");
    // Keys belong to a single user.
    let other = call(server, &who, "GET", &path.replace("/a/", "/b/"), "");
    assert!(other.is(400).text.contains("not found"));
    call(server, &who, "DELETE", &path, "").is(200);
    assert!(call(server, &who, "GET", &path, "").is(400).text.contains("Apikey not found"));
}

fn authenticate_verifies_credentials(server: &TestServer) {
    let who = operator_authorization(server);
    let body = r#"{"email":"a@b.co","password":"secret-word","applications":[],"username":"ann"}"#;
    call(server, &who, "POST", "users/user", body).is(200);
    for (name, password, is_it) in [
        ("ann", "secret-word", true),
        ("ann", "other-word", false),
        ("a@b.co", "secret-word", false),
    ] {
        let body = format!(
            r#"{{"type":"username","credential":{{"username":"{name}","password":"{password}"}}}}"#
        );
        let response = call(server, &who, "POST", "authenticate", &body);
        let expected =
            format!(r#"{{"econtext": {{"result": {{"authenticated": {is_it}}}, "elapsed": _}}}}"#);
        assert_eq!(masked_body(&response, 200), expected, "{name}");
    }
}

fn users_are_listed_and_searched(server: &TestServer) {
    let who = operator_authorization(server);
    for number in 0..3 {
        let body =
            format!(r#"{{"email":"u{number}@x.co","password":"secret-word","applications":[]}}"#);
        call(server, &who, "POST", "users/user", &body).is(200);
    }
    let native = serde_json::json!({"email": "n@x.co", "password": "secret1", "first_name": "N"});
    server.client().submit("reference_rest_api_create_user", &native).is(201);
    let emails = |query: &str| -> Vec<String> {
        let response = call(server, &who, "GET", &format!("users{query}"), "").is(200).json();
        let users = response["econtext"]["result"]["users"].as_array().unwrap().clone();
        users.iter().map(|user| user["email"].as_str().unwrap().to_owned()).collect()
    };
    // Users of other contracts are not listed.
    assert_eq!(emails(""), ["ops@info.com", "u0@x.co", "u1@x.co", "u2@x.co"]);
    assert_eq!(emails("?limit=2&offset=1"), ["u0@x.co", "u1@x.co"]);
    assert_eq!(emails("/search/U1@x.co"), ["u1@x.co"]);
    let minimal = call(server, &who, "GET", "users?minimal=1", "");
    minimal.is(200);
    assert!(!minimal.text.contains("applications"), "{minimal:?}");
}
