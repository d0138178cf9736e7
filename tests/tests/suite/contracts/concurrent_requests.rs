//! Concurrent requests through several contracts for the same addresses, keys and records.

use std::thread;

use registrar_tests::{TestServer, cases};
use serde_json::{Value, json};

use super::{JSON, send};

const ROUNDS: usize = 8;
const CLIENTS: usize = 12;

cases! {
    concurrent_creates_of_one_email_through_any_contract_have_one_winner,
    concurrent_creates_of_one_relationship_key_create_it_once,
    concurrent_updates_of_one_user_are_all_kept,
}

/// Returns the results of concurrent calls.
fn run_concurrently<T: Send>(call: impl Fn(usize) -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let threads: Vec<_> = (0..CLIENTS)
            .map(|n| {
                scope.spawn({
                    let call = &call;
                    move || call(n)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn concurrent_creates_of_one_email_through_any_contract_have_one_winner(server: &TestServer) {
    let native = |email: &str| {
        let form = json!({"email": email, "password": "somepassword", "first_name": "E"});
        server.client().submit("reference_rest_api_create_user", &form).status
    };
    let post = |path: &str, header: &str, body: Value| {
        send(server, "POST", path, header, &[JSON], Some(&body.to_string())).status
    };
    for round in 0..ROUNDS {
        let email = format!("a{round}@b.co");
        let statuses = run_concurrently(|client| match client % 3 {
            0 => native(&email),
            1 => post("/50skills/v1/users/", "Bearer $", json!({"name": "A", "email": email})),
            _ => post(
                "/garmat/api/users",
                "Bearer $",
                json!({"name": "A", "email": email, "role": "customer_admin", "account_id": "f260f115-f2e6-4dde-bcab-98b10fdb8cf6"}),
            ),
        });
        let won = statuses.iter().filter(|status| matches!(status, 200 | 201)).count();
        let lost = statuses.iter().filter(|status| matches!(status, 400 | 422)).count();
        assert_eq!((won, lost), (1, CLIENTS - 1), "{statuses:?}");
    }
    assert_eq!(server.client().count(), i64::try_from(ROUNDS).unwrap());
}

fn concurrent_creates_of_one_relationship_key_create_it_once(server: &TestServer) {
    for round in 0..ROUNDS {
        let tag = format!("tag {round}");
        let users = run_concurrently(|_| {
            let body = json!({"tags": [tag], "company_id": tag}).to_string();
            let response = send(
                server,
                "POST",
                "/user_com/api/public/users/",
                "Token $",
                &[JSON],
                Some(&body),
            );
            response.is(201).json()
        });
        for of in ["tags", "companies"] {
            assert!(
                users.iter().all(|user| user[of][0]["id"] == users[0][of][0]["id"]),
                "{users:?}"
            );
        }
    }
    let tags = send(server, "GET", "/user_com/api/public/tags/", "Token $", &[], None).json();
    assert_eq!(tags["count"], ROUNDS);
}

fn concurrent_updates_of_one_user_are_all_kept(server: &TestServer) {
    let path = "/user_com/api/public/users/";
    send(server, "POST", path, "Token $", &[JSON], Some("{}")).is(201);
    let mut added: Vec<usize> = Vec::new();
    for round in 0..3 {
        let statuses = run_concurrently(|client| {
            let body = json!({"name": format!("{round}-{client}")}).to_string();
            send(server, "POST", &format!("{path}1/add_tag/"), "Token $", &[JSON], Some(&body))
                .status
        });
        // After three conflicts the request is rejected with 503 and has no effect.
        assert!(statuses.iter().all(|status| matches!(status, 200 | 503)), "{statuses:?}");
        added.push(statuses.iter().filter(|status| **status == 200).count());
    }
    let user = send(server, "GET", &format!("{path}1/"), "Token $", &[], None).json();
    assert_eq!(user["tags"].as_array().unwrap().len(), added.iter().sum::<usize>());
}
