//! Invariant 6: hostile input of all kinds, each on its own connection. Each gets a response, never
//! a 5xx except 503, and the server's memory does not grow. Together with `bad_input.rs`, more than
//! 20,000 inputs at full length.

use registrar_tests::{Database, Process, Random, Setup, iterations, samples};
use serde_json::{Value, json};

use super::bad_input::{PROBLEMATIC_STRINGS, all_pointers, problematic_value};

/// Maximum growth of the lowest memory use while one kind of input is sent, in KiB.
const MAX_GROWTH_KIB: u64 = 8 * 1024;

/// Header lines and body of a request.
type RawInput = (String, Vec<u8>);
/// Returns the nth input of a kind.
type InputGenerator = fn(usize, &mut Random) -> RawInput;

const GENERATORS: [(&str, InputGenerator); 9] = [
    ("naughty strings in every field", problematic_values),
    ("JSON that is none", malformed_json),
    ("nesting", nesting),
    ("numbers", numbers),
    ("brackets", brackets),
    ("width", width),
    ("parts", multipart_parts),
    ("unreadable encodings", encoded_bodies),
    ("no HTTP", non_http),
];

#[test]
fn hostile_input_gets_a_response_and_leaks_no_memory() {
    for database in Database::ALL {
        let Some(setup) = Setup::of(database) else { continue };
        let server = setup.serve();
        let token = server.first_token();
        let mut random = Random::new(20_260_101);
        for (name, kind) in GENERATORS {
            let (warm_up, count) = (iterations(20, 300), iterations(40, 1_000));
            let mut peak = 0;
            for nth in 0..warm_up {
                send(&server, &token, kind(nth, &mut random), name);
                peak = peak.max(server.resident_memory());
            }
            // Memory for large bodies fluctuates; only the minimum reveals a leak.
            let mut floor = u64::MAX;
            for nth in 0..count {
                send(&server, &token, kind(warm_up + nth, &mut random), name);
                if nth >= count / 2 {
                    floor = floor.min(server.resident_memory());
                }
            }
            let growth = floor.saturating_sub(peak);
            println!("{database}: {name}: {count} times, {peak} KiB, then not below {floor} KiB");
            assert!(growth < MAX_GROWTH_KIB, "{database}: {name}: {peak} KiB grew by {growth} KiB");
        }
        server.anonymous().get("/health/ready").is(200);
        server.client(&token).submit("client_sign_up", &samples::client("after")).created();
    }
}

/// Sends one input on its own connection and reads the status.
fn send(server: &Process, token: &str, (head, body): RawInput, name: &str) {
    let mut request = match head.strip_prefix("RAW ") {
        Some(raw) => raw.as_bytes().to_vec(),
        None => {
            let length = body.len();
            format!(
                "POST /api/users HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
                 content-length: {length}\r\n{head}\r\n"
            )
            .into_bytes()
        }
    };
    request.extend(body);
    let mut connection = server.connect();
    connection.send(&request);
    let status = connection.read_response().status;
    let shown = String::from_utf8_lossy(&request[..request.len().min(300)]);
    assert!((200..500).contains(&status) || status == 503, "{name}: {status}: {shown}");
}

/// Sets the content type, and sometimes `Content-Encoding: identity`.
fn with_content_type(
    content_type: &str,
    body: impl Into<Vec<u8>>,
    random: &mut Random,
) -> RawInput {
    let encoding = ["", "", "content-encoding: identity\r\n"][random.below(3)];
    (format!("content-type: {content_type}\r\n{encoding}"), body.into())
}

fn json_input(body: impl Into<Vec<u8>>, random: &mut Random) -> RawInput {
    with_content_type("application/json", body, random)
}

fn problematic_values(nth: usize, random: &mut Random) -> RawInput {
    let (form, sample) = match random.below(2) {
        0 => ("client_sign_up", samples::client(&format!("n{nth}"))),
        _ => ("marketplace_seller", samples::seller(&format!("n{nth}"))),
    };
    let mut body = json!({ "form_configuration_name": form, "form": sample });
    let mut locations = Vec::new();
    all_pointers(&body, "", &mut locations);
    let candidate = match random.below(3) {
        0 => problematic_value(random.below(9)),
        _ => json!(random.pick(&PROBLEMATIC_STRINGS)),
    };
    let location: &String = random.pick(&locations);
    *body.pointer_mut(location).unwrap() = candidate;
    json_input(body.to_string(), random)
}

fn malformed_json(_: usize, random: &mut Random) -> RawInput {
    let good = json!({ "form_configuration_name": "client_sign_up", "form": samples::client("x") });
    let good = good.to_string().into_bytes();
    let pieces: [&[u8]; 32] = [
        b"",
        b" ",
        b"{",
        b"}",
        b"[",
        b"]",
        b"{]",
        b"[}",
        b",",
        b"{,}",
        b"{\"a\"}",
        b"{\"a\":}",
        b"{\"a\":1,}",
        b"[1,]",
        b"{'a':1}",
        b"{a:1}",
        b"// x\n{}",
        b"/* */{}",
        b"NaN",
        b"Infinity",
        b"-",
        b"01",
        b"1.",
        b"tru",
        b"\"\\x\"",
        b"\"\\ud800\"",
        b"\"\\udc00\\ud800\"",
        b"\"\x01\"",
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\0}\0",
        b"{\"a\":1,\"a\":2}",
        b"{}{}",
    ];
    let body = match random.below(4) {
        0 => random.pick(&pieces).to_vec(),
        1 => good[..random.below(good.len())].to_vec(),
        2 => {
            let (mut body, at) = (good.clone(), random.below(good.len()));
            body.splice(at..at, random.pick(&pieces).to_vec());
            body
        }
        _ => {
            let mut body = good.clone();
            for _ in 0..=random.below(8) {
                let at = random.below(body.len());
                body[at] = u8::try_from(random.below(256)).unwrap();
            }
            body
        }
    };
    json_input(body, random)
}

fn nesting(_: usize, random: &mut Random) -> RawInput {
    let depth = [60, 64, 65, 200, 5_000, 200_000][random.below(6)];
    let (open, close) = [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":[", "]}]")][random.below(3)];
    let end = if random.below(2) == 0 { close.repeat(depth) } else { String::new() };
    let deep = format!("{}1{end}", open.repeat(depth));
    let body = match random.below(2) {
        0 => deep,
        _ => format!(
            "{{\"form_configuration_name\":\"client_sign_up\",\"form\":{{\"name\":{deep}}}}}"
        ),
    };
    json_input(body, random)
}

fn numbers(_: usize, random: &mut Random) -> RawInput {
    let number = match random.below(7) {
        0 => "9".repeat(100_000),
        1 => "1e999999999".to_owned(),
        2 => "-1e-999999999".to_owned(),
        3 => format!("0.{}1", "0".repeat(100_000)),
        4 => format!("1e{}", "9".repeat(10_000)),
        5 => "18446744073709551616".to_owned(),
        _ => "-9223372036854775809.5e+308".to_owned(),
    };
    let (id, boat) = (random.below(2) == 0, "\"registration\":\"N\",\"length_m\"");
    let form = match id {
        true => {
            format!("\"relationship_users\":{{\"agency_member\":{{\"relationship_id\":{number}}}}}")
        }
        false => format!(
            "\"transactables\":{{\"boat\":[{{\"properties\":{{{boat}:{number},\"berths\":{number}}}}}]}}"
        ),
    };
    let body =
        format!("{{\"form_configuration_name\":\"marketplace_seller\",\"form\":{{{form}}}}}");
    json_input(body, random)
}

fn brackets(_: usize, random: &mut Random) -> RawInput {
    let many = [100, 3_000, 60_000][random.below(3)];
    let fields = match random.below(7) {
        0 => format!("form{}=1", "[a]".repeat(many)),
        1 => format!("form{}=1", "[".repeat(many)),
        2 => format!("form{}=1", "[]".repeat(many)),
        3 => {
            (0..many / 20).map(|nth| format!("form[transactables][boat][{nth}][name]=x&")).collect()
        }
        4 => format!("form[transactables][boat][{}][name]=x", "9".repeat(many)),
        5 => "&".repeat(many),
        _ => "form[a]=1&form[a][b]=2&form=3&form[]=4&%5b%5d=%ff%00".to_owned(),
    };
    let body = format!("form_configuration_name=marketplace_seller&{fields}");
    with_content_type("application/x-www-form-urlencoded", body, random)
}

fn width(nth: usize, random: &mut Random) -> RawInput {
    let many = [1_000, 10_000, 60_000][random.below(3)];
    let value: Value = match random.below(5) {
        0 => (0..many).map(|nth| (format!("k{nth}"), json!(nth))).collect(),
        1 => json!(vec![Value::Null; many]),
        2 => json!("x".repeat(many * 10)),
        3 => json!({ "transactables": { "boat": vec![json!({}); many / 20] } }),
        // Larger than the maximum body size.
        _ => json!("y".repeat(1_100_000)),
    };
    let form = match nth % 2 {
        0 => value,
        _ => json!({ "name": value }),
    };
    let body = json!({ "form_configuration_name": "client_sign_up", "form": form }).to_string();
    json_input(body, random)
}

fn multipart_parts(_: usize, random: &mut Random) -> RawInput {
    let part = "--b\r\ncontent-disposition: form-data; name=\"form[name]\"\r\n\r\nx\r\n";
    let body = match random.below(6) {
        0 => part.repeat(random.below(5_000)),
        1 => format!("{part}--b--\r\n"),
        2 => "--b\r\n".repeat(10_000),
        3 => format!("--b\r\n{}: x\r\n\r\n", "h".repeat(100_000)),
        4 => part[..random.below(part.len())].to_owned(),
        _ => format!("--b\r\n{}\r\n\r\nx\r\n--b--", "x: y\r\n".repeat(5_000)),
    };
    let content_type = [
        "multipart/form-data; boundary=b",
        "multipart/form-data",
        "multipart/form-data; boundary=",
    ];
    with_content_type(content_type[random.below(3)], body, random)
}

fn encoded_bodies(nth: usize, random: &mut Random) -> RawInput {
    let encodings = ["gzip", "deflate", "br", "zstd", "gzip, gzip", "x", "", "\u{1}"];
    let (encoding, (head, body)) = match nth % 2 {
        0 => (random.pick(&encodings), nesting(nth, random)),
        _ => (random.pick(&encodings), width(nth, random)),
    };
    (format!("{head}content-encoding: {encoding}\r\n"), body)
}

fn non_http(_: usize, random: &mut Random) -> RawInput {
    let head = "POST /api/users HTTP/1.1\r\nhost: x\r\n";
    let raw = match random.below(16) {
        0 => "hello\r\n\r\n".to_owned(),
        1 => "GET /api/users\r\n\r\n".to_owned(),
        2 => "GET /api/users HTTP/9.9\r\n\r\n".to_owned(),
        3 => "\r\n\r\n\r\nGET\r\n\r\n".to_owned(),
        4 => format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(100_000)),
        5 => format!("{head}content-length: -1\r\n\r\n"),
        6 => format!("{head}content-length: {}\r\n\r\n", "9".repeat(40)),
        7 => format!("{head}content-length: 1\r\ncontent-length: 2\r\n\r\nxx"),
        8 => format!("{head}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
        9 => format!("{head}transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\nx"),
        10 => format!("{head}transfer-encoding: chunked\r\n\r\nzz\r\nx\r\n0\r\n\r\n"),
        11 => format!("{head}transfer-encoding: gzip\r\n\r\nx"),
        12 => format!("{head}{}\r\n", "a: b\r\n".repeat(20_000)),
        13 => format!("{head}a: {}\r\n\r\n", "x".repeat(300_000)),
        14 => format!("{head}bad name: x\r\n\r\n"),
        _ => format!("{head}a: x\r\n folded: y\0\r\n\r\n"),
    };
    (format!("RAW {raw}"), Vec::new())
}
