//! Invariant 7: logs and errors contain no secrets and no submitted values, at any log level.

use registrar_tests::{Database, Process, Setup, TestResponse, samples};
use serde_json::{Value, json};

/// Canary in every submitted value.
const VALUE_CANARY: &str = "c4n4ry";
/// Canary in every unknown key. Responses may repeat it, logs must not.
const KEY_CANARY: &str = "k3yk4n";

const CHANGE: &str =
    "resource: User\nresource_owner: anyone\nfields: { email: , password: , first_name: }\n";
/// A form whose rule is judged by another crate, which logs numbers at the level TRACE.
const CALL: &str = "resource: User\nfields: { email: , phone: { validation: { phone: true } } }\n";
/// Digits of a submitted telephone number.
const NUMBER_CANARY: &str = "22334455";

#[test]
fn sqlite_info_log_and_errors_contain_no_submitted_values() {
    assert_nothing_leaks(Database::Sqlite, "info");
}

#[test]
fn sqlite_trace_log_contains_no_submitted_values() {
    assert_nothing_leaks(Database::Sqlite, "trace");
}

#[test]
fn postgres_info_log_and_errors_contain_no_submitted_values() {
    assert_nothing_leaks(Database::Postgres, "info");
}

#[test]
fn postgres_trace_log_contains_no_submitted_values() {
    assert_nothing_leaks(Database::Postgres, "trace");
}

fn assert_nothing_leaks(database: Database, level: &str) {
    let Some(setup) = Setup::of(database) else { return };
    let setup = setup.more_forms(&[("change.yml", CHANGE), ("call.yml", CALL)]);
    let server = Process::start(setup.command(&["serve"]).env("RUST_LOG", level));
    let token = server.first_token();
    for response in requests(&server, &token) {
        assert!(response.status < 500, "{response:?}");
        if response.status >= 400 {
            assert!(
                !contains_ignoring_case(&response.text, VALUE_CANARY)
                    && !contains_ignoring_case(&response.text, &token),
                "{response:?}"
            );
            let headers = format!("{:?}", response.headers);
            assert!(
                !contains_ignoring_case(&headers, VALUE_CANARY)
                    && !contains_ignoring_case(&headers, KEY_CANARY)
                    && !contains_ignoring_case(&headers, &token)
            );
        }
    }
    let secrets = exercise_contracts(&setup, &server, &token);
    server.send_sigterm();
    let output = server.wait_for_exit();
    for secret in &secrets {
        assert!(!output.stderr.contains(secret) && !output.stdout.contains(secret), "{secret}");
    }
    for route in ["/scim/v2/Users", "/econtext/api/users/user", "/api/sessions"] {
        assert!(
            output.stderr.contains(&format!(" POST {route} form=")),
            "{route}: {}",
            output.stderr
        );
    }
    assert!(output.stderr.contains("replayed"), "{}", output.stderr);
    assert!(output.stderr.contains("form=client_sign_up status=422"), "{}", output.stderr);
    assert_eq!(output.stderr.contains("TRACE "), level == "trace", "{}", output.stderr);
    for line in output.stderr.lines().chain(output.stdout.lines()) {
        assert!(
            !contains_ignoring_case(line, VALUE_CANARY)
                && !contains_ignoring_case(line, KEY_CANARY),
            "{line}"
        );
        assert!(!line.contains("brisk-harbour-42") && !line.contains(NUMBER_CANARY), "{line}");
    }
    assert!(!output.stderr.contains(&token), "{}", output.stderr);
    assert!(
        !output.stdout.contains(&token),
        "the first token must not be printed: {}",
        output.stdout
    );
}

fn contains_ignoring_case(text: &str, canary: &str) -> bool {
    text.to_lowercase().contains(&canary.to_lowercase())
}

fn requests(server: &Process, token: &str) -> Vec<TestResponse> {
    let client = server.client(token);
    let mut valid = samples::client("one");
    valid["email"] = json!(format!("{VALUE_CANARY}@example.com"));
    valid["name"] = json!(VALUE_CANARY);
    valid["external_id"] = json!(VALUE_CANARY);
    valid[KEY_CANARY] = json!(VALUE_CANARY);
    let mut developer = samples::developer("dev");
    developer["password"] = json!(format!("{VALUE_CANARY}-password"));
    developer["password_confirmation"] = developer["password"].clone();
    let mut responses = vec![
        client.submit("client_sign_up", &valid),
        client.submit("client_sign_up", &valid),
        client.submit("developer_sign_up", &developer),
        client.submit("call", &json!({"phone": format!("+47{NUMBER_CANARY}")})),
        client.submit("call", &json!({"phone": format!("+4{NUMBER_CANARY}")})),
        client.get("/api/users/1"),
        client.get(&format!("/api/users?email={VALUE_CANARY}%40example.com")),
    ];
    for response in &responses {
        assert!(matches!(response.status, 200 | 201 | 422), "{response:?}");
    }
    for form in ["client_sign_up", "developer_sign_up", "marketplace_seller"] {
        responses.push(client.submit(form, &poisoned_submission(form)));
    }
    let change = |form: Value| client.update(2, "change", &form);
    responses.extend([
        change(json!({ "first_name": VALUE_CANARY, "password": format!("{VALUE_CANARY}-other") })),
        change(json!({ "first_name": VALUE_CANARY, "email": format!("{VALUE_CANARY}@example.com") })),
        change(json!({ "first_name": [VALUE_CANARY], "password": VALUE_CANARY, KEY_CANARY: VALUE_CANARY })),
    ]);
    let json = [("content-type", "application/json")];
    let form = ("content-type", "application/x-www-form-urlencoded");
    let send = |headers: &[(&str, &str)], body: &str| {
        client.send("POST", "/api/users", headers, Some(body.as_bytes()))
    };
    responses.extend([
        send(&json, &format!(r#"{{"form_configuration_name": "{VALUE_CANARY}", "form": {{}}}}"#)),
        send(&json, &format!(r#"{{"{KEY_CANARY}": "{VALUE_CANARY}""#)),
        send(&json, &format!(r#"{{"x": "{VALUE_CANARY}", "x": "{VALUE_CANARY}"}}"#)),
        send(&json, VALUE_CANARY),
        send(
            &[form],
            &format!("form[{KEY_CANARY}]={VALUE_CANARY}&form_configuration_name=client_sign_up"),
        ),
        send(&[form], &format!("form[x]={VALUE_CANARY}&form[x][y]={VALUE_CANARY}")),
        send(&[form], &format!("{{\"{VALUE_CANARY}\"}}")),
        send(&[("content-type", &format!("text/{VALUE_CANARY}"))], VALUE_CANARY),
        send(&[json[0], ("content-encoding", VALUE_CANARY)], VALUE_CANARY),
        send(
            &[
                json[0],
                ("user-agent", VALUE_CANARY),
                ("cookie", VALUE_CANARY),
                ("x-request-id", &format!("{VALUE_CANARY}/1")),
            ],
            "{}",
        ),
        client.get(&format!("/api/users?email={VALUE_CANARY}%00")),
        client.get(&format!("/api/users?{VALUE_CANARY}=1")),
        client.get(&format!("/api/users?page={VALUE_CANARY}")),
        client.get(&format!("/api/users/{VALUE_CANARY}")),
        client.get(&format!("/{VALUE_CANARY}?{VALUE_CANARY}")),
        client.send("DELETE", &format!("/api/users/{VALUE_CANARY}"), &[], None),
    ]);
    for header in [
        format!("Bearer {VALUE_CANARY}"),
        format!("Token token={}", &token[..52]),
        VALUE_CANARY.to_owned(),
    ] {
        responses.push(server.anonymous().with_authorization(&header).get("/api/users"));
    }
    let mut raw = server.connect();
    raw.send(
        format!("GET /{VALUE_CANARY} {VALUE_CANARY}\r\n{VALUE_CANARY}: {VALUE_CANARY}\r\n\r\n")
            .as_bytes(),
    );
    responses.push(raw.read_response());
    responses
}

/// Sends requests to vendors' APIs with the canary in values, keys, passwords, caller names,
/// cookies and `Idempotency-Key`s. Returns further secrets: issued and sent credentials.
fn exercise_contracts(setup: &Setup, server: &Process, token: &str) -> Vec<String> {
    let create = ["token", "create", "ops@info.com", "--contract", "econtext", "--header"];
    let printed = setup.run(&create).success().stdout;
    let basic = printed.trim().rsplit_once(' ').unwrap().1.to_owned();
    // `c4n4ry:c4n4ry` in Base64.
    let canaries = "YzRuNHJ5OmM0bjRyeQ==";
    let mut secrets = vec![basic.clone(), canaries.to_owned()];
    let bearer = format!("Bearer {token}");
    let apis = [
        ("/scim/v2/Users", bearer.clone()),
        ("/garmat/api/users", bearer.clone()),
        ("/50skills/v1/users/", bearer.clone()),
        ("/user_com/api/public/users/", format!("Token {token}")),
        ("/econtext/api/users/user", format!("Basic {basic}")),
    ];
    let (email, password) =
        (format!("{VALUE_CANARY}.o@example.com"), format!("{VALUE_CANARY}-password"));
    let good = json!({
        "userName": email, "email": email, "name": VALUE_CANARY, "first_name": VALUE_CANARY, "last_name": VALUE_CANARY,
        "password": password, "phone": VALUE_CANARY, "role": "customer_admin", "company": VALUE_CANARY,
        "account_id": "f260f115-f2e6-4dde-bcab-98b10fdb8cf6", "custom_data": { KEY_CANARY: VALUE_CANARY },
    });
    let mut bad = good.clone();
    poison(&mut bad);
    let send = |path: &str, who: &str, headers: &[(&str, &str)], body: &str| {
        let client = server.anonymous().with_authorization(who);
        let more = [
            ("content-type", "application/json"),
            ("cookie", VALUE_CANARY),
            ("x-forwarded-for", VALUE_CANARY),
            ("x-forwarded-host", VALUE_CANARY),
            ("referer", VALUE_CANARY),
            ("accept", "application/json"),
        ];
        let headers: Vec<_> = more.iter().chain(headers).copied().collect();
        let response = client.send("POST", path, &headers, Some(body.as_bytes()));
        assert!(response.status < 500, "{path}: {response:?}");
        response
    };
    for (path, who) in apis {
        for body in [good.to_string(), bad.to_string(), VALUE_CANARY.to_owned(), "{".to_owned()] {
            for key in [
                VALUE_CANARY.to_owned(),
                format!("{VALUE_CANARY}-2"),
                format!("no key {VALUE_CANARY}"),
            ] {
                send(path, &who, &[("idempotency-key", &key)], &body);
            }
        }
        for stranger in
            [format!("Basic {canaries}"), format!("Bearer {VALUE_CANARY}"), VALUE_CANARY.to_owned()]
        {
            let reported =
                send(path, &stranger, &[("idempotency-key", VALUE_CANARY)], &good.to_string());
            assert!(
                !contains_ignoring_case(&reported.text, VALUE_CANARY)
                    && !reported.text.contains(canaries),
                "{reported:?}"
            );
        }
        let path = format!("{path}?{VALUE_CANARY}={VALUE_CANARY}&email={VALUE_CANARY}");
        server.anonymous().with_authorization(&who).get(&path);
    }

    // The native API with repeated, reused and invalid keys; and sessions.
    let client = server.client(token);
    let sign_up = |email: &str| {
        let form = json!({ "email": email, "first_name": VALUE_CANARY, "password": password });
        let name = "reference_rest_api_create_user";
        json!({ "form_configuration_name": name, "form": form }).to_string()
    };
    let mine = format!("{VALUE_CANARY}.s@example.com");
    for (key, body, status) in [
        (KEY_CANARY, sign_up(&mine), 201),
        (KEY_CANARY, sign_up(&mine), 201),
        (KEY_CANARY, sign_up(&email), 422),
        ("no key c4n4ry", sign_up(&email), 400),
    ] {
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        client.send("POST", "/api/users", &headers, Some(body.as_bytes())).is(status);
    }
    for (password, status) in [(password.as_str(), 201), (VALUE_CANARY, 422)] {
        let form = json!({ "email": mine, "password": password });
        let name = "reference_rest_api_create_session";
        let body = json!({ "form_configuration_name": name, "form": form }).to_string();
        let response = send("/api/sessions", &bearer, &[], &body);
        let cookie = response.is(status).header("set-cookie").unwrap_or_default();
        secrets.extend(cookie.split(['=', ';']).nth(1).map(str::to_owned));
    }
    assert_eq!(secrets.len(), 3, "a session was created");
    secrets
}

/// Returns a submission with the canary in all values, and unknown keys.
fn poisoned_submission(form: &str) -> Value {
    let mut submission = match form {
        "client_sign_up" => samples::client(VALUE_CANARY),
        "developer_sign_up" => samples::developer(VALUE_CANARY),
        _ => samples::seller(VALUE_CANARY),
    };
    poison(&mut submission);
    submission
}

fn poison(value: &mut Value) {
    match value {
        Value::Object(entries) => {
            entries.values_mut().for_each(poison);
            entries.insert(KEY_CANARY.to_owned(), json!(VALUE_CANARY));
        }
        Value::Array(items) => items.iter_mut().for_each(poison),
        value => *value = json!(format!("{VALUE_CANARY}\n{VALUE_CANARY}")),
    }
}
