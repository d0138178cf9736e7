//! Invariant 6: no input leads to a 5xx response. Valid submissions are mutated at random,
//! reproducibly, in their text and structure, and known problematic values are tried in every
//! position.

use std::collections::BTreeMap;

use registrar_tests::{Random, TestServer, cases, iterations, samples};
use serde_json::{Value, json};

use super::updates::{create_seller, update_forms};

cases! {
    problematic_values_in_every_field_never_cause_5xx,
    mutated_json_submissions_never_cause_5xx,
    mutated_form_fields_never_cause_5xx,
    mutated_updates_never_cause_5xx with update_forms,
    random_paths_and_queries_never_cause_5xx,
}

const SEED: u64 = 20_260_101;
const ITERATIONS: usize = 900;
/// Together with `hostile_input.rs`, more than 20,000 inputs.
const FULL_LENGTH_ITERATIONS: usize = 6_000;

/// Returns a valid submission for a tag.
type Sample = fn(&str) -> Value;

fn problematic_values_in_every_field_never_cause_5xx(server: &TestServer) {
    let candidates: Vec<Value> = PROBLEMATIC_STRINGS
        .iter()
        .map(|text| json!(text))
        .chain((0..9).map(problematic_value))
        .collect();
    let mut statuses = BTreeMap::new();
    let mut count = 0;
    let samples: [(&str, Sample); 3] = [
        ("client_sign_up", samples::client),
        ("marketplace_seller", samples::seller),
        ("developer_sign_up", |tag| with_short_password(samples::developer(tag))),
    ];
    for (form, sample) in samples {
        let mut locations = Vec::new();
        all_pointers(&sample(""), "", &mut locations);
        for location in &locations {
            for candidate in &candidates {
                count += 1;
                let mut mutated = sample(&format!("n{count}"));
                *mutated.pointer_mut(location).unwrap() = candidate.clone();
                let response = server.client().submit(form, &mutated);
                assert!(
                    (201..500).contains(&response.status),
                    "{location}: {candidate}: {response:?}"
                );
                *statuses.entry(response.status).or_insert(0) += 1;
            }
        }
    }
    assert!(statuses[&201] > 100 && statuses[&422] > 1000, "{statuses:?}");
    assert_all_users_readable(server);
}

/// Avoids the cost of password hashing.
fn with_short_password(mut sample: Value) -> Value {
    sample["password"] = json!("short");
    sample["password_confirmation"] = json!("short");
    sample
}

/// Collects the JSON pointers of all values.
pub(super) fn all_pointers(value: &Value, at: &str, locations: &mut Vec<String>) {
    locations.push(at.to_owned());
    match value {
        Value::Object(entries) => {
            entries
                .iter()
                .for_each(|(key, inner)| all_pointers(inner, &format!("{at}/{key}"), locations));
        }
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.for_each(|(index, inner)| {
                all_pointers(inner, &format!("{at}/{index}"), locations)
            });
        }
        _ => {}
    }
}

fn assert_all_users_readable(server: &TestServer) {
    for page in 1..=(server.client().count() / 100 + 1) {
        server.client().get(&format!("/api/users?per_page=100&page={page}")).is(200);
    }
    server.anonymous().get("/health/ready").is(200);
}

fn mutated_json_submissions_never_cause_5xx(server: &TestServer) {
    let mut random = Random::new(SEED);
    let mut statuses = BTreeMap::new();
    for nth in 0..iterations(ITERATIONS, FULL_LENGTH_ITERATIONS) {
        let (form, sample) = match nth % 3 {
            0 => ("client_sign_up", samples::client(&format!("c{nth}"))),
            1 => ("marketplace_seller", samples::seller(&format!("s{nth}"))),
            _ => ("developer_sign_up", with_short_password(samples::developer(&format!("d{nth}")))),
        };
        let mut body = json!({ "form_configuration_name": form, "form": sample });
        for _ in 0..random.below(3) {
            mutate_value(&mut body, &mut random);
        }
        let mut text = body.to_string().into_bytes();
        if random.below(3) == 0 {
            mutate_bytes(&mut text, &mut random);
        }
        let content_type = [("content-type", "application/json")];
        let response = server.client().send("POST", "/api/users", &content_type, Some(&text));
        let shown = String::from_utf8_lossy(&text);
        assert!((201..500).contains(&response.status), "seed {SEED}, {nth}: {response:?}\n{shown}");
        *statuses.entry(response.status).or_insert(0) += 1;
    }
    for status in [201, 400, 406, 422] {
        assert!(statuses.get(&status).is_some_and(|count| *count > 20), "{statuses:?}");
    }
    assert_all_users_readable(server);
}

fn mutated_updates_never_cause_5xx(server: &TestServer) {
    let mut random = Random::new(SEED);
    let mut statuses = BTreeMap::new();
    let ids: Vec<i64> = (0..3).map(|number| create_seller(server, &format!("s{number}"))).collect();
    for nth in 0..iterations(ITERATIONS, FULL_LENGTH_ITERATIONS) / 2 {
        let id = ids[nth % 3];
        let boat = server.client().user(id)["transactables"]["boat"][0]["id"].clone();
        let mut form = json!({
            "email": format!("n{nth}@example.com"),
            "first_name": "Siri",
            "phone": "1",
            "properties": { "invited_by": ids[0] },
            "profiles": { "seller": { "enabled": true, "properties": { "shop_name": format!("shop {nth}") } } },
            "relationship_users": { "agency_member": [] },
            "transactables": { "boat": [{
                "id": boat,
                "name": "Boat",
                "properties": { "registration": format!("R{nth}"), "length_m": 3 },
                "custom_addresses": { "harbour": { "city": "Bergen", "street": "Quay" } },
                "custom_images": { "photo": { "direct_url": "https://img.example/a.png" } },
            }] },
        });
        for _ in 0..random.below(3) {
            mutate_value(&mut form, &mut random);
        }
        let response = server.client().update(id, "change", &form);
        assert!((204..500).contains(&response.status), "seed {SEED}, {nth}: {response:?}\n{form}");
        *statuses.entry(response.status).or_insert(0) += 1;
    }
    for status in [204, 422] {
        assert!(statuses.get(&status).is_some_and(|count| *count > 20), "{statuses:?}");
    }
    assert_all_users_readable(server);
}

fn mutated_form_fields_never_cause_5xx(server: &TestServer) {
    let mut random = Random::new(SEED);
    let mut statuses = BTreeMap::new();
    for nth in 0..iterations(ITERATIONS, FULL_LENGTH_ITERATIONS) / 3 {
        let mut body = format!(
            "form_configuration_name=client_sign_up&form[email]=u{nth}%40example.com&form[name]=A\
             &form[profiles][client][properties][company_name]=B&form[phone]="
        )
        .into_bytes();
        for _ in 0..random.below(4) {
            mutate_bytes(&mut body, &mut random);
        }
        let content_type = [("content-type", "application/x-www-form-urlencoded")];
        let response = server.client().send("POST", "/api/users", &content_type, Some(&body));
        let shown = String::from_utf8_lossy(&body);
        assert!((201..500).contains(&response.status), "seed {SEED}, {nth}: {response:?}\n{shown}");
        *statuses.entry(response.status).or_insert(0) += 1;
    }
    assert!(statuses.len() >= 4, "{statuses:?}");
}

fn random_paths_and_queries_never_cause_5xx(server: &TestServer) {
    let mut random = Random::new(SEED);
    let pieces = [
        "/",
        "api",
        "users",
        "/api/users",
        ".json",
        "?",
        "&",
        "=",
        "[",
        "]",
        "email",
        "page",
        "per_page",
        "external_id",
        "%00",
        "%ff",
        "%",
        "%2e%2e",
        "..",
        "+",
        "é",
        "'",
        "\"",
        ";",
        "9223372036854775808",
        "-1",
        "0",
        "1e9",
        "#",
        "{id}",
        "\u{7f}",
        "health",
        "*",
    ];
    for nth in 0..iterations(ITERATIONS, FULL_LENGTH_ITERATIONS) / 3 {
        let count = random.below(8);
        let target: String = (0..count).map(|_| *random.pick(&pieces)).collect();
        let mut connection = server.connect();
        let token = server.token();
        let request = format!(
            "GET /api/users{target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        connection.send(request.as_bytes());
        let response = connection.read_response();
        assert!(
            (200..500).contains(&response.status),
            "seed {SEED}, {nth}: {target:?}: {response:?}"
        );
    }
}

/// Mutates one position of the structure.
fn mutate_value(value: &mut Value, random: &mut Random) {
    // Descends with a probability of 3/4 at each level.
    let inside = random.below(4) > 0;
    match value {
        Value::Object(entries) if inside && !entries.is_empty() => {
            let keys: Vec<String> = entries.keys().cloned().collect();
            let key = random.pick(&keys).clone();
            match random.below(12) {
                0 => {
                    entries.remove(&key);
                }
                1 => {
                    entries.insert(random_string(random), random_value(random));
                }
                2 => {
                    entries.insert(format!("{key}_attributes"), json!({}));
                }
                _ => mutate_value(&mut entries[&key], random),
            }
        }
        Value::Array(items) if inside && !items.is_empty() => {
            let index = random.below(items.len());
            match random.below(6) {
                0 => {
                    items.remove(index);
                }
                1 => items.push(items[index].clone()),
                2 => items.insert(index, random_value(random)),
                _ => mutate_value(&mut items[index], random),
            }
        }
        value => *value = random_value(random),
    }
}

pub(super) const PROBLEMATIC_STRINGS: [&str; 36] = [
    "",
    " ",
    "0",
    "-1",
    "1.5",
    "true",
    "null",
    "é",
    "\u{301}",
    "\u{feff}",
    "\u{202e}",
    "\u{ffff}",
    "\u{10ffff}",
    "\u{1}",
    "\u{7f}",
    "' OR 1=1 --",
    "\\",
    "\"",
    "%00",
    "%{value}",
    "{{ 7 * 7 }}",
    "../../etc/passwd",
    "a@",
    "@",
    "a@b",
    "a@xn--.no",
    "a@xn--a.no",
    "İ@İ.no",
    "ß@ß.de",
    "\u{fdfa}@example.com",
    "NaN",
    "Infinity",
    "1e309",
    "+4712345678",
    "2026-02-30",
    "$serde_json::private::Number",
];

fn random_value(random: &mut Random) -> Value {
    match random.below(12) {
        number @ 0..9 => problematic_value(number),
        _ => json!(random_string(random)),
    }
}

/// Returns one of nine values that are not strings or are very long.
pub(super) fn problematic_value(number: usize) -> Value {
    let read = |text: &str| serde_json::from_str(text).unwrap();
    match number {
        0 => Value::Null,
        1 => json!(true),
        2 => json!([]),
        3 => json!({}),
        4 => json!([[[{ "": [null] }]]]),
        5 => json!({ "0": {}, "1": null, "18446744073709551616": [] }),
        6 => read("-1e-400"),
        7 => read("9223372036854775808"),
        _ => json!("x".repeat(70_000)),
    }
}

fn random_string(random: &mut Random) -> String {
    let text = *random.pick(&PROBLEMATIC_STRINGS);
    if random.below(8) == 0 { text.repeat(500) } else { text.to_owned() }
}

/// Mutates some bytes.
fn mutate_bytes(text: &mut Vec<u8>, random: &mut Random) {
    if text.is_empty() {
        return;
    }
    let at = random.below(text.len());
    let end = (at + random.below(20)).min(text.len());
    match random.below(6) {
        0 => text[at] = u8::try_from(random.below(256)).unwrap(),
        1 => text.truncate(at),
        2 => drop(text.drain(at..end)),
        3 => {
            let copied = text[at..end].to_vec();
            text.splice(at..at, copied);
        }
        4 => {
            let junk: [&[u8]; 9] = [
                b"\0",
                b"\\u0000",
                b"\\ud800",
                b"\xff",
                b"\xef\xbb\xbf",
                b"[[[[",
                b"{\"",
                b"%00",
                b"][",
            ];
            text.splice(at..at, random.pick(&junk).to_vec());
        }
        _ => text[at] ^= 1 << random.below(8),
    }
}
