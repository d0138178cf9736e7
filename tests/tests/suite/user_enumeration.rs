//! Forms with `enumeration: strict` do not reveal whether an account exists, by status, headers,
//! body or timing.

use std::time::{Duration, Instant};

use registrar_tests::{Setup, TestResponse, TestServer, TokenClient, cases};
use serde_json::{Value, json};

cases! {
    strict_form_responds_equally_to_taken_and_free_email with strict_form,
    strict_form_reports_other_violations with strict_form,
    strict_form_with_idempotency_key_reveals_nothing with strict_form,
    strict_form_has_equal_timing with strict_form,
}

const ROUNDS: usize = 40;

fn strict_form(setup: Setup) -> Setup {
    let fields = "fields: { email: , first_name: { validation: { presence: true } } }\n";
    setup.forms(&[("sign_up.yml", &format!("resource: User\nenumeration: strict\n{fields}"))])
}

fn sign_up_form(email: &str) -> Value {
    json!({ "email": email, "first_name": "Ann" })
}

/// Returns the observable parts of a response: all but the request id and the date.
fn observable(response: &TestResponse) -> (u16, String, Vec<(String, String)>) {
    let mut headers = response.headers.clone();
    headers.retain(|(name, _)| name != "x-request-id" && name != "date");
    headers.sort();
    (response.status, response.text.clone(), headers)
}

fn strict_form_responds_equally_to_taken_and_free_email(server: &TestServer) {
    let client = server.client();
    let free = client.submit("sign_up", &sign_up_form("ann@example.com"));
    assert_eq!((free.status, free.text.as_str()), (202, r#"{"errors":{}}"#));
    for spelling in ["ann@example.com", " ANN@example.com"] {
        assert_eq!(
            observable(&client.submit("sign_up", &sign_up_form(spelling))),
            observable(&free)
        );
    }
    assert_eq!(client.count(), 1);
    assert_eq!(server.database().count("audit_events WHERE action = 'attempt'"), 2);
}

fn strict_form_reports_other_violations(server: &TestServer) {
    let client = server.client();
    client.submit("sign_up", &sign_up_form("ann@example.com")).is(202);
    let sent = |email: &str| client.submit("sign_up", &json!({ "email": email }));
    let (taken, free) = (sent("ann@example.com"), sent("bob@example.com"));
    taken.invalid(&[("first_name", "blank")]);
    assert_eq!(observable(&taken), observable(&free));
}

fn strict_form_with_idempotency_key_reveals_nothing(server: &TestServer) {
    let client = server.client();
    let keyed = |client: &TokenClient, key: &str, email: &str| {
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        let body = json!({ "form_configuration_name": "sign_up", "form": sign_up_form(email) })
            .to_string();
        client.send("POST", "/api/users", &headers, Some(body.as_bytes()))
    };
    let mut reported = Vec::new();
    for (key, email, other) in [
        ("free", "ann@example.com", "eve@example.com"),
        ("taken", "ann@example.com", "eve@example.com"),
    ] {
        let first = observable(&keyed(&client, key, email));
        let again = observable(&keyed(&client, key, email));
        let different = observable(&keyed(&client, key, other));
        assert_eq!((first.0, again.0, different.0), (202, 202, 422));
        reported.push((first, again, different));
    }
    assert_eq!(reported[0], reported[1]);
    assert_eq!(client.count(), 1);
}

fn strict_form_has_equal_timing(server: &TestServer) {
    let client = server.client();
    client.submit("sign_up", &sign_up_form("taken@example.com")).is(202);
    let (mut free, mut taken) = (Vec::new(), Vec::new());
    let timed = |email: &str| {
        let started = Instant::now();
        client.submit("sign_up", &sign_up_form(email)).is(202);
        started.elapsed()
    };
    for round in 0..ROUNDS {
        free.push(timed(&format!("user{round}@example.com")));
        taken.push(timed("taken@example.com"));
    }
    let median = |mut times: Vec<Duration>| {
        times.sort_unstable();
        times[ROUNDS / 2].as_secs_f64()
    };
    // The durable audit event of the attempt dominates the time.
    let ratio = median(taken) / median(free);
    assert!((0.5..2.0).contains(&ratio), "{ratio}");
}
