//! Vendors' APIs served from YAML, compared byte by byte with their documentation.

mod concurrent_requests;
mod custom_contracts;
mod econtext;
mod fifty_skills;
mod garmat;
mod issued_credentials;
mod platformos;
mod replay;
mod scim;
mod user_com;
mod user_com_operations;
mod user_pages;
mod vendor_samples;

use registrar_tests::{TestResponse, TestServer};
use serde_json::Value;

const JSON: (&str, &str) = ("content-type", "application/json");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// Sends a POST request with this `Authorization`, in which `$` stands for a valid token.
fn post(
    server: &TestServer,
    path: &str,
    authorization: &str,
    label: (&str, &str),
    body: &str,
) -> TestResponse {
    send(server, "POST", path, authorization, &[label], Some(body))
}

fn send(
    server: &TestServer,
    method: &str,
    path: &str,
    authorization: &str,
    headers: &[(&str, &str)],
    body: Option<&str>,
) -> TestResponse {
    let header = authorization.replace('$', server.token());
    let mut headers = headers.to_vec();
    if !header.is_empty() {
        headers.push(("authorization", &header));
    }
    server.anonymous().send(method, path, &headers, body.map(str::as_bytes))
}

/// Asserts status, content type and body.
#[track_caller]
fn assert_response(response: &TestResponse, status: u16, content_type: &str, text: &str) {
    assert_eq!(
        (response.status, response.header("content-type"), response.text.as_str()),
        (status, Some(content_type), text),
        "{response:?}"
    );
}

/// Returns the body with the values of these top-level keys masked.
#[track_caller]
fn masked(response: &TestResponse, keys: &[&str]) -> String {
    let body = response.json();
    let mut text = response.text.clone();
    for key in keys {
        let value = &body[*key];
        assert!(!value.is_null(), "no `{key}`: {response:?}");
        text = text.replacen(&format!("\"{key}\":{value}"), &format!("\"{key}\":_"), 1);
    }
    text
}

/// Returns a text with the values of these keys masked at any depth.
fn mask_everywhere(text: &str, keys: &[&str]) -> String {
    let mut out = text.to_owned();
    for key in keys {
        let (mut done, mut rest) = (String::new(), out.as_str());
        let name = format!("\"{key}\":");
        while let Some(at) = rest.find(&name) {
            let start = at + name.len();
            let value = rest[start..].trim_start_matches(' ');
            let start = rest.len() - value.len();
            let length = match value.strip_prefix('"') {
                Some(inner) => inner.find('"').unwrap() + 2,
                None => value.find([',', '}', ']']).unwrap(),
            };
            done.push_str(&rest[..start]);
            done.push('_');
            rest = &rest[start + length..];
        }
        done.push_str(rest);
        out = done;
    }
    out
}

/// Asserts that a value is a string of this many letters and digits.
#[track_caller]
fn assert_alphanumeric(value: &Value, length: usize) {
    let text = value.as_str().unwrap();
    assert!(text.len() == length && text.bytes().all(|b| b.is_ascii_alphanumeric()), "{text}");
}
