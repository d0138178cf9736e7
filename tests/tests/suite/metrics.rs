//! `/metrics` says what was asked, how it ended and where it waits; `/health/ready` what is full.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use registrar_tests::{Metrics, Setup, TestServer, cases, eventually, samples};
use serde_json::{Value, json};

use super::overload::{CLIENTS, a_queue_of_two, with_clients};

cases! {
    requests_are_counted_by_what_they_were,
    what_is_told_again_counts_for_its_contract,
    nothing_that_a_client_sends_becomes_a_label,
    broken_rules_are_counted_by_form_and_code,
    reloads_are_counted,
    users_and_changes_are_counted_by_transaction,
    a_full_queue_is_told with a_queue_of_two,
    a_full_hash_queue_is_told with a_slow_hash,
}

const REQUESTS: &str = "registrar_requests_total";

fn a_slow_hash(setup: Setup) -> Setup {
    setup.with(|settings| {
        settings.hash_threads = 1;
        settings.hash_queue = 1;
        (settings.hash_memory_kib, settings.hash_passes) = (65_536, 10);
    })
}

fn metrics(server: &TestServer) -> Metrics {
    Metrics::of(server.anonymous())
}

/// A count, which is a whole number.
#[track_caller]
fn count(metrics: &Metrics, name: &str) -> u32 {
    whole(metrics.value(name, &[]))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is whole")]
fn whole(value: f64) -> u32 {
    assert!(value.fract() == 0.0, "{value}");
    value as u32
}

/// All requests: contract, form, method, route, status, and how many.
fn requests(metrics: &Metrics) -> Vec<(Vec<&str>, u32)> {
    metrics.all(REQUESTS).into_iter().map(|(labels, value)| (labels, whole(value))).collect()
}

fn requests_are_counted_by_what_they_were(server: &TestServer) {
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
    assert_eq!(whole(took("count")), 7, "all of a route, however they ended");
    assert!(took("sum") > 0.0 && took("sum") < 30.0, "{} seconds", took("sum"));
    // The page counts itself when it is answered.
    let again = metrics(server);
    let page = of("", "", "GET", "/metrics", "200");
    assert!(requests(&again).contains(&(page, 1)), "{}", again.text);
}

fn what_is_told_again_counts_for_its_contract(server: &TestServer) {
    let form = samples::client("ann");
    let body = json!({ "form_configuration_name": "client_sign_up", "form": form }).to_string();
    let headers = [("content-type", "application/json"), ("idempotency-key", "k")];
    for _ in 0..3 {
        server.client().send("POST", "/api/users", &headers, Some(body.as_bytes())).is(201);
    }
    let page = metrics(server);
    let found = requests(&page);
    let of = |form| ["platformos", form, "POST", "/api/users", "201"].to_vec();
    // An answer that was kept asks no form.
    assert!(
        found.contains(&(of("client_sign_up"), 1)) && found.contains(&(of(""), 2)),
        "{found:?}"
    );
}

fn nothing_that_a_client_sends_becomes_a_label(server: &TestServer) {
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
        assert_eq!(connection.answer().status, 405);
        server.anonymous().with_authorization(&odd).get("/api/users").is(401);
    }
    let found = metrics(server);
    assert!(!found.text.to_lowercase().contains("odd"), "{}", found.text);
    assert_eq!(found.all(REQUESTS).len(), 7, "{}", found.text);
    let other = ["", "", "other", "/health/live", "405"].to_vec();
    assert!(requests(&found).contains(&(other, 20)), "{}", found.text);
}

fn broken_rules_are_counted_by_form_and_code(server: &TestServer) {
    let client = server.client();
    let mut told = std::collections::BTreeMap::<(String, String), u32>::new();
    let mut submit = |form: &str, submitted: Value| {
        for (_, code) in client.submit(form, &submitted).is(422).violations() {
            *told.entry((form.to_owned(), code)).or_default() += 1;
        }
    };
    submit("developer_sign_up", json!({}));
    submit("developer_sign_up", json!({ "email": "no", "password": "short", "more": 1 }));
    submit("marketplace_seller", json!({ "transactables": { "boat": [{ "name": "" }] } }));
    client.submit("client_sign_up", &samples::client("one")).created();
    submit("client_sign_up", samples::client("one"));
    assert!(told.len() > 5, "{told:?}");
    let found = metrics(server);
    let counted = found.all("registrar_violations_total");
    // Labels come by their names: the code, then the form.
    let counted = counted
        .iter()
        .map(|(labels, value)| ((labels[1].to_owned(), labels[0].to_owned()), whole(*value)));
    assert_eq!(counted.collect::<std::collections::BTreeMap<_, _>>(), told);
}

fn reloads_are_counted(server: &TestServer) {
    assert!(server.reload() && server.reload());
    let found = metrics(server);
    let reloads =
        |result| whole(found.value("registrar_forms_reloads_total", &[("result", result)]));
    assert_eq!((reloads("served"), reloads("refused")), (2, 0));
    assert_eq!(count(&found, "registrar_forms_problems"), 0);
    let names = server.registry().names().len();
    assert_eq!(usize::try_from(count(&found, "registrar_forms")).unwrap(), names);
}

fn users_and_changes_are_counted_by_transaction(server: &TestServer) {
    let client = server.client();
    let id = client.submit("client_sign_up", &samples::client("one")).created();
    client.submit("client_sign_up", &samples::client("one")).is(422);
    client.send("DELETE", &format!("/api/users/{id}"), &[], None).is(204);
    client.submit("reference_rest_api_create_user", &samples::reference("two")).created();
    let found = metrics(server);
    assert_eq!(count(&found, "registrar_batch_size_count"), 4);
    assert_eq!(count(&found, "registrar_batch_size_sum"), 4);
    let alone = found.value("registrar_batch_size_bucket", &[("le", "1")]);
    assert_eq!(whole(alone), 4, "one after the other");
    // What was refused is not committed.
    assert_eq!(count(&found, "registrar_commit_duration_seconds_count"), 3);
    assert_eq!(count(&found, "registrar_hash_duration_seconds_count"), 1);
    assert!(found.value("registrar_hash_duration_seconds_sum", &[]) > 0.0);
    for (name, expected) in [
        ("registrar_queue_length", 0),
        ("registrar_queue_limit", 4096),
        ("registrar_queue_refused_total", 0),
        ("registrar_hash_queue_length", 0),
        ("registrar_hash_queue_limit", 256),
        ("registrar_hash_queue_refused_total", 0),
        ("registrar_reader_connections_in_use", 0),
        ("registrar_reader_connections_limit", 2),
    ] {
        assert_eq!(count(&found, name), expected, "{name}");
    }
    let writers = count(&found, "registrar_writers");
    assert!((1..=2).contains(&writers));
    assert_eq!(count(&found, "registrar_writers_connected"), writers);
    server.stop_writing();
    assert_eq!(count(&metrics(server), "registrar_writers_connected"), 0);
}

/// What is wrong, as `/health/ready` tells it; nothing where it is ready.
fn reasons(server: &TestServer) -> Vec<String> {
    let answer = server.anonymous().get("/health/ready");
    if answer.status == 200 {
        return Vec::new();
    }
    let reasons = answer.is(503).json()["reasons"].clone();
    serde_json::from_value(reasons).unwrap()
}

fn a_full_queue_is_told(server: &TestServer) {
    assert_eq!(reasons(server), [""; 0]);
    let direct = server.direct();
    with_clients(server, samples::client, "client_sign_up", |post, answers| {
        let next = || answers.recv_timeout(Duration::from_secs(4)).unwrap();
        let mut refused = 0;
        direct.while_locked(|| {
            post();
            for _ in 0..CLIENTS - 3 {
                next().is(503);
                refused += 1;
            }
            assert_eq!(reasons(server), ["the write queue is full: 2 entries"]);
            let found = metrics(server);
            assert_eq!(count(&found, "registrar_queue_length"), 2);
            assert_eq!(count(&found, "registrar_queue_limit"), 2);
            assert_eq!(count(&found, "registrar_queue_refused_total"), refused);
        });
        for answer in (0..3).map(|_| next()) {
            refused += u32::from(answer.status == 503);
        }
        let found = metrics(server);
        assert_eq!(count(&found, "registrar_queue_length"), 0);
        assert_eq!(count(&found, "registrar_queue_refused_total"), refused);
        let labels = |status: &'static str| {
            let form = "client_sign_up";
            let route = [("contract", "platformos"), ("method", "POST"), ("route", "/api/users")];
            [route[0], route[1], route[2], ("form", form), ("status", status)]
        };
        assert_eq!(whole(found.value(REQUESTS, &labels("503"))), refused);
        let clients = u32::try_from(CLIENTS).unwrap();
        assert_eq!(whole(found.value(REQUESTS, &labels("201"))), clients - refused);
    });
    assert_eq!(reasons(server), [""; 0]);
}

fn a_full_hash_queue_is_told(server: &TestServer) {
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
        let full = eventually("the queue of passwords is full", Duration::from_secs(20), || {
            Some(reasons(server)).filter(|reasons| !reasons.is_empty())
        });
        over.store(true, Ordering::Relaxed);
        let statuses = clients.into_iter().flat_map(|client| client.join().unwrap());
        (full, statuses.collect::<Vec<u16>>())
    });
    assert_eq!(full, ["the password queue is full: 1 entries"]);
    let with = |status| u32::try_from(statuses.iter().filter(|s| **s == status).count()).unwrap();
    assert_eq!(usize::try_from(with(201) + with(503)).unwrap(), statuses.len(), "{statuses:?}");
    let found = metrics(server);
    assert_eq!(count(&found, "registrar_hash_queue_refused_total"), with(503));
    assert_eq!(count(&found, "registrar_hash_duration_seconds_count"), with(201));
    assert_eq!(count(&found, "registrar_hash_queue_length"), 0);
    assert_eq!(count(&found, "registrar_hash_queue_limit"), 1);
    assert_eq!(reasons(server), [""; 0]);
}
