//! Credentials issued in exchange for others: 50skills and Garmat.

use registrar_tests::{TestServer, cases};

use super::{JSON, assert_response, send};

cases! {
    client_secret_is_exchanged_for_token,
    session_is_bound_to_customer_account,
    issued_token_is_revoked_with_its_parent,
    token_is_valid_for_its_contract_only,
}

const FIFTY: &str = "/50skills/v1/auth/token/";
const TYPE: &str = "application/json";

/// Returns the token of a header such as `Bearer reg_…`.
fn token_of(header: &str) -> &str {
    header.rsplit(' ').next().unwrap()
}

fn exchange_secret(
    server: &TestServer,
    client: &str,
    secret: &str,
) -> registrar_tests::TestResponse {
    // The vendor's sample misspells this key.
    let body =
        format!(r#"{{"client_id":"{client}","client_secret":"{secret}","token_type:":"Bearer"}}"#);
    send(server, "POST", FIFTY, "", &[JSON], Some(&body))
}

fn client_secret_is_exchanged_for_token(server: &TestServer) {
    let header = server.new_authorization("50skills", "journeys", &[]);
    let response = exchange_secret(server, "journeys", token_of(&header));
    let body = response.json();
    let token = body["access_token"].as_str().unwrap();
    assert!(
        token.len() == 40 && token.bytes().all(|b| b"0123456789abcdef".contains(&b)),
        "{token}"
    );
    let text = format!(r#"{{"expires_in":35999,"access_token":"{token}","token_type":"Bearer"}}"#);
    assert_response(&response, 200, TYPE, &text);
    let users = |header: &str| send(server, "GET", "/50skills/v1/users/", header, &[], None).status;
    assert_eq!(users(&format!("Bearer {token}")), 200);
    assert_eq!(users(&format!("Bearer {}", "0".repeat(40))), 401);
    let refused = r#"{"error":"invalid_client"}"#;
    for (client, secret) in
        [("other", token_of(&header)), ("journeys", "reg_nothing"), ("journeys", token), ("", "")]
    {
        assert_response(&exchange_secret(server, client, secret), 401, TYPE, refused);
    }
    assert_response(&send(server, "POST", FIFTY, "", &[JSON], Some("{}")), 401, TYPE, refused);
    assert_response(
        &send(server, "POST", FIFTY, "", &[JSON], Some(r#"{"client_secret":7}"#)),
        401,
        TYPE,
        refused,
    );
}

fn session_is_bound_to_customer_account(server: &TestServer) {
    let account = "f260f115-f2e6-4dde-bcab-98b10fdb8cf6";
    let other = "11111111-2222-4333-8444-555555555555";
    let header = server.new_authorization("garmat", "customer", &[("account_id", account)]);
    let own = server.new_authorization("garmat", "garmat", &[]);
    let body = format!(r#"{{"api_key":"{}"}}"#, token_of(&header));
    let response =
        send(server, "POST", "/garmat/api/authenticate", "", &[JSON], Some(&body)).json();
    let session = format!("Bearer {}", response["session_token"].as_str().unwrap());
    let create = |header: &str, email: &str| {
        let body = format!(
            r#"{{"name":"A","role":"customer_admin","email":"{email}","account_id":"{other}"}}"#
        );
        send(server, "POST", "/garmat/api/users", header, &[JSON], Some(&body)).is(200).json()
    };
    // Users created by a customer belong to the customer's account, whatever is sent. Garmat's own
    // credential may name any account.
    let mine = create(&session, "a@b.co");
    let theirs = create(&own, "b@b.co");
    assert_eq!((&mine["account_id"], &theirs["account_id"]), (&account.into(), &other.into()));
    let list = |header: &str, query: &str| {
        let path = format!("/garmat/api/users{query}");
        send(server, "GET", &path, header, &[], None).is(200).json()
    };
    assert_eq!(list(&session, "")["data"], serde_json::json!([mine]));
    assert_eq!(list(&own, "")["total"], 2);
    let one = |header: &str, id: &serde_json::Value| {
        let path = format!("/garmat/api/users/{}", id.as_str().unwrap());
        send(server, "GET", &path, header, &[], None)
    };
    one(&session, &mine["id"]).is(200);
    assert_response(
        &one(&session, &theirs["id"]),
        404,
        "application/json; charset=utf-8",
        r#"{"error":"Not Found"}"#,
    );
    let path = format!("/garmat/api/users/{}", theirs["id"].as_str().unwrap());
    let body = Some(r#"{"name":"Mine"}"#);
    assert_eq!(send(server, "PUT", &path, &session, &[JSON], body).status, 404);
    let changed = send(server, "PUT", &path, &own, &[JSON], body).is(200).json();
    assert_eq!((&changed["name"], &changed["account_id"]), (&"Mine".into(), &other.into()));
}

fn issued_token_is_revoked_with_its_parent(server: &TestServer) {
    let header = server.new_authorization("50skills", "journeys", &[]);
    let token = exchange_secret(server, "journeys", token_of(&header)).json();
    let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap());
    let create = |email: &str| {
        let body = format!(r#"{{"name":"A","email":"{email}"}}"#);
        send(server, "POST", "/50skills/v1/users/", &bearer, &[JSON], Some(&body)).status
    };
    assert_eq!(create("a@b.co"), 201);
    server.revoke("journeys");
    assert_eq!(create("b@b.co"), 401);
    assert_eq!(exchange_secret(server, "journeys", token_of(&header)).status, 401);
    assert_eq!(server.client().count(), 1);
}

fn token_is_valid_for_its_contract_only(server: &TestServer) {
    let header = server.new_authorization("garmat", "garmat", &[]);
    let token = token_of(&header);
    let status = |path: &str, header: &str| send(server, "GET", path, header, &[], None).status;
    assert_eq!(status("/garmat/api/users", &format!("Bearer {token}")), 200);
    assert_eq!(status("/50skills/v1/users/", &format!("Bearer {token}")), 401);
    assert_eq!(status("/user_com/api/public/users/", &format!("Token {token}")), 401);
    assert_eq!(status("/api/users", &format!("Token {token}")), 401);
    assert_eq!(exchange_secret(server, "garmat", token).status, 401);
}
