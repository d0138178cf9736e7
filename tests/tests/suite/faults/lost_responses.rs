//! Responses lost after the commit: repeating the request with the same `Idempotency-Key` replays
//! the response and has no further effect. 50 times per database; 500 times at full length.

use std::collections::BTreeSet;
use std::time::Duration;

use registrar_tests::{
    NetworkCondition, Proxy, TestServer, Upstream, cases, eventually, iterations,
};

use super::{post, retry_until_created, sign_up};

cases! {
    lost_response_is_replayed_for_idempotency_key,
    response_to_disconnected_client_is_replayed_for_idempotency_key,
}

fn lost_response_is_replayed_for_idempotency_key(server: &TestServer) {
    let proxy = Proxy::start(Upstream::Tcp(server.port()));
    let mut ids = BTreeSet::new();
    for nth in 1..=iterations(50, 500) {
        let (key, body) = (format!("key-{nth}"), sign_up(&format!("s{nth}")));
        proxy.set(NetworkCondition::CutOnResponse);
        assert!(post(&proxy.client(server.token()), &key, &body).is_none(), "the response is lost");
        assert_eq!(proxy.cuts(), nth, "the response was cut");
        let stored = server.database().count("users");
        assert_eq!(stored, i64::try_from(nth).unwrap(), "the request was executed");
        proxy.set(NetworkCondition::Healthy);
        let again = post(&proxy.client(server.token()), &key, &body).unwrap();
        ids.insert(again.created());
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(server.database().count("users"), stored, "the request runs once");
    }
    assert_eq!(ids.len(), iterations(50, 500));
}

fn response_to_disconnected_client_is_replayed_for_idempotency_key(server: &TestServer) {
    let mut ids = BTreeSet::new();
    for nth in 1..=iterations(50, 500) {
        let (key, body) = (format!("key-{nth}"), sign_up(&format!("s{nth}")));
        let mut connection = server.connect();
        let length = body.len();
        let token = server.token();
        connection.send(
            format!(
                "POST /api/users HTTP/1.1\r\nhost: x\r\nauthorization: Token token={token}\r\n\
                 idempotency-key: {key}\r\ncontent-type: application/json\r\n\
                 content-length: {length}\r\n\r\n{body}"
            )
            .as_bytes(),
        );
        let expected = i64::try_from(nth).unwrap();
        if nth % 2 == 0 {
            eventually("the request was executed", Duration::from_secs(10), || {
                (server.database().count("users") == expected).then_some(())
            });
        }
        drop(connection);
        let (again, _) = retry_until_created(|| post(&server.client(), &key, &body));
        ids.insert(again.created());
        assert_eq!(server.database().count("users"), expected, "the request runs once");
    }
    assert_eq!(ids.len(), iterations(50, 500));
}
