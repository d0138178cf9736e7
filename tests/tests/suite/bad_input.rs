//! Invariant 6: no bad input gives a 5xx. Valid submissions are spoilt by chance (that a seed
//! repeats) in their text and in their structure, and then there are the old enemies of servers.

use std::collections::BTreeMap;

use registrar_tests::{Random, TestServer, cases, samples};
use serde_json::{Value, json};

cases! {
    spoilt_submissions_are_refused_or_stored_and_never_break_the_server,
    spoilt_form_fields_are_refused_or_stored_and_never_break_the_server,
    paths_and_queries_of_any_kind_never_break_the_server,
}

const SEED: u64 = 20_260_101;
const TIMES: usize = 1500;

fn spoilt_submissions_are_refused_or_stored_and_never_break_the_server(server: &TestServer) {
    let mut random = Random::new(SEED);
    let mut statuses = BTreeMap::new();
    for nth in 0..TIMES {
        let (form, mut sample) = match nth % 3 {
            0 => ("client_sign_up", samples::client(&format!("c{nth}"))),
            1 => ("marketplace_seller", samples::seller(&format!("s{nth}"))),
            _ => ("developer_sign_up", samples::developer(&format!("d{nth}"))),
        };
        if nth % 3 == 2 {
            // No time for hashing: it is not what is tried here.
            sample["password"] = json!("short");
        }
        let mut body = json!({ "form_configuration_name": form, "form": sample });
        for _ in 0..random.below(3) {
            spoil(&mut body, &mut random);
        }
        let mut text = body.to_string().into_bytes();
        if random.below(3) == 0 {
            spoil_text(&mut text, &mut random);
        }
        let label = [("content-type", "application/json")];
        let answer = server.client().send("POST", "/api/users", &label, Some(&text));
        let shown = String::from_utf8_lossy(&text);
        assert!((201..500).contains(&answer.status), "seed {SEED}, {nth}: {answer:?}\n{shown}");
        *statuses.entry(answer.status).or_insert(0) += 1;
    }
    for status in [201, 400, 406, 422] {
        assert!(statuses.get(&status).is_some_and(|count| *count > 20), "{statuses:?}");
    }
    for page in 1..=(server.client().count() / 100 + 1) {
        server.client().get(&format!("/api/users?per_page=100&page={page}")).is(200);
    }
    server.anonymous().get("/health/ready").is(200);
}

fn spoilt_form_fields_are_refused_or_stored_and_never_break_the_server(server: &TestServer) {
    let mut random = Random::new(SEED);
    let mut statuses = BTreeMap::new();
    for nth in 0..TIMES / 3 {
        let mut body = format!(
            "form_configuration_name=client_sign_up&form[email]=u{nth}%40example.com&form[name]=A\
             &form[profiles][client][properties][company_name]=B&form[phone]="
        )
        .into_bytes();
        for _ in 0..random.below(4) {
            spoil_text(&mut body, &mut random);
        }
        let label = [("content-type", "application/x-www-form-urlencoded")];
        let answer = server.client().send("POST", "/api/users", &label, Some(&body));
        let shown = String::from_utf8_lossy(&body);
        assert!((201..500).contains(&answer.status), "seed {SEED}, {nth}: {answer:?}\n{shown}");
        *statuses.entry(answer.status).or_insert(0) += 1;
    }
    assert!(statuses.len() >= 4, "{statuses:?}");
}

fn paths_and_queries_of_any_kind_never_break_the_server(server: &TestServer) {
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
    for nth in 0..TIMES / 3 {
        let count = random.below(8);
        let target: String = (0..count).map(|_| *random.pick(&pieces)).collect();
        let mut connection = server.connect();
        let token = server.token();
        let request = format!(
            "GET /api/users{target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        connection.send(request.as_bytes());
        let answer = connection.answer();
        assert!((200..500).contains(&answer.status), "seed {SEED}, {nth}: {target:?}: {answer:?}");
    }
}

/// Changes one place of the structure.
fn spoil(value: &mut Value, random: &mut Random) {
    // Goes down with a chance of three in four for each step.
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
                    entries.insert(nasty_text(random), nasty(random));
                }
                2 => {
                    entries.insert(format!("{key}_attributes"), json!({}));
                }
                _ => spoil(&mut entries[&key], random),
            }
        }
        Value::Array(items) if inside && !items.is_empty() => {
            let index = random.below(items.len());
            match random.below(6) {
                0 => {
                    items.remove(index);
                }
                1 => items.push(items[index].clone()),
                2 => items.insert(index, nasty(random)),
                _ => spoil(&mut items[index], random),
            }
        }
        value => *value = nasty(random),
    }
}

fn nasty(random: &mut Random) -> Value {
    let number = |text: &str| serde_json::from_str(text).unwrap();
    match random.below(12) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!([]),
        3 => json!({}),
        4 => json!([[[{ "": [null] }]]]),
        5 => json!({ "0": {}, "1": null, "18446744073709551616": [] }),
        6 => number(random.pick::<&str>(&["-0", "1e400", "-1e-400", "0.1", "1e-1", "-5"])),
        7 => number(random.pick::<&str>(&["9223372036854775807", "9223372036854775808", "-1e19"])),
        8 => json!("x".repeat(1 << random.below(17))),
        _ => json!(nasty_text(random)),
    }
}

fn nasty_text(random: &mut Random) -> String {
    let texts = [
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
    let text = *random.pick(&texts);
    if random.below(8) == 0 { text.repeat(500) } else { text.to_owned() }
}

/// Changes some bytes.
fn spoil_text(text: &mut Vec<u8>, random: &mut Random) {
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
