//! HTTP clients with and without a token. They send well-formed HTTP only; [`crate::Connection`]
//! sends anything else.

use std::time::Duration;

use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::{Request, Response, Uri};

use crate::response::TestResponse;

/// Maximum time until a response is complete.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(30);

/// A client that sends no credentials.
#[derive(Debug, Clone)]
pub struct AnonymousClient {
    agent: Agent,
    url: String,
    token: Option<String>,
}

/// A client that sends a token with every request.
#[derive(Debug, Clone)]
pub struct TokenClient(AnonymousClient);

impl AnonymousClient {
    /// Creates a client for the server at a URL.
    #[must_use]
    pub fn new(url: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(RESPONSE_TIMEOUT))
            .build();
        Self { agent: config.into(), url: url.to_owned(), token: None }
    }

    /// Returns a client that sends a token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> TokenClient {
        TokenClient(Self { token: Some(format!("Token token={token}")), ..self.clone() })
    }

    /// Returns a client that sends this value of `Authorization`.
    #[must_use]
    pub fn with_authorization(&self, header: &str) -> TokenClient {
        TokenClient(Self { token: Some(header.to_owned()), ..self.clone() })
    }

    /// Sends a request, without a body if `body` is `None`.
    ///
    /// # Panics
    /// Panics if no response arrives.
    #[track_caller]
    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> TestResponse {
        self.try_send(method, path, headers, body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// Sends a request to a server that may stop in the meantime.
    ///
    /// # Errors
    /// Returns an error if no response arrives.
    pub fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<TestResponse, ureq::Error> {
        let uri: Uri = format!("{}{path}", self.url).parse().unwrap();
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = &self.token {
            request = request.header("authorization", token);
        }
        let mut response = match body {
            Some(body) => self.agent.run(request.body(body.to_vec())?)?,
            None => self.agent.run(request.body(())?)?,
        };
        read(&mut response)
    }

    /// Sends a GET request.
    #[track_caller]
    pub fn get(&self, path: &str) -> TestResponse {
        self.send("GET", path, &[], None)
    }

    /// Sends a POST request with this body as `application/json`.
    #[track_caller]
    pub fn post(&self, path: &str, body: &str) -> TestResponse {
        self.send("POST", path, &[("content-type", "application/json")], Some(body.as_bytes()))
    }

    /// Submits a form to `POST /api/users`.
    #[track_caller]
    pub fn submit(&self, form_name: &str, form: &Value) -> TestResponse {
        self.post("/api/users", &body(form_name, form))
    }

    /// Submits a form to `PUT /api/users/{id}`.
    #[track_caller]
    pub fn update(&self, id: i64, form_name: &str, form: &Value) -> TestResponse {
        let content_type = [("content-type", "application/json")];
        let body = body(form_name, form);
        self.send("PUT", &format!("/api/users/{id}"), &content_type, Some(body.as_bytes()))
    }

    /// Sends `POST /api/users` with a URL-encoded body in bracket notation.
    #[track_caller]
    pub fn post_fields(&self, fields: &str) -> TestResponse {
        let content_type = [("content-type", "application/x-www-form-urlencoded")];
        self.send("POST", "/api/users", &content_type, Some(fields.as_bytes()))
    }
}

impl std::ops::Deref for TokenClient {
    type Target = AnonymousClient;

    fn deref(&self) -> &AnonymousClient {
        &self.0
    }
}

impl TokenClient {
    /// Submits a form to a server that may stop in the meantime.
    ///
    /// # Errors
    /// Returns an error if no response arrives.
    pub fn try_submit(&self, form_name: &str, form: &Value) -> Result<TestResponse, ureq::Error> {
        let content_type = [("content-type", "application/json")];
        self.try_send("POST", "/api/users", &content_type, Some(body(form_name, form).as_bytes()))
    }

    /// Submits an update to a server that may stop in the meantime.
    ///
    /// # Errors
    /// Returns an error if no response arrives.
    pub fn try_update(
        &self,
        id: i64,
        form_name: &str,
        form: &Value,
    ) -> Result<TestResponse, ureq::Error> {
        let content_type = [("content-type", "application/json")];
        let path = format!("/api/users/{id}");
        self.try_send("PUT", &path, &content_type, Some(body(form_name, form).as_bytes()))
    }

    /// Returns the stored user with this id.
    #[track_caller]
    pub fn user(&self, id: i64) -> Value {
        self.get(&format!("/api/users/{id}")).is(200).json()
    }

    /// Returns the number of users.
    #[track_caller]
    pub fn count(&self) -> i64 {
        self.get("/api/users").is(200).json()["total"].as_i64().unwrap()
    }
}

fn body(form_name: &str, form: &Value) -> String {
    json!({ "form_configuration_name": form_name, "form": form }).to_string()
}

fn read(response: &mut Response<ureq::Body>) -> Result<TestResponse, ureq::Error> {
    let headers = response.headers().iter();
    let headers = headers
        .map(|(name, value)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect();
    Ok(TestResponse {
        status: response.status().as_u16(),
        headers,
        text: response.body_mut().read_to_string()?,
    })
}
