//! What clients see when that on which Registrar stands fails: statements, disks, connections,
//! PostgreSQL itself. Nobody who was acknowledged is lost, nobody is half-written, and it goes on
//! by itself once it can.

mod disk;
mod file;
mod load;
mod locks;
mod network;
mod pooler;
mod postmaster;
mod replies;
mod starting;
mod statements;
mod tls;

use std::time::{Duration, Instant};

use registrar_tests::{Answer, TokenClient, samples};
use serde_json::json;

/// Within what it works again once it can.
const BACK: Duration = Duration::from_secs(2);

/// What somebody posts who signs up as a seller.
fn sign_up(tag: &str) -> String {
    let form = samples::seller(tag);
    json!({ "form_configuration_name": "marketplace_seller", "form": form }).to_string()
}

/// Posts under an `Idempotency-Key`; nothing where no answer comes.
fn post(client: &TokenClient, key: &str, body: &str) -> Option<Answer> {
    let headers = [("content-type", "application/json"), ("idempotency-key", key)];
    client.try_send("POST", "/api/users", &headers, Some(body.as_bytes())).ok()
}

/// Asks again until the answer is a good one; all others until then tell to come back. Gives how
/// long it took too.
fn until_created(ask: impl Fn() -> Option<Answer>) -> (Answer, Duration) {
    let begun = Instant::now();
    loop {
        match ask() {
            Some(answer) if answer.status == 201 => return (answer, begun.elapsed()),
            Some(answer) => assert!(matches!(answer.status, 409 | 503), "{answer:?}"),
            None => {}
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "it does not work again");
        std::thread::sleep(Duration::from_millis(20));
    }
}
