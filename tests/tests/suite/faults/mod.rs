//! Faults of the infrastructure: statements, disks, connections, PostgreSQL. Acknowledged users are
//! never lost, no user is stored partially, and operation resumes without a restart.

mod failing_statements;
mod load;
mod lost_responses;
mod network;
mod pgbouncer;
mod postgres_kill;
mod sqlite_disk;
mod sqlite_file;
mod startup;
mod tls;
mod transaction_retries;

use std::time::{Duration, Instant};

use registrar_tests::{TestResponse, TokenClient, samples};
use serde_json::json;

/// Maximum time to resume operation after a fault.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(2);

/// Returns the body of a seller's sign-up.
fn sign_up(tag: &str) -> String {
    let form = samples::seller(tag);
    json!({ "form_configuration_name": "marketplace_seller", "form": form }).to_string()
}

/// Sends a POST request with an `Idempotency-Key`. Returns `None` if no response arrives.
fn post(client: &TokenClient, key: &str, body: &str) -> Option<TestResponse> {
    let headers = [("content-type", "application/json"), ("idempotency-key", key)];
    client.try_send("POST", "/api/users", &headers, Some(body.as_bytes())).ok()
}

/// Repeats a request until it responds with 201; earlier responses must be 409 or 503. Returns the
/// elapsed time too.
fn retry_until_created(ask: impl Fn() -> Option<TestResponse>) -> (TestResponse, Duration) {
    let started = Instant::now();
    loop {
        match ask() {
            Some(response) if response.status == 201 => return (response, started.elapsed()),
            Some(response) => assert!(matches!(response.status, 409 | 503), "{response:?}"),
            None => {}
        }
        assert!(started.elapsed() < Duration::from_secs(30), "no recovery");
        std::thread::sleep(Duration::from_millis(20));
    }
}
