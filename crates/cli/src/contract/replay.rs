//! Sends recorded requests to a server and compares the responses.

use std::collections::HashMap;
use std::time::Duration;

use registrar_contracts::Contract;
use serde_json::Value;
use ureq::Agent;
use ureq::http::Request;

use super::difference;
use super::mask::{VOLATILE_KEYS, masked};
use super::recording::Exchange;

/// Maximum time for a response.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(30);

/// A client for a contract on a server, with the variables captured so far.
pub(crate) struct ReplayClient {
    agent: Agent,
    url: String,
    /// Value of `Host` for a contract without a mount.
    host: Option<String>,
    /// Values of `{{name}}` in recordings.
    variables: HashMap<String, String>,
}

/// A response of the server.
struct Response {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl ReplayClient {
    /// Returns a client for the contract on the server at `url`.
    pub(crate) fn new(contract: &Contract, url: &str, credential: Option<&str>) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .allow_non_standard_methods(true)
            .timeout_global(Some(RESPONSE_TIMEOUT))
            .build();
        let host = match contract.mount {
            Some(_) => None,
            None => contract.endpoints().into_iter().find(|host| !host.starts_with('*')),
        };
        let mount = contract.mount.as_deref().unwrap_or_default();
        let url = format!("{}{mount}", url.trim_end_matches('/'));
        let mut variables = HashMap::from([("url".to_owned(), url.clone())]);
        variables.extend(credential.map(|text| ("credential".to_owned(), text.to_owned())));
        Self { agent: config.into(), url, host, variables }
    }

    /// Sends a request and returns the differences between the response and the recorded one.
    ///
    /// # Errors
    /// Returns `file:line: cause` if the request is invalid or there is no response.
    pub(crate) fn replay(
        &mut self,
        exchange: &Exchange,
        mask: &[String],
    ) -> Result<Vec<String>, String> {
        let with_location = |error: String| format!("{}: {error}", exchange.location);
        let response = self.send(exchange).map_err(with_location)?;
        let mut differences: Vec<String> = Vec::new();
        for (name, pointer) in &exchange.capture {
            match capture_value(&response.body, pointer) {
                Some(value) => {
                    self.variables.insert(name.clone(), value);
                }
                None => differences.push(format!("  nothing to capture at {pointer}")),
            }
        }
        let expected = &exchange.answer;
        let (recorded, answered) = (expected.status.to_string(), response.status.to_string());
        differences.extend(difference::values("status", &recorded, &answered));
        for (name, value) in &expected.headers {
            let value = self.substitute(value).map_err(with_location)?;
            let found =
                response.headers.iter().find(|(variables, _)| variables.eq_ignore_ascii_case(name));
            let found = found.map_or("", |(_, value)| value);
            differences.extend(difference::values(name, &value, found));
        }
        if let Some(body) = &expected.body {
            let body = self.substitute(body).map_err(with_location)?;
            let more = mask.iter().chain(&exchange.mask).map(String::as_str);
            let keys: Vec<&str> = VOLATILE_KEYS.into_iter().chain(more).collect();
            let (body, found) = (masked(&body, &keys), masked(&response.body, &keys));
            differences.extend(difference::bodies(&body, &found));
        }
        Ok(differences)
    }

    fn send(&self, exchange: &Exchange) -> Result<Response, String> {
        let request = &exchange.request;
        let uri = format!("{}{}", self.url, self.substitute(&request.path)?);
        let mut built = Request::builder().method(request.method.as_str()).uri(&uri);
        if let Some(host) = &self.host {
            built = built.header("host", host);
        }
        for (name, value) in &request.headers {
            built = built.header(name, self.substitute(value)?);
        }
        let body = match &request.body {
            Some(body) => Some(self.substitute(body)?),
            None => None,
        };
        let request_error = |error: ureq::http::Error| format!("the request is invalid: {error}");
        let transport_error =
            |error: ureq::Error| format!("no response from {}: {error}", self.url);
        let mut response = match body {
            Some(body) => self.agent.run(built.body(body).map_err(request_error)?),
            None => self.agent.run(built.body(()).map_err(request_error)?),
        }
        .map_err(transport_error)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let headers = response.headers().iter();
        Ok(Response {
            status: response.status().as_u16(),
            headers: headers
                .map(|(name, value)| (name.to_string(), text(value.as_bytes())))
                .collect(),
            body: response
                .body_mut()
                .read_to_vec()
                .map(|bytes| text(&bytes))
                .map_err(transport_error)?,
        })
    }

    /// Replaces each `{{name}}` by the value of the variable.
    fn substitute(&self, text: &str) -> Result<String, String> {
        let (mut out, mut rest) = (String::new(), text);
        while let Some((before, behind)) = rest.split_once("{{") {
            let is_name = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            let Some((name, after)) = behind.split_once("}}").filter(|(name, _)| is_name(name))
            else {
                out.push_str(before);
                out.push_str("{{");
                rest = behind;
                continue;
            };
            let value = self.variables.get(name).ok_or_else(|| match name {
                "credential" => "a credential is needed: use `--credential`".to_owned(),
                _ => format!("no earlier exchange captured `{name}`"),
            })?;
            out.push_str(before);
            out.push_str(value);
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }
}

/// Returns the string or number at a JSON pointer, or `None`.
fn capture_value(body: &str, pointer: &str) -> Option<String> {
    let body: Value = serde_json::from_str(body).ok()?;
    match body.pointer(pointer)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
