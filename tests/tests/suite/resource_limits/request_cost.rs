//! Cost of requests for every decoder, rule and JSON Schema keyword with growing input. Per
//! request: at most 32 bytes of memory per byte of request and response plus 8 MiB, and at most 1
//! µs of CPU time per byte plus 50 ms.

use std::time::Duration;

use registrar_contracts::Configuration;
use registrar_core::registry::SourceFile;
use registrar_core::rules::RULES;
use registrar_tests::{Database, Process, Setup, is_full_length, iterations};

use super::inputs::{keywords, values};

/// Fixed memory allowance per request, in bytes.
const FIXED_MEMORY: u64 = 8 * 1024 * 1024;
/// Memory allowance per byte.
const MEMORY_PER_BYTE: u64 = 32;
/// Fixed CPU time allowance per request.
const FIXED_TIME: Duration = Duration::from_millis(50);
/// CPU time allowance per byte, in nanoseconds.
const NANOS_PER_BYTE: u64 = 1_000;
/// Factor for unoptimised builds and coarse time measurement.
const DEBUG_FACTOR: u64 = if cfg!(debug_assertions) { 25 } else { 1 };

/// A server, and the requests that exceeded the allowance.
struct CostMeter {
    server: Process,
    token: String,
    failures: Vec<String>,
    most_expensive: Vec<(u64, String)>,
    count: usize,
}

impl CostMeter {
    fn post(&mut self, what: &str, content_type: &str, body: &[u8]) {
        let head = format!(
            "POST /api/users HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
             content-type: {content_type}\r\ncontent-length: {}\r\n\r\n",
            self.token,
            body.len()
        );
        let mut response = self.measure(what, &[head.as_bytes(), body].concat());
        let id = response.header("location").map(str::to_owned);
        assert!(response.status < 500, "{what}: {}", response.status);
        if let Some(path) = id.as_deref().and_then(|it| it.split_once("/api/")).map(|it| it.1) {
            let get = format!(
                "GET /api/{path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n",
                self.token
            );
            response = self.measure(&format!("{what}, shown"), get.as_bytes());
            assert_eq!(response.status, 200, "{what}");
            let most = 2 * body.len() + 2_000;
            if response.text.len() > 10 * most {
                self.failures.push(format!(
                    "{what}: {} bytes are shown of {}",
                    response.text.len(),
                    body.len()
                ));
            }
            let delete = format!(
                "DELETE /api/{path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n",
                self.token
            );
            let mut connection = self.server.connect();
            connection.send(delete.as_bytes());
            connection.read_response().is(204);
        }
    }

    /// Sends a single request and compares its cost with the allowance.
    fn measure(&mut self, what: &str, request: &[u8]) -> registrar_tests::TestResponse {
        self.server.reset_peak_memory();
        let (memory, time) = (self.server.resident_memory(), self.server.cpu_time());
        let mut connection = self.server.connect();
        connection.send(request);
        let response = connection.read_response();
        let bytes = (request.len() + response.text.len()) as u64;
        let took = self.server.cpu_time().saturating_sub(time);
        let grew = self.server.peak_memory().saturating_sub(memory) * 1024;
        let most = FIXED_TIME + Duration::from_nanos(bytes * NANOS_PER_BYTE);
        let most = most * u32::try_from(DEBUG_FACTOR).unwrap();
        if took > most {
            self.failures
                .push(format!("{what}: {bytes} bytes took {took:?} of time, at most {most:?}"));
        }
        if grew > FIXED_MEMORY + MEMORY_PER_BYTE * bytes {
            self.failures.push(format!("{what}: {bytes} bytes took {grew} of memory"));
        }
        self.count += 1;
        self.most_expensive
            .push((grew / bytes, format!("{what}: {bytes} bytes, {grew} of memory, {took:?}")));
        response
    }
}

/// Returns forms with one field, by the validation under test.
fn forms() -> Vec<(String, String)> {
    let mut forms = vec![("plain".to_owned(), "{type: json}".to_owned())];
    for rule in RULES {
        let accepts = rule.accepts.iter().map(|(options, _)| *options);
        let rejects = rule.rejects.iter().map(|(options, _, _)| *options);
        let all: std::collections::BTreeSet<&str> = accepts.chain(rejects).collect();
        for (nth, options) in all.into_iter().enumerate() {
            let types =
                ["json", "string", "array", "integer", "decimal", "date", "datetime", "time"];
            for kind in types {
                let field = format!("{{type: {kind}, validation: {{{}: {options}}}}}", rule.name);
                if compiles(&field) {
                    forms.push((format!("{}_{nth}_{kind}", rule.name), field));
                    break;
                }
            }
        }
    }
    for (nth, schema) in keywords().into_iter().enumerate() {
        let field = format!("{{type: json, validation: {{schema: {{schema: {schema}}}}}}}");
        assert!(compiles(&field), "{field}");
        forms.push((format!("keyword_{nth}"), field));
    }
    for expression in [
        "form.properties.v | join(form.properties.v)",
        "form.properties.v | replace('a', form.properties.v)",
        "form.properties.v | sort | unique | reverse | list",
        "form.properties.v ~ form.properties.v",
        "form.properties.v | split('') | join(form.properties.v)",
    ] {
        let field = format!(
            "{{type: json}}\n    w: {{type: json, property_options: {{default: \"{{{{ {expression} }}}}\"}}}}"
        );
        if compiles(&field) {
            forms.push((format!("expression_{}", forms.len()), field));
        }
    }
    forms
}

fn form_text(field: &str) -> String {
    format!("resource: User\nfields:\n  properties:\n    v: {field}\n")
}

fn compiles(field: &str) -> bool {
    let source =
        SourceFile { file: "f.yml".into(), within: "f.yml".to_owned(), text: form_text(field) };
    Configuration::compile(&[source]).is_ok()
}

#[test]
fn request_cost_is_bounded_by_its_size() {
    let forms = forms();
    let texts: Vec<(String, String)> =
        forms.iter().map(|(name, field)| (format!("{name}.yml"), form_text(field))).collect();
    let files: Vec<(&str, &str)> =
        texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let setup = Setup::of(Database::Sqlite).unwrap().forms(&files);
    let server = setup.serve_with_memory_limit(4_000_000);
    let token = server.first_token();
    let mut measured =
        CostMeter { server, token, failures: Vec::new(), most_expensive: Vec::new(), count: 0 };
    let json = "application/json";
    let body = |form: &str, value: &str| {
        format!("{{\"form_configuration_name\":\"{form}\",\"form\":{{\"properties\":{{\"v\":{value}}}}}}}")
            .into_bytes()
    };
    // Largest first: memory retained by the process would hide the growth of later requests.
    let sizes: &[usize] = if cfg!(debug_assertions) {
        &[250_000, 60_000]
    } else {
        &[1_000_000, 250_000, 60_000, 1_000]
    };
    for bytes in sizes {
        for (name, value) in values(*bytes) {
            measured.post(&format!("JSON, {name}"), json, &body("plain", &value));
        }
        measured.decoders(*bytes);
    }
    let bytes = iterations(if cfg!(debug_assertions) { 20_000 } else { 100_000 }, 900_000);
    let values = values(bytes);
    // At full length every value meets every form, otherwise a sample.
    let every = if is_full_length() { 1 } else { 5 };
    for (location, (form, _)) in forms.iter().enumerate() {
        for (name, value) in values.iter().skip(location % every).step_by(every) {
            measured.post(&format!("{form}, {name}"), json, &body(form, value));
        }
    }
    measured.most_expensive.sort_by_key(|(each, _)| std::cmp::Reverse(*each));
    for (_, reported) in measured.most_expensive.iter().take(5) {
        println!("{reported}");
    }
    println!("{} requests", measured.count);
    assert!(measured.failures.is_empty(), "{}", measured.failures.join("\n"));
}

impl CostMeter {
    /// Measures the decoders other than JSON.
    fn decoders(&mut self, bytes: usize) {
        let fields = "application/x-www-form-urlencoded";
        let form = "form_configuration_name=plain";
        for (what, body) in [
            ("a long field", format!("{form}&form[properties][v]={}", "a".repeat(bytes))),
            ("an encoded field", format!("{form}&form[properties][v]={}", "%41".repeat(bytes / 3))),
            (
                "many items",
                format!("{form}{}", "&form[properties][v][]=1".repeat((bytes / 24).min(9_000))),
            ),
            ("many pairs", format!("{form}{}", "&a=1".repeat(bytes / 4))),
            ("many brackets", format!("{form}&form{}=1", "[a]".repeat(bytes / 3))),
            ("open brackets", format!("{form}&form{}=1", "[".repeat(bytes))),
            (
                "a high index",
                format!("{form}&form[properties][v][{}]=1", "9".repeat(bytes.min(1_000))),
            ),
        ] {
            self.post(&format!("fields, {what}"), fields, body.as_bytes());
        }
        let content_type = "multipart/form-data; boundary=b";
        let part = |name: &str, value: &str| {
            format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let form = part("form_configuration_name", "plain");
        let one = part("form[properties][v][]", "1");
        for (what, body) in [
            ("a long part", part("form[properties][v]", &"a".repeat(bytes))),
            ("many parts", one.repeat((bytes / one.len()).min(9_000))),
            ("many heads", format!("--b\r\n{}\r\n\r\nx\r\n", "x: y\r\n".repeat(bytes / 6))),
            ("a long head", format!("--b\r\n{}: x\r\n\r\nx\r\n", "h".repeat(bytes))),
            ("many boundaries", "--b\r\n".repeat(bytes / 5)),
        ] {
            self.post(
                &format!("parts, {what}"),
                content_type,
                format!("{form}{body}--b--\r\n").as_bytes(),
            );
        }
    }
}
