//! Overload: excess requests are rejected at once, and accepted ones are not lost.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use registrar_tests::{Setup, TestResponse, TestServer, cases, eventually, samples};
use serde_json::Value;

cases! {
    full_write_queue_rejects_with_503_at_once with queue_of_two,
    full_hash_queue_rejects_with_503 with hash_queue_of_one,
    token_rate_limit_is_enforced_and_reported with low_rate_limit,
    body_memory_is_bounded with small_body_memory,
    request_timeout_responds_with_503 with one_second_timeout,
}

pub(super) const CLIENTS: usize = 24;

pub(super) fn queue_of_two(setup: Setup) -> Setup {
    setup.with(|settings| {
        settings.queue = 2;
        settings.writers = 1;
        settings.batch = 1;
    })
}

fn hash_queue_of_one(setup: Setup) -> Setup {
    setup.with(|settings| {
        settings.hash_threads = 1;
        settings.hash_queue = 1;
    })
}

/// Lets `run` post from all clients concurrently and receive their responses as they arrive.
pub(super) fn with_clients(
    server: &TestServer,
    sample: fn(&str) -> Value,
    form: &str,
    run: impl FnOnce(&dyn Fn(), &mpsc::Receiver<TestResponse>),
) {
    thread::scope(|scope| {
        let (sender, responses) = mpsc::channel();
        let post = || {
            for client in 0..CLIENTS {
                let sender = sender.clone();
                let sample = sample(&format!("client{client}"));
                scope.spawn(move || sender.send(server.client().submit(form, &sample)).unwrap());
            }
        };
        run(&post, &responses);
    });
}

fn assert_retry_later(response: &TestResponse) {
    response.rejected(503, "base", "busy");
    assert!(response.header("retry-after").unwrap().parse::<u32>().unwrap() >= 1);
}

fn full_write_queue_rejects_with_503_at_once(server: &TestServer) {
    let direct = server.database();
    let mut created = 0;
    with_clients(server, samples::client, "client_sign_up", |post, responses| {
        let next = || responses.recv_timeout(Duration::from_secs(4)).unwrap();
        direct.with_write_lock(|| {
            post();
            // One is with the writer and two are queued; all others are rejected while nothing is
            // written.
            (0..CLIENTS - 3).for_each(|_| assert_retry_later(&next()));
        });
        for response in (0..3).map(|_| next()) {
            if response.status == 201 { created += 1 } else { assert_retry_later(&response) }
        }
    });
    // One fewer if all arrived before the writer took its first job.
    assert!((2..=3).contains(&created), "{created}");
    assert_eq!(server.client().count(), created);
    server.client().submit("client_sign_up", &samples::client("later")).created();
}

fn full_hash_queue_rejects_with_503(server: &TestServer) {
    let mut created = 0;
    with_clients(
        server,
        samples::reference,
        "reference_rest_api_create_user",
        |post, responses| {
            post();
            for response in responses.iter().take(CLIENTS) {
                if response.status == 201 { created += 1 } else { assert_retry_later(&response) }
            }
        },
    );
    assert!((1..24).contains(&created), "{created}");
    assert_eq!(server.client().count(), created);
    server.client().submit("client_sign_up", &samples::client("later")).created();
}

fn low_rate_limit(setup: Setup) -> Setup {
    setup.with(|settings| (settings.rate_limit, settings.rate_burst) = (1, 3))
}

fn token_rate_limit_is_enforced_and_reported(server: &TestServer) {
    let other = server.anonymous().with_token(&server.new_token("other", None));
    let client = server.client();
    let responses: Vec<TestResponse> = (0..8).map(|_| client.get("/api/users/404")).collect();
    let (let_in, refused): (Vec<_>, Vec<_>) =
        responses.iter().partition(|response| response.status == 404);
    assert!((3..=5).contains(&let_in.len()), "{let_in:?}");
    assert_eq!(let_in[0].header("ratelimit-policy"), Some("\"token\";q=1;w=1"));
    assert_eq!(let_in[0].header("ratelimit"), Some("\"token\";r=2;t=1"));
    for response in &refused {
        response.rejected(429, "base", "rate_limited");
        assert_eq!(response.header("retry-after"), Some("1"));
        assert_eq!(response.header("ratelimit"), Some("\"token\";r=0;t=1"));
    }
    // Other tokens have their own limit; contracts count too and reject in their own format.
    other.get("/api/form_configurations").is(200);
    let bearer = server.anonymous().with_authorization(&format!("Bearer {}", server.token()));
    let scim = eventually("the rate limit is exceeded", Duration::from_secs(5), || {
        Some(bearer.get("/scim/v2/Users")).filter(|response| response.status == 429)
    });
    assert_eq!(scim.json()["status"], "429");
    thread::sleep(Duration::from_millis(1100));
    client.get("/api/users/404").is(404);
}

fn small_body_memory(setup: Setup) -> Setup {
    setup.with(|settings| {
        settings.body_memory = 120_000;
        settings.body_limit = 80_000;
    })
}

fn body_memory_is_bounded(server: &TestServer) {
    let head = |length: usize| {
        format!(
            "POST /api/users HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n",
            server.token()
        )
    };
    let mut slow = server.connect();
    slow.send(head(80_000).as_bytes());
    slow.send(&[b' '; 40_000]);
    let more = "x".repeat(60_000);
    eventually("the slow body is held in memory", Duration::from_secs(5), || {
        let refused = server.client().post("/api/users", &more);
        if refused.status == 503 {
            assert_retry_later(&refused);
        }
        (refused.status == 503).then_some(())
    });
    // Small bodies still fit. If more of the slow body arrives, that one is rejected.
    server.client().submit("client_sign_up", &samples::client("small")).created();
    slow.send(&[b' '; 25_000]);
    eventually("the slow body is rejected", Duration::from_secs(5), || {
        (server.client().post("/api/users", &more).status == 400).then_some(())
    });
    assert_retry_later(&slow.read_response());
}

fn one_second_timeout(setup: Setup) -> Setup {
    setup.with(|settings| {
        settings.request_seconds = 1;
        settings.writers = 1;
    })
}

fn request_timeout_responds_with_503(server: &TestServer) {
    let response = server.database().with_write_lock(|| {
        let started = Instant::now();
        let response = server.client().submit("client_sign_up", &samples::client("ann"));
        assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
        response
    });
    response.rejected(503, "base", "timeout");
    assert_eq!(response.header("retry-after"), Some("2"));
    // The write completes nonetheless, as the response warns.
    eventually("the user is stored", Duration::from_secs(10), || {
        (server.client().count() == 1).then_some(())
    });
}
