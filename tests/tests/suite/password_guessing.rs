//! Rate limits for wrong passwords and client secrets, and for requests without a valid credential
//! by address.

use std::thread;
use std::time::Duration;

use registrar_tests::{Setup, TestResponse, TestServer, cases};
use serde_json::json;

cases! {
    wrong_passwords_delay_sign_in_until_success,
    wrong_basic_passwords_delay_authentication,
    wrong_client_secrets_are_rate_limited_by_address,
    unauthenticated_requests_are_rate_limited_by_address with low_rate_limit,
    contracts_without_authentication_are_rate_limited_by_address with open_contract,
    issued_tokens_share_rate_limit_of_parent with low_rate_limit,
}

const PASSWORD: &str = "brisk-harbour-42";

fn sign_up(server: &TestServer, name: &str) -> i64 {
    let user =
        json!({ "email": format!("{name}@example.com"), "password": PASSWORD, "first_name": name });
    server.client().submit("reference_rest_api_create_user", &user).created()
}

fn sign_in(server: &TestServer, name: &str, password: &str) -> TestResponse {
    let form = json!({ "email": format!("{name}@example.com"), "password": password });
    let body =
        json!({ "form_configuration_name": "reference_rest_api_create_session", "form": form });
    server.client().post("/api/sessions", &body.to_string())
}

fn retry_after(response: &TestResponse) -> u64 {
    response.is(429).header("retry-after").unwrap().parse().unwrap()
}

fn wrong_passwords_delay_sign_in_until_success(server: &TestServer) {
    let ann = sign_up(server, "ann");
    sign_up(server, "bob");
    for _ in 0..5 {
        assert_eq!(sign_in(server, "ann", "wrong password").status, 422);
    }
    let throttled = sign_in(server, "ann", PASSWORD);
    assert!((1..=2).contains(&retry_after(&throttled)), "{throttled:?}");
    assert!(throttled.text.contains("too many failed sign-in attempts"), "{throttled:?}");
    assert_eq!(
        retry_after(&sign_in(server, " ANN", PASSWORD)),
        1,
        "spelling of the name does not matter"
    );
    assert_eq!(sign_in(server, "bob", PASSWORD).status, 201, "other users are not affected");
    let metrics = server.anonymous().get("/metrics").is(200).text.clone();
    assert!(metrics.contains("registrar_sign_in_failures_total 5"), "{metrics}");
    assert!(metrics.contains("registrar_sign_in_throttled_total 2"), "{metrics}");
    thread::sleep(Duration::from_millis(1100));
    assert_eq!(sign_in(server, "ann", PASSWORD).status, 201);
    for _ in 0..5 {
        assert_eq!(sign_in(server, "ann", "wrong password").status, 422);
    }
    retry_after(&sign_in(server, "ann", PASSWORD));
    // Unknown names are delayed like others.
    for _ in 0..5 {
        assert_eq!(sign_in(server, "nobody", "wrong password").status, 422);
    }
    retry_after(&sign_in(server, "nobody", "wrong password"));
    registrar_tests::eventually("failures are audited", Duration::from_secs(10), || {
        let cells = server.database().all_cells();
        let attempts = cells
            .iter()
            .filter(|cell| cell.contains("audit_events.action: ") && cell.contains("attempt"));
        (attempts.count() == 10).then_some(())
    });
    let owner = server.database().all_cells();
    let of_ann = format!("audit_events.user_id: {ann}");
    assert!(owner.iter().filter(|cell| **cell == of_ann).count() >= 10, "{owner:?}");
}

fn wrong_basic_passwords_delay_authentication(server: &TestServer) {
    let operator = server.new_authorization("econtext", "ops@example.com", &[]);
    let client = server.anonymous().with_authorization(&operator);
    client.get("/econtext/api/users").is(200);
    let wrong = registrar_contracts::Scheme::Basic.header("ops@example.com", "wrong");
    let wrong = server.anonymous().with_authorization(&wrong);
    let rejected = wrong.get("/econtext/api/users");
    for _ in 0..4 {
        assert_eq!(wrong.get("/econtext/api/users").status, rejected.status);
    }
    let delayed = wrong.get("/econtext/api/users");
    assert!(delayed.header("retry-after").is_some(), "{delayed:?}");
    // A recently verified password is cached and not delayed.
    client.get("/econtext/api/users").is(200);
}

fn wrong_client_secrets_are_rate_limited_by_address(server: &TestServer) {
    let try_secret = |secret: &str| {
        server
            .anonymous()
            .post("/garmat/api/authenticate", &json!({ "api_key": secret }).to_string())
    };
    let rejected = try_secret("guess").status;
    assert!(rejected < 500 && rejected != 429);
    for _ in 0..49 {
        assert_eq!(try_secret("guess").status, rejected);
    }
    let token = server.new_token("app", None);
    retry_after(&try_secret(&token));
    thread::sleep(Duration::from_millis(1100));
    try_secret(&token).is(200);
}

fn low_rate_limit(setup: Setup) -> Setup {
    setup.with(|settings| {
        settings.rate_limit = 2;
        settings.rate_burst = 4;
    })
}

fn unauthenticated_requests_are_rate_limited_by_address(server: &TestServer) {
    let nonsense = server.anonymous().with_token("nonsense");
    let statuses: Vec<u16> = (0..12).map(|_| nonsense.get("/api/users").status).collect();
    assert!(statuses.contains(&401) && statuses.contains(&429), "{statuses:?}");
    let open = || server.anonymous().get("/econtext/api/ping").status;
    let statuses: Vec<u16> = (0..12).map(|_| open()).collect();
    assert!(statuses.iter().filter(|status| **status == 429).count() >= 6, "{statuses:?}");
    // Tokens have their own rate limit.
    server.client().get("/api/users").is(200);
}

const OPEN_CONTRACT: &str = "\
mount: /open
form: sign_up
authentication: { schemes: [none] }
catalogue: words
routes: [{ method: POST, path: /people, operation: create }]
answers:
  created: { status: 201 }
  invalid: { status: 422 }
  not_an_object: { status: 400 }
  malformed: { status: 400 }
  unsupported_media_type: { status: 415 }
  route_not_found: { status: 404 }
  method_not_allowed: { status: 405 }
  error: {}
";

fn open_contract(setup: Setup) -> Setup {
    let form = "resource: User\nfields: { email: }\n";
    low_rate_limit(setup.forms(&[
        ("sign_up.yml", form),
        ("contracts/catalogues/words.yml", "messages: { blank: 'is needed' }\n"),
        ("contracts/open.yml", OPEN_CONTRACT),
    ]))
}

fn contracts_without_authentication_are_rate_limited_by_address(server: &TestServer) {
    let create = || server.anonymous().post("/open/people", "{}").status;
    let statuses: Vec<u16> = (0..12).map(|_| create()).collect();
    let count = |status| statuses.iter().filter(|it| **it == status).count();
    assert!(count(422) >= 4 && count(429) >= 4, "{statuses:?}");
}

fn issued_tokens_share_rate_limit_of_parent(server: &TestServer) {
    let token = server.new_token("app", None);
    let issue = || {
        let body = json!({ "api_key": token }).to_string();
        server.anonymous().post("/garmat/api/authenticate", &body)
    };
    let mut issued = Vec::new();
    while issued.len() < 4 {
        match issue() {
            response if response.status == 200 => {
                let token = response.json()["session_token"].as_str().unwrap().to_owned();
                issued.push(server.anonymous().with_authorization(&format!("Bearer {token}")));
            }
            response => assert_eq!(response.status, 429, "{response:?}"),
        }
        thread::sleep(Duration::from_millis(100));
    }
    thread::sleep(Duration::from_secs(3));
    let calls = issued.iter().cycle().take(24);
    let statuses: Vec<u16> = calls.map(|client| client.get("/garmat/api/users").status).collect();
    let served = statuses.iter().filter(|status| **status == 200).count();
    assert!((1..=12).contains(&served), "{statuses:?}");
}
