//! Limits on bodies while they are being received.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use registrar_tests::{Connection, Setup, TestServer, cases, eventually, samples};

cases! {
    paused_uploads_do_not_block_other_clients,
    unauthenticated_bodies_have_a_lower_limit with small_open_body_limit,
    body_below_minimum_rate_gets_408,
    queued_bodies_count_towards_body_memory with small_body_memory,
}

/// Returns the header of a create request with this content length.
fn head(token: &str, length: usize) -> String {
    format!(
        "POST /api/users HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    )
}

fn begin_upload(server: &TestServer, token: &str, length: usize, sent: usize) -> Connection {
    let mut connection = server.connect();
    connection.send(head(token, length).as_bytes());
    connection.send(&vec![b' '; sent]);
    connection
}

fn paused_uploads_do_not_block_other_clients(server: &TestServer) {
    let token = server.new_limited_token("web", &["create"], &["client_sign_up"]);
    let pad = " ".repeat(400_000);
    let mut paused = Vec::new();
    for nth in 0..63 {
        paused.push(begin_upload(server, &token, 1_048_576, 1_048_575));
        if nth % 9 == 8 {
            let sample = samples::client(&format!("during{nth}"));
            server.client().submit("client_sign_up", &sample).created();
        }
    }
    for nth in 0..12 {
        paused.push(begin_upload(server, &token, 80_000 - nth, 70_000));
    }
    for nth in 0..20 {
        server.client().submit("client_sign_up", &samples::client(&format!("c{nth}"))).created();
        if nth % 5 == 0 {
            let form = samples::client(&format!("large{nth}"));
            let body =
                format!("{{\"form_configuration_name\":\"client_sign_up\",{pad}\"form\":{form}}}");
            server.client().post("/api/users", &body).created();
        }
    }
    drop(paused);
}

fn small_open_body_limit(setup: Setup) -> Setup {
    setup.with(|settings| settings.open_body_limit = 1_000)
}

fn unauthenticated_bodies_have_a_lower_limit(server: &TestServer) {
    for path in ["/50skills/v1/auth/token/", "/garmat/api/authenticate", "/api/sessions"] {
        let head = |length: usize| {
            format!(
                "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                 content-length: {length}\r\n\r\n"
            )
        };
        let mut large = server.connect();
        large.send(head(1_048_576).as_bytes());
        large.send(&[b' '; 2_000]);
        let status = large.read_response().status;
        assert!([401, 413].contains(&status), "{path}: {status}");
        let mut small = server.connect();
        small.send(head(900).as_bytes());
        small.send(&[b' '; 900]);
        assert_ne!(small.read_response().status, 413, "{path}");
    }
    // Authenticated clients may send larger bodies.
    let form = samples::client("known");
    let pad = " ".repeat(5_000);
    let body = format!("{{\"form_configuration_name\":\"client_sign_up\",{pad}\"form\":{form}}}");
    server.client().post("/api/users", &body).created();
}

fn body_below_minimum_rate_gets_408(server: &TestServer) {
    let started = Instant::now();
    let mut slow = begin_upload(server, server.token(), 50_000, 100);
    let mut fast = begin_upload(server, server.token(), 20_000, 0);
    let pieces = thread::spawn(move || {
        for _ in 0..16 {
            fast.send(&[b' '; 1_250]);
            thread::sleep(Duration::from_millis(500));
        }
        fast.read_response().status
    });
    slow.read_response().rejected(408, "base", "body_timeout");
    let took = started.elapsed();
    assert!((Duration::from_secs(4)..Duration::from_secs(9)).contains(&took), "{took:?}");
    // The body was received, but it is not JSON.
    assert_eq!(pieces.join().unwrap(), 400);
}

fn small_body_memory(setup: Setup) -> Setup {
    setup.form("email:\nproperties: {v: {type: array}}").with(|settings| {
        settings.body_memory = 2_000_000;
        settings.body_limit = 400_000;
        settings.writers = 1;
        settings.batch = 1;
    })
}

fn queued_bodies_count_towards_body_memory(server: &TestServer) {
    let body = |tag: usize| {
        let numbers = "1e39,".repeat(8_000);
        format!(
            "{{\"form_configuration_name\":\"form\",\"form\":{{\"email\":\"a{tag}@b.co\",\
             \"properties\":{{\"v\":[{numbers}0]}}}}}}"
        )
    };
    let (sender, responses) = mpsc::channel();
    thread::scope(|scope| {
        server.database().with_write_lock(|| {
            for tag in 0..16 {
                let (sender, body) = (sender.clone(), body(tag));
                scope.spawn(move || {
                    sender.send(server.client().post("/api/users", &body)).unwrap();
                });
            }
            // Sixteen bodies take five megabytes. A body without room is rejected at once.
            for _ in 0..10 {
                let refused = responses.recv_timeout(Duration::from_secs(10)).unwrap();
                refused.rejected(503, "base", "busy");
            }
        });
        for response in responses.iter().take(6) {
            assert!([201, 503].contains(&response.status), "{response:?}");
        }
    });
    eventually("body memory is available again", Duration::from_secs(20), || {
        (server.client().post("/api/users", &body(99)).status == 201).then_some(())
    });
}
