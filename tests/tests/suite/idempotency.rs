//! Idempotency keys: equal requests with one key have one effect and one response. 5 rounds with 16
//! concurrent clients; 300 rounds with 64 at full length.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use registrar_tests::{
    Database, Setup, TestResponse, TestServer, TokenClient, cases, eventually, iterations, samples,
};
use serde_json::{Value, json};

cases! {
    repeated_request_replays_the_response,
    different_request_with_same_key_gets_422,
    keys_are_scoped_to_the_caller,
    malformed_key_gets_400,
    rejected_requests_are_not_stored,
    request_in_flight_with_same_key_gets_409 with one_writer,
    concurrent_requests_with_one_key_run_once,
    key_can_be_reused_after_24_hours,
    form_field_can_serve_as_key with import_form,
    contracts_and_records_support_keys,
}

const ROUNDS: usize = 5;
const CLIENTS: usize = 16;

fn body(email: &str) -> String {
    let form = json!({ "email": email, "first_name": "Ann" });
    json!({ "form_configuration_name": "client_sign_up", "form": form }).to_string()
}

fn post(client: &TokenClient, key: &str, body: &str) -> TestResponse {
    let headers = [("content-type", "application/json"), ("idempotency-key", key)];
    client.send("POST", "/api/users", &headers, Some(body.as_bytes()))
}

/// Returns the parts of a response that must be replayed, without the date and request id.
fn replayed_parts(response: &TestResponse) -> (u16, String, Vec<(String, String)>) {
    let names = ["content-type", "location", "form-version", "vary", "cache-control"];
    let header = |name: &str| Some((name.to_owned(), response.header(name)?.to_owned()));
    let headers = names.iter().filter_map(|name| header(name)).collect();
    (response.status, response.text.clone(), headers)
}

fn sign_up(tag: &str) -> String {
    let form = samples::client(tag);
    json!({ "form_configuration_name": "client_sign_up", "form": form }).to_string()
}

fn repeated_request_replays_the_response(server: &TestServer) {
    let (client, body) = (server.client(), sign_up("ann"));
    let first = post(&client, "\"k-1\"", &body);
    first.created();
    assert_eq!(first.header("idempotent-replayed"), None);
    for spelling in ["\"k-1\"", "k-1"] {
        let again = post(&client, spelling, &body);
        assert_eq!(replayed_parts(&again), replayed_parts(&first));
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
    }
    assert!(first.header("location").is_some() && first.header("form-version").is_some());
    assert_eq!(client.count(), 1);
    // Deleting a user deletes the stored response: the request creates a new user.
    client.send("DELETE", &format!("/api/users/{}", first.created()), &[], None).is(204);
    let anew = post(&client, "k-1", &body);
    assert_ne!(anew.created(), first.created());
    assert_eq!(anew.header("idempotent-replayed"), None);
    assert_eq!(client.count(), 1);
}

fn different_request_with_same_key_gets_422(server: &TestServer) {
    let client = server.client();
    post(&client, "k", &sign_up("ann")).created();
    let other = post(&client, "k", &sign_up("bob"));
    other.rejected(422, "base", "idempotency_key_reused");
    // The path is part of the request.
    let headers = [("content-type", "application/json"), ("idempotency-key", "k")];
    let elsewhere =
        client.send("POST", "/api/users.json", &headers, Some(sign_up("ann").as_bytes()));
    elsewhere.rejected(422, "base", "idempotency_key_reused");
    assert_eq!(client.count(), 1);
    assert!(!other.text.contains("bob"), "the response contains no submitted value");
}

fn keys_are_scoped_to_the_caller(server: &TestServer) {
    let other = server.anonymous().with_token(&server.new_token("other", None));
    post(&server.client(), "k", &sign_up("ann")).created();
    post(&other, "k", &sign_up("bob")).created();
    assert_eq!(server.client().count(), 2);
    // Keys reveal nothing to unauthenticated clients.
    let headers = [("content-type", "application/json"), ("idempotency-key", "k")];
    let body = sign_up("ann");
    server.anonymous().send("POST", "/api/users", &headers, Some(body.as_bytes())).is(401);
}

fn malformed_key_gets_400(server: &TestServer) {
    let client = server.client();
    let long = "k".repeat(256);
    for key in ["", "\"", "\"\"", "a b", "\"a\"b", &long] {
        post(&client, key, &sign_up("ann")).rejected(400, "base", "idempotency_key_invalid");
    }
    let headers =
        [("content-type", "application/json"), ("idempotency-key", "a"), ("idempotency-key", "b")];
    let twice = client.send("POST", "/api/users", &headers, Some(sign_up("ann").as_bytes()));
    twice.rejected(400, "base", "idempotency_key_invalid");
    assert_eq!(client.count(), 0);
    post(&client, &"k".repeat(255), &sign_up("ann")).created();
}

fn rejected_requests_are_not_stored(server: &TestServer) {
    let client = server.client();
    let taken = client.submit("client_sign_up", &samples::client("ann")).created();
    let refused = post(&client, "k", &sign_up("ann"));
    refused.invalid(&[("email", "taken"), ("external_id", "taken")]);
    post(&client, "k2", &body("no address")).is(422);
    client.send("DELETE", &format!("/api/users/{taken}"), &[], None).is(204);
    post(&client, "k", &sign_up("ann")).created();
    assert_eq!(client.count(), 1);
}

fn one_writer(setup: Setup) -> Setup {
    setup.with(|settings| settings.writers = 1)
}

fn request_in_flight_with_same_key_gets_409(server: &TestServer) {
    let (client, body) = (server.client(), sign_up("ann"));
    thread::scope(|scope| {
        let first = server.database().with_write_lock(|| {
            let first = scope.spawn(|| post(&server.client(), "k", &body));
            thread::sleep(Duration::from_millis(300));
            let second = post(&client, "k", &body);
            second.rejected(409, "base", "idempotency_in_flight");
            assert_eq!(second.header("retry-after"), Some("1"));
            first
        });
        let first = first.join().unwrap();
        first.created();
        assert_eq!(replayed_parts(&post(&client, "k", &body)), replayed_parts(&first));
    });
    assert_eq!(client.count(), 1);
}

fn concurrent_requests_with_one_key_run_once(server: &TestServer) {
    let (rounds, clients) = (iterations(ROUNDS, 300), iterations(CLIENTS, 64));
    for round in 0..rounds {
        let (body, key) = (sign_up(&format!("ann{round}")), format!("round-{round}"));
        let start = Barrier::new(clients);
        let responses: Vec<TestResponse> = thread::scope(|scope| {
            let ask = || {
                start.wait();
                post(&server.client(), &key, &body)
            };
            let clients: Vec<_> = (0..clients).map(|_| scope.spawn(ask)).collect();
            clients.into_iter().map(|client| client.join().unwrap()).collect()
        });
        let done: Vec<_> = responses.iter().filter(|response| response.status == 201).collect();
        assert!(!done.is_empty());
        assert!(done.iter().all(|response| replayed_parts(response) == replayed_parts(done[0])));
        assert!(
            responses.iter().all(|response| matches!(response.status, 201 | 409)),
            "{responses:?}"
        );
    }
    let rounds = i64::try_from(rounds).unwrap();
    assert_eq!(server.client().count(), rounds);
    let records = server.database().count("idempotency_records WHERE status = 201");
    assert_eq!(records, rounds);
}

fn key_can_be_reused_after_24_hours(server: &TestServer) {
    let client = server.client();
    let first = post(&client, "k", &sign_up("ann")).created();
    let aged = match server.database().is_postgres() {
        true => "created_at - interval '24 hours'",
        false => "created_at - 24 * 3600 * 1000000",
    };
    server.database().execute(&format!("UPDATE idempotency_records SET created_at = {aged}"));
    let second = post(&client, "k", &sign_up("bob")).created();
    assert_ne!(first, second);
    assert_eq!(
        server.database().count("idempotency_records"),
        1,
        "the expired response was replaced"
    );
}

#[test]
fn expired_responses_are_purged() {
    for database in Database::ALL {
        let Some(setup) = Setup::of(database) else { continue };
        let server = setup.serve();
        let token = server.first_token();
        let client = server.client(&token);
        for number in 0..3 {
            post(&client, &format!("k{number}"), &sign_up(&format!("ann{number}"))).created();
        }
        server.send_sigterm();
        server.wait_for_exit().success();
        let aged = match setup.database().is_postgres() {
            true => "created_at - interval '24 hours'",
            false => "created_at - 24 * 3600 * 1000000",
        };
        setup.database().execute(&format!("UPDATE idempotency_records SET created_at = {aged}"));
        // Expired responses are purged with the first batch, and every ten minutes afterwards.
        let server = setup.serve();
        let client = server.client(&token);
        client.submit("client_sign_up", &samples::client("bob")).created();
        eventually("expired responses are purged", Duration::from_secs(10), || {
            (setup.database().count("idempotency_records") == 0).then_some(())
        });
    }
}

fn import_form(setup: Setup) -> Setup {
    let form = "resource: User\nidempotency: external_id\nfields:\n  external_id:\n  first_name:\n";
    setup.forms(&[("import.yml", form)])
}

fn form_field_can_serve_as_key(server: &TestServer) {
    let client = server.client();
    let ann = json!({ "external_id": "crm-7", "first_name": "Ann" });
    let first = client.submit("import", &ann);
    first.created();
    let again = client.submit("import", &ann);
    assert_eq!(
        (replayed_parts(&again), again.header("idempotent-replayed")),
        (replayed_parts(&first), Some("true"))
    );
    let other = json!({ "external_id": "crm-7", "first_name": "Bob" });
    client.submit("import", &other).rejected(422, "base", "idempotency_key_reused");
    // Without the field there is no key. A key in the header takes precedence over the field.
    let nobody = json!({ "first_name": "Ann" });
    assert_ne!(
        client.submit("import", &nobody).created(),
        client.submit("import", &nobody).created()
    );
    let form = json!({ "external_id": "crm-8", "first_name": "Eve" });
    let keyed = json!({ "form_configuration_name": "import", "form": form }).to_string();
    assert_eq!(post(&client, "k", &keyed).created(), post(&client, "k", &keyed).created());
    assert_eq!(client.count(), 4);
}

fn contracts_and_records_support_keys(server: &TestServer) {
    let client = server.anonymous().with_authorization(&format!("Bearer {}", server.token()));
    let send = |path: &str, key: &str, body: &Value| {
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        client.send("POST", path, &headers, Some(body.to_string().as_bytes()))
    };
    let twice = |path: &str, key: &str, body: &Value| {
        let first = send(path, key, body);
        first.is(201);
        let again = send(path, key, body);
        assert_eq!(replayed_parts(&again), replayed_parts(&first), "{path}");
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        first
    };
    // SCIM's response contains the stored user and its timestamps.
    let schema = "urn:ietf:params:scim:schemas:core:2.0:User";
    let user = json!({ "schemas": [schema], "userName": "ann@example.com" });
    let ann = twice("/scim/v2/Users", "k1", &user);
    assert!(ann.text.contains("ann@example.com"), "{ann:?}");
    let id = json!(1);
    let boat = json!({ "form_configuration_name": "reference_rest_api_create_transactable",
        "parent_resource_id": "boat", "form": { "name": "Vega", "creator_id": id,
        "currency": "NOK", "properties": { "length_m": 7 } } });
    twice("/api/user/transactables", "k2", &boat);
    let stored = client.user(id.as_i64().unwrap());
    assert_eq!(stored["transactables"]["boat"].as_array().map(Vec::len), Some(1));
}
