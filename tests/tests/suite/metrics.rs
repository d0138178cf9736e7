//! `/metrics` counts requests, results and queues; `/health/ready` reports full queues.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use registrar_tests::{Metrics, Setup, TestServer, cases, eventually, samples};
use serde_json::{Value, json};

use super::overload::{CLIENTS, queue_of_two, with_clients};

cases! {
    requests_are_counted_by_route_form_and_status,
    replayed_responses_are_counted_for_their_contract,
    client_input_never_becomes_a_label,
    violations_are_counted_by_form_and_code,
    reloads_are_counted,
    batches_and_commits_are_counted,
    full_write_queue_fails_readiness with queue_of_two,
    full_hash_queue_fails_readiness with slow_hashing,
}

const REQUESTS: &str = "registrar_requests_total";

fn slow_hashing(setup: Setup) -> Setup {
    setup.with(|settings| {
        settings.hash_threads = 1;
        settings.hash_queue = 1;
        (settings.hash_memory_kib, settings.hash_passes) = (65_536, 10);
    })
}

fn metrics(server: &TestServer) -> Metrics {
    Metrics::of(server.anonymous())
}

/// Returns an integral metric.
#[track_caller]
fn count(metrics: &Metrics, name: &str) -> u32 {
    as_count(metrics.value(name, &[]))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is integral"
)]
fn as_count(value: f64) -> u32 {
    assert!(value.fract() == 0.0, "{value}");
    value as u32
}

/// Returns contract, form, method, route, status and number of all requests.
fn requests(metrics: &Metrics) -> Vec<(Vec<&str>, u32)> {
    metrics.all(REQUESTS).into_iter().map(|(labels, value)| (labels, as_count(value))).collect()
}

fn requests_are_counted_by_route_form_and_status(server: &TestServer) {
    let client = server.client();
    let id = client.submit("client_sign_up", &samples::client("one")).created();
    client.submit("client_sign_up", &samples::client("two")).created();
    client.submit("client_sign_up", &samples::client("two")).is(422);
    client.submit("developer_sign_up", &json!({})).is(422);
    client.submit("nowhere_to_be_found", &json!({})).is(406);
    client.post("/api/users", "{").is(400);
    server.anonymous().post("/api/users", "{}").is(401);
    client.get(&format!("/api/users/{id}")).is(200);
    client.get("/api/users/4711").is(404);
    client.get("/nowhere").is(404);
    client.get("/api/form_configurations/client_sign_up/schema").is(200);
    client.send("PUT", "/health/live", &[], Some(b"{}")).is(405);
    let bearer = server.anonymous().with_authorization(&format!("Bearer {}", server.token()));
    bearer.get("/garmat/nowhere").is(404);
    bearer.post("/garmat/api/users", "{}").is(400);
    let of = |contract: &'static str, form: &'static str, method: &'static str, route, status| {
        vec![contract, form, method, route, status]
    };
    let one = "/api/users/{id}.json";
    let schema = "/api/form_configurations/{name:.+}/schema";
    let expected = [
        (of("", "", "GET", "", "404"), 1),
        (of("", "", "PUT", "/health/live", "405"), 1),
        (of("", "client_sign_up", "GET", schema, "200"), 1),
        (of("garmat", "", "GET", "", "404"), 1),
        (of("garmat", "garmat", "POST", "/garmat/api/users", "400"), 1),
        (of("platformos", "", "GET", one, "200"), 1),
        (of("platformos", "", "GET", one, "404"), 1),
        (of("platformos", "", "POST", "/api/users", "400"), 1),
        (of("platformos", "", "POST", "/api/users", "401"), 1),
        (of("platformos", "(unknown)", "POST", "/api/users", "406"), 1),
        (of("platformos", "client_sign_up", "POST", "/api/users", "201"), 2),
        (of("platformos", "client_sign_up", "POST", "/api/users", "422"), 1),
        (of("platformos", "developer_sign_up", "POST", "/api/users", "422"), 1),
    ];
    let found = metrics(server);
    assert_eq!(requests(&found), expected);
    let route = [("contract", "platformos"), ("method", "POST"), ("route", "/api/users")];
    let took =
        |end: &str| found.value(&format!("registrar_request_duration_seconds_{end}"), &route);
    assert_eq!(as_count(took("count")), 7, "all requests of the route, with any status");
    assert!(took("sum") > 0.0 && took("sum") < 30.0, "{} seconds", took("sum"));
    // A scrape counts itself after it is rendered.
    let again = metrics(server);
    let page = of("", "", "GET", "/metrics", "200");
    assert!(requests(&again).contains(&(page, 1)), "{}", again.text);
}

fn replayed_responses_are_counted_for_their_contract(server: &TestServer) {
    let form = samples::client("ann");
    let body = json!({ "form_configuration_name": "client_sign_up", "form": form }).to_string();
    let headers = [("content-type", "application/json"), ("idempotency-key", "k")];
    for _ in 0..3 {
        server.client().send("POST", "/api/users", &headers, Some(body.as_bytes())).is(201);
    }
    let page = metrics(server);
    let found = requests(&page);
    let of = |form| ["platformos", form, "POST", "/api/users", "201"].to_vec();
    // Replayed responses are not attributed to a form.
    assert!(
        found.contains(&(of("client_sign_up"), 1)) && found.contains(&(of(""), 2)),
        "{found:?}"
    );
}

fn client_input_never_becomes_a_label(server: &TestServer) {
    let client = server.client();
    for number in 0..20 {
        let odd = format!("odd{number}");
        client.submit(&odd, &json!({})).is(406);
        client.submit("client_sign_up", &json!({ &odd: 1 })).is(422);
        client.get(&format!("/{odd}")).is(404);
        client.get(&format!("/api/users/{odd}")).is(404);
        client.get(&format!("/api/form_configurations/{odd}")).is(404);
        let mut connection = server.connect();
        let request = format!("{} /health/live HTTP/1.1\r\nHost: x\r\n\r\n", odd.to_uppercase());
        connection.send(request.as_bytes());
        assert_eq!(connection.read_response().status, 405);
        server.anonymous().with_authorization(&odd).get("/api/users").is(401);
    }
    let found = metrics(server);
    assert!(!found.text.to_lowercase().contains("odd"), "{}", found.text);
    assert_eq!(found.all(REQUESTS).len(), 7, "{}", found.text);
    let other = ["", "", "other", "/health/live", "405"].to_vec();
    assert!(requests(&found).contains(&(other, 20)), "{}", found.text);
}

fn violations_are_counted_by_form_and_code(server: &TestServer) {
    let client = server.client();
    let mut reported = std::collections::BTreeMap::<(String, String), u32>::new();
    let mut submit = |form: &str, submitted: Value| {
        for (_, code) in client.submit(form, &submitted).is(422).violations() {
            *reported.entry((form.to_owned(), code)).or_default() += 1;
        }
    };
    submit("developer_sign_up", json!({}));
    submit("developer_sign_up", json!({ "email": "no", "password": "short", "more": 1 }));
    submit("marketplace_seller", json!({ "transactables": { "boat": [{ "name": "" }] } }));
    client.submit("client_sign_up", &samples::client("one")).created();
    submit("client_sign_up", samples::client("one"));
    assert!(reported.len() > 5, "{reported:?}");
    let found = metrics(server);
    let counted = found.all("registrar_violations_total");
    // Labels are sorted by name: the code, then the form.
    let counted = counted
        .iter()
        .map(|(labels, value)| ((labels[1].to_owned(), labels[0].to_owned()), as_count(*value)));
    assert_eq!(counted.collect::<std::collections::BTreeMap<_, _>>(), reported);
}

fn reloads_are_counted(server: &TestServer) {
    assert!(server.reload() && server.reload());
    let found = metrics(server);
    let reloads =
        |result| as_count(found.value("registrar_forms_reloads_total", &[("result", result)]));
    assert_eq!((reloads("success"), reloads("failure")), (2, 0));
    assert_eq!(count(&found, "registrar_forms_problems"), 0);
    let names = server.registry().names().len();
    assert_eq!(usize::try_from(count(&found, "registrar_forms")).unwrap(), names);
}

fn batches_and_commits_are_counted(server: &TestServer) {
    let client = server.client();
    let id = client.submit("client_sign_up", &samples::client("one")).created();
    client.submit("client_sign_up", &samples::client("one")).is(422);
    client.send("DELETE", &format!("/api/users/{id}"), &[], None).is(204);
    client.submit("reference_rest_api_create_user", &samples::reference("two")).created();
    let found = metrics(server);
    assert_eq!(count(&found, "registrar_batch_size_count"), 4);
    assert_eq!(count(&found, "registrar_batch_size_sum"), 4);
    let alone = found.value("registrar_batch_size_bucket", &[("le", "1")]);
    assert_eq!(as_count(alone), 4, "one job per batch");
    // Rejected writes are not committed.
    assert_eq!(count(&found, "registrar_commit_duration_seconds_count"), 3);
    assert_eq!(count(&found, "registrar_hash_duration_seconds_count"), 1);
    assert!(found.value("registrar_hash_duration_seconds_sum", &[]) > 0.0);
    for (name, expected) in [
        ("registrar_queue_length", 0),
        ("registrar_queue_limit", 4096),
        ("registrar_queue_rejected_total", 0),
        ("registrar_hash_queue_length", 0),
        ("registrar_hash_queue_limit", 256),
        ("registrar_hash_queue_rejected_total", 0),
        ("registrar_reader_connections_in_use", 0),
        ("registrar_reader_connections_limit", 2),
    ] {
        assert_eq!(count(&found, name), expected, "{name}");
    }
    let writers = count(&found, "registrar_writers");
    assert!((1..=2).contains(&writers));
    assert_eq!(count(&found, "registrar_writers_connected"), writers);
    server.shut_down_store();
    assert_eq!(count(&metrics(server), "registrar_writers_connected"), 0);
}

/// Returns the reasons of `/health/ready`, or an empty list if ready.
fn readiness_reasons(server: &TestServer) -> Vec<String> {
    let response = server.anonymous().get("/health/ready");
    if response.status == 200 {
        return Vec::new();
    }
    let reasons = response.is(503).json()["reasons"].clone();
    serde_json::from_value(reasons).unwrap()
}

fn full_write_queue_fails_readiness(server: &TestServer) {
    assert_eq!(readiness_reasons(server), [""; 0]);
    let direct = server.database();
    with_clients(server, samples::client, "client_sign_up", |post, responses| {
        let next = || responses.recv_timeout(Duration::from_secs(4)).unwrap();
        let mut rejected = 0;
        direct.with_write_lock(|| {
            post();
            for _ in 0..CLIENTS - 3 {
                next().is(503);
                rejected += 1;
            }
            assert_eq!(readiness_reasons(server), ["the write queue is full: 2 entries"]);
            let found = metrics(server);
            assert_eq!(count(&found, "registrar_queue_length"), 2);
            assert_eq!(count(&found, "registrar_queue_limit"), 2);
            assert_eq!(count(&found, "registrar_queue_rejected_total"), rejected);
        });
        for response in (0..3).map(|_| next()) {
            rejected += u32::from(response.status == 503);
        }
        let found = metrics(server);
        assert_eq!(count(&found, "registrar_queue_length"), 0);
        assert_eq!(count(&found, "registrar_queue_rejected_total"), rejected);
        let labels = |status: &'static str| {
            let form = "client_sign_up";
            let route = [("contract", "platformos"), ("method", "POST"), ("route", "/api/users")];
            [route[0], route[1], route[2], ("form", form), ("status", status)]
        };
        assert_eq!(as_count(found.value(REQUESTS, &labels("503"))), rejected);
        let clients = u32::try_from(CLIENTS).unwrap();
        assert_eq!(as_count(found.value(REQUESTS, &labels("201"))), clients - rejected);
    });
    assert_eq!(readiness_reasons(server), [""; 0]);
}

fn full_hash_queue_fails_readiness(server: &TestServer) {
    let over = AtomicBool::new(false);
    let post = |client: usize| {
        let (form, mut statuses) = ("reference_rest_api_create_user", Vec::new());
        while !over.load(Ordering::Relaxed) {
            let sample = samples::reference(&format!("client{client}.{}", statuses.len()));
            statuses.push(server.client().submit(form, &sample).status);
        }
        statuses
    };
    let post = &post;
    let (full, statuses) = thread::scope(|scope| {
        let clients: Vec<_> = (0..4).map(|client| scope.spawn(move || post(client))).collect();
        let full = eventually("the hash queue is full", Duration::from_secs(20), || {
            Some(readiness_reasons(server)).filter(|reasons| !reasons.is_empty())
        });
        over.store(true, Ordering::Relaxed);
        let statuses = clients.into_iter().flat_map(|client| client.join().unwrap());
        (full, statuses.collect::<Vec<u16>>())
    });
    assert_eq!(full, ["the password queue is full: 1 entries"]);
    let with = |status| u32::try_from(statuses.iter().filter(|s| **s == status).count()).unwrap();
    assert_eq!(usize::try_from(with(201) + with(503)).unwrap(), statuses.len(), "{statuses:?}");
    let found = metrics(server);
    assert_eq!(count(&found, "registrar_hash_queue_rejected_total"), with(503));
    assert_eq!(count(&found, "registrar_hash_duration_seconds_count"), with(201));
    assert_eq!(count(&found, "registrar_hash_queue_length"), 0);
    assert_eq!(count(&found, "registrar_hash_queue_limit"), 1);
    assert_eq!(readiness_reasons(server), [""; 0]);
}
