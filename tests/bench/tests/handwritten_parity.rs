//! Verifies that the handwritten server and Registrar respond to the same requests with the same
//! status and the same invalid fields, and store the same rows. Otherwise the comparison would be
//! meaningless.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic fails the test")]

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use registrar_bench::handwritten::{Commit, Flags, HandwrittenServer};
use registrar_bench::runner::http::Client;
use registrar_server::app::Application;
use registrar_server::auth::token;
use registrar_server::settings::Settings;
use serde_json::{Value, json};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Starts Registrar in a thread that outlives the test, and returns its address.
fn start_registrar(database_url: &str, token: &str) -> SocketAddr {
    let settings = Settings {
        listen: "127.0.0.1:0".to_owned(),
        database_url: database_url.to_owned(),
        forms: vec![root().join("forms")],
        ..Settings::default()
    };
    let (tell, reported) = mpsc::channel();
    let hash = token::hash(token);
    thread::spawn(move || {
        actix_web::rt::System::new().block_on(async {
            let application = Application::build(settings).unwrap();
            application.store().create_token("bench", &hash, None, None, None).unwrap();
            tell.send(application.port()).unwrap();
            application.run().await.unwrap();
        });
    });
    SocketAddr::from(([127, 0, 0, 1], reported.recv().unwrap()))
}

fn start_handwritten(database_url: &str, token: &str, commit: Commit) -> SocketAddr {
    let flags = Flags {
        database_url: database_url.to_owned(),
        listen: "127.0.0.1:0".to_owned(),
        token: token.to_owned(),
        commit,
        writers: 1,
        connections: 2,
    };
    let (tell, reported) = mpsc::channel();
    thread::spawn(move || {
        actix_web::rt::System::new().block_on(async {
            let HandwrittenServer { server, port } = HandwrittenServer::build(&flags).unwrap();
            tell.send(port).unwrap();
            server.await.unwrap();
        });
    });
    SocketAddr::from(([127, 0, 0, 1], reported.recv().unwrap()))
}

/// A valid submission, unique by its number.
fn valid(n: u32) -> Value {
    json!({
        "email": format!(" Ann.{n}@Exåmple.com "), "first_name": "  Ann \t Marie ", "last_name": "Lee",
        "profiles": {"seller": {"properties": {
            "shop_name": format!("Ann's \"Boats\" {n}"), "response_hours": 12}}},
        "transactables": {"boat": [
            {"name": "Skiff", "currency": "NOK", "properties": {
                "registration": format!(" ab-{n}-1 "), "length_m": 9.50, "berths": 4,
                "price_per_day": 120.0}},
            {"name": "Ketch", "properties": {
                "registration": format!("ab-{n}-2"), "length_m": 14, "berths": 0,
                "price_per_day": 99.9}},
        ]},
    })
}

/// A valid submission with another value at a JSON pointer; `null` removes the key.
fn with(n: u32, pointer: &str, value: Value) -> Value {
    let mut form = valid(n);
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = form.pointer_mut(parent).unwrap();
    match (parent, value) {
        (Value::Object(entries), Value::Null) => drop(entries.remove(key)),
        (Value::Object(entries), value) => drop(entries.insert(key.to_owned(), value)),
        _ => panic!("{pointer} is in no object"),
    }
    form
}

/// Submissions, to be sent once each in this order.
fn submissions() -> Vec<Value> {
    let shop = "/profiles/seller/properties/shop_name";
    let hours = "/profiles/seller/properties/response_hours";
    let boat = |rest: &str| format!("/transactables/boat/0/{rest}");
    let mut all = vec![valid(1), valid(1), valid(2), with(3, "/password", json!("secret 1"))];
    let changes: &[(&str, Value)] = &[
        ("/email", Value::Null),
        ("/email", json!(" ")),
        ("/email", json!("ann@")),
        ("/email", json!("ann@-example.com")),
        ("/email", json!("ANN.1@exåmple.com")),
        ("/password", json!("short")),
        ("/password", json!("")),
        ("/first_name", json!(" \u{3000}")),
        ("/last_name", Value::Null),
        ("/nickname", json!("A")),
        ("/profiles", Value::Null),
        ("/profiles/seller", json!({})),
        (shop, json!("ab")),
        (shop, json!("é".repeat(60))),
        (shop, json!("é".repeat(61))),
        (shop, json!("Ann's \"Boats\" 1")),
        (hours, Value::Null),
        (hours, json!(0)),
        (hours, json!(72)),
        ("/transactables", Value::Null),
        ("/transactables/boat", json!([])),
        (&boat("name"), Value::Null),
        (&boat("name"), json!("n".repeat(81))),
        (&boat("currency"), json!("SEK")),
        (&boat("properties/registration"), Value::Null),
        (&boat("properties/registration"), json!("AB-1-1")),
        (&boat("properties/length_m"), Value::Null),
        (&boat("properties/length_m"), json!(2)),
        (&boat("properties/length_m"), json!(60)),
        (&boat("properties/length_m"), json!(60.5)),
        (&boat("properties/berths"), Value::Null),
        (&boat("properties/berths"), json!(-1)),
        (&boat("properties/price_per_day"), json!(0)),
        (&boat("properties/price_per_day"), Value::Null),
        (&boat("properties/price_per_day"), json!("x")),
    ];
    for ((pointer, value), n) in changes.iter().zip(100..) {
        all.push(with(n, pointer, value.clone()));
    }
    let mut twice = valid(200);
    twice["transactables"]["boat"][1]["properties"]["registration"] = json!("AB-200-1");
    let mut many = valid(201);
    many["transactables"]["boat"] = (0..31)
        .map(|i| {
            json!({"name": "N", "properties": {"registration": format!("many-{i}"),
            "length_m": 5, "berths": 1, "price_per_day": 1}})
        })
        .collect();
    all.extend([twice, many]);
    all
}

/// Returns the status and the invalid fields.
fn post(address: SocketAddr, token: &str, form: &Value) -> (u16, BTreeSet<String>) {
    let body = json!({"form_configuration_name": "marketplace_seller", "form": form}).to_string();
    let mut client = Client::connect(address).unwrap();
    let response = client.post("/api/users", token, &body).unwrap();
    let reported: Value = serde_json::from_str(&response.body).unwrap_or_default();
    let errors = reported["errors"].as_object();
    (response.status, errors.map(|errors| errors.keys().cloned().collect()).unwrap_or_default())
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Returns the stored rows without uuids, timestamps and form versions.
fn rows(url: &str) -> Vec<String> {
    let queries = [
        "SELECT id || '|' || email || '|' || coalesce(email_key, '-') || '|' || first_name || '|' || last_name \
         || '|' || featured || '|' || public_profile || '|' || form_name || '|' \
         || coalesce(middle_name, external_id, language, phone, '-') || '|' || properties AS line \
         FROM users ORDER BY id",
        "SELECT user_id || '|' || position || '|' || type_name || '|' || enabled || '|' \
         || properties AS line FROM user_profiles ORDER BY user_id",
        "SELECT user_id || '|' || position || '|' || type_name || '|' || name || '|' || currency \
         || '|' || enabled || '|' || properties AS line FROM transactables \
         ORDER BY user_id, position",
        "SELECT scope || '|' || value_key || '|' || users.id AS line FROM unique_claims \
         JOIN users ON users.uuid = owner ORDER BY line",
        "SELECT 'orphan' AS line FROM unique_claims WHERE owner NOT IN (SELECT uuid FROM users)",
        "SELECT 'password of ' || user_id || substr(phc, 1, 31) AS line FROM password_credentials",
    ];
    let mut lines = Vec::new();
    for query in queries {
        let found: Vec<Line> = match url.strip_prefix("sqlite:") {
            Some(path) => {
                let mut conn = SqliteConnection::establish(path).unwrap();
                conn.batch_execute("PRAGMA busy_timeout = 5000").unwrap();
                sql_query(query).load(&mut conn).unwrap()
            }
            None => sql_query(query).load(&mut PgConnection::establish(url).unwrap()).unwrap(),
        };
        lines.push(format!("{} rows", found.len()));
        lines.extend(found.into_iter().map(|found| found.line));
    }
    lines
}

/// Sends the same submissions to all servers, each with its own database.
fn compare(database: impl Fn(&str) -> String) {
    let token = token::generate().unwrap();
    let token = token.reveal();
    let urls: Vec<String> = ["registrar", "group", "each"].map(database).into();
    let servers = [
        start_registrar(&urls[0], token),
        start_handwritten(&urls[1], token, Commit::Group),
        start_handwritten(&urls[2], token, Commit::Each),
    ];
    let mut created = 0;
    for form in submissions() {
        let responses = servers.map(|server| post(server, token, &form));
        created += u32::from(responses[0].0 == 201);
        for (response, who) in responses.iter().zip(["registrar", "group", "each"]) {
            // Errors of serde are reported for the whole body.
            let is_same = response.0 == responses[0].0
                && (response.1 == responses[0].1 || response.1.contains("base"));
            assert!(is_same, "{who}: {response:?} instead of {:?} to {form}", responses[0]);
        }
    }
    assert!(created > 5, "only {created} were created");
    let stored: Vec<Vec<String>> = urls.iter().map(|url| rows(url)).collect();
    assert_eq!(stored[0], stored[1]);
    assert_eq!(stored[0], stored[2]);
}

#[test]
fn handwritten_server_matches_registrar_on_sqlite() {
    let folder = std::env::temp_dir().join(format!("registrar-same-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    compare(|name| format!("sqlite:{}", folder.join(name).display()));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn handwritten_server_matches_registrar_on_postgresql() {
    let Some(cluster) = registrar_scratch_postgres::scratch() else { return };
    compare(|_| cluster.database());
}
