//! Lists during sign-ups: table scans do not delay creates.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use registrar_tests::{Setup, TestServer, cases, iterations, samples};

cases! {
    lists_do_not_starve_creates with one_reader,
    listing_by_form_uses_an_index,
}

fn one_reader(setup: Setup) -> Setup {
    setup.with(|settings| settings.readers = 1)
}

/// Number of users scanned by each list.
const USERS: u32 = 40_000;
/// Number of listing clients.
const CLIENTS: usize = 24;

fn lists_do_not_starve_creates(server: &TestServer) {
    let columns = "id, uuid, featured, public_profile, properties, form_name, form_version, \
                   created_at, updated_at";
    let rows = if server.database().is_postgres() {
        format!(
            "SELECT 1000000 + i, gen_random_uuid(), false, false, '{{\"account_id\": \"x\"}}', \
             'garmat', 'v', now(), now() FROM generate_series(1, {USERS}) i"
        )
    } else {
        format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {USERS}) \
             SELECT 1000000 + i, randomblob(16), 0, 0, '{{\"account_id\":\"x\"}}', 'garmat', 'v', \
             0, 0 FROM n"
        )
    };
    server.database().execute(&format!("INSERT INTO users ({columns}) {rows}"));
    let token = server.new_token("other", None);
    // No index covers this attribute.
    let customer = server.new_authorization("garmat", "customer", &[("account_id", "y")]);
    let over = AtomicBool::new(false);
    let slowest = thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let headers = [("authorization", &*customer)];
                    let reported =
                        server.anonymous().send("GET", "/garmat/api/users", &headers, None);
                    assert!([200, 503].contains(&reported.status), "{reported:?}");
                }
            });
        }
        let mut slowest = Duration::ZERO;
        for n in 0..iterations(5, 50) {
            // By then the token must be looked up again.
            thread::sleep(Duration::from_millis(1200));
            let started = Instant::now();
            let client = server.anonymous().with_token(&token);
            client.submit("client_sign_up", &samples::client(&format!("n{n}"))).created();
            slowest = slowest.max(started.elapsed());
        }
        over.store(true, Ordering::Relaxed);
        slowest
    });
    println!("the slowest create took {slowest:?}");
    assert!(slowest < Duration::from_millis(700), "{slowest:?}");
}

fn listing_by_form_uses_an_index(server: &TestServer) {
    let plan =
        server.database().query_plan("SELECT count(*) FROM users WHERE form_name IN ('nobody')");
    assert!(plan.contains("users_form_name"), "{plan}");
}
