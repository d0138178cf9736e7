//! Values that are expensive to validate, against a server limited to 4 GB of memory.

use std::thread;
use std::time::{Duration, Instant};

use registrar_tests::{Database, Process, Setup};
use serde_json::{Value, json};

use super::inputs::{nested, recursive_unions, rich_text};

/// Maximum time for validation in unoptimised builds. Without limits these values take forever.
const MAX_VALIDATION_TIME: Duration = Duration::from_secs(8);
/// Memory limit of the server, in KiB.
const MEMORY_LIMIT_KIB: u64 = 4_000_000;

fn serve(schemas: &[(&str, Value)]) -> (Setup, Process) {
    let forms: Vec<(String, String)> = schemas
        .iter()
        .map(|(name, schema)| {
            let form = format!(
                "resource: User\nfields:\n  properties:\n    v: {{type: json, validation: {{schema: {{schema: {schema}}}}}}}\n"
            );
            (format!("{name}.yml"), form)
        })
        .collect();
    let forms: Vec<(&str, &str)> =
        forms.iter().map(|(name, form)| (name.as_str(), form.as_str())).collect();
    let setup = Setup::of(Database::Sqlite).unwrap().more_forms(&forms);
    let server = setup.serve_with_memory_limit(MEMORY_LIMIT_KIB);
    (setup, server)
}

fn body(form: &str, value: &str) -> String {
    format!(
        "{{\"form_configuration_name\":\"{form}\",\"form\":{{\"properties\":{{\"v\":{value}}}}}}}"
    )
}

#[test]
fn recursive_union_schemas_are_validated_in_bounded_time() {
    let mut schemas = vec![("rich", rich_text())];
    schemas.extend(recursive_unions());
    let (_setup, server) = serve(&schemas);
    let client = server.client(&server.first_token());
    for (name, _) in &schemas {
        for depth in [8, 10, 12, 14, 28] {
            let documents = match *name {
                "rich" => ["1", "\"x\""].map(|text| {
                    let text = format!("{{\"type\":\"text\",\"text\":{text}}}");
                    nested(depth, "{\"type\":\"list\",\"content\":[", &text, "]}")
                }),
                _ => ["1", "{}"].map(|inner| nested(depth, "{\"a\":", inner, "}")),
            };
            for document in documents {
                let started = Instant::now();
                let status = client.post("/api/users", &body(name, &document)).status;
                assert!([201, 422].contains(&status), "{name} {depth}: {status}");
                assert!(
                    started.elapsed() < MAX_VALIDATION_TIME,
                    "{name} {depth}: {:?}",
                    started.elapsed()
                );
            }
        }
    }
    let peak = server.peak_memory();
    assert!(peak < 200 * 1024, "{peak} KiB");
}

#[test]
fn expensive_validations_do_not_block_health_checks() {
    let numbers: Vec<String> =
        (0..12_000).map(|nth| format!("10000000000000000000000000{nth:05}")).collect();
    let numbers = format!("[{}]", numbers.join(","));
    let kinds: Vec<Value> = (0..8)
        .map(|kind| json!({ "type": "object", "properties": { "kind": { "const": kind } }, "required": ["kind"] }))
        .collect();
    let objects = format!("[{}{{}}]", "{},".repeat(250_000));
    let (_setup, server) = serve(&[
        ("unique", json!({ "type": "array", "uniqueItems": true })),
        ("sized", json!({ "type": "array", "uniqueItems": true, "maxItems": 100 })),
        ("kinds", json!({ "type": "array", "maxItems": 100, "items": { "oneOf": kinds } })),
        ("all", json!({ "type": "array", "contains": { "oneOf": kinds } })),
    ]);
    let token = server.first_token();
    let before = server.resident_memory();
    for (form, value, status) in [
        ("unique", &numbers, 201),
        ("sized", &numbers, 422),
        ("kinds", &objects, 422),
        ("all", &objects, 422),
    ] {
        let (started, body) = (Instant::now(), body(form, value));
        thread::scope(|scope| {
            let two: Vec<_> = (0..2)
                .map(|_| scope.spawn(|| server.client(&token).post("/api/users", &body).status))
                .collect();
            let live = server.anonymous();
            let mut slowest = Duration::ZERO;
            while two.iter().any(|post| !post.is_finished()) {
                let start = Instant::now();
                live.get("/health/live").is(200);
                slowest = slowest.max(start.elapsed());
                thread::sleep(Duration::from_millis(20));
            }
            for post in two {
                assert_eq!(post.join().unwrap(), status, "{form}");
            }
            assert!(slowest < Duration::from_secs(2), "{form}: {slowest:?}");
        });
        let most = if cfg!(debug_assertions) { 60 } else { 6 };
        assert!(started.elapsed() < Duration::from_secs(most), "{form}: {:?}", started.elapsed());
    }
    let grown = server.resident_memory().saturating_sub(before);
    assert!(grown < 150 * 1024, "grew by {grown} KiB");
}
