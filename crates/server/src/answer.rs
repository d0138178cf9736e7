//! What a client is told when its request is not done: whose fault, what was expected, what next.
//!
//! Never with a submitted value in it.

use std::borrow::Cow;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, Responder};
use registrar_core::value::Value;
use serde::Serialize;

use crate::language;
use crate::observe::Note;

/// The media type of the native API's answers.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.api+json";
const PROBLEM_TYPE: &str = "application/problem+json";

/// The answer of a handler.
#[derive(Debug)]
pub(crate) struct Answer(pub(crate) Result<HttpResponse, Fault>);

/// A request that is refused for one reason.
#[derive(Debug)]
pub(crate) struct Fault {
    status: StatusCode,
    field: Cow<'static, str>,
    code: &'static str,
    message: String,
    near: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Fault {
    /// A fault that belongs to no field.
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let (message, headers) = (message.into(), Vec::new());
        Self { status, field: "base".into(), code, message, near: None, headers }
    }

    /// 406: the parameters around the form are wrong.
    pub(crate) fn wrong_parameter(field: &str, code: &'static str, message: &str) -> Self {
        let field = Cow::Owned(field.to_owned());
        Self { field, ..Self::new(StatusCode::NOT_ACCEPTABLE, code, message) }
    }

    /// 404.
    pub(crate) fn not_found(message: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    /// 503, worth another try in that many seconds.
    pub(crate) fn busy(code: &'static str, message: impl Into<String>, seconds: u16) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message)
            .with_header(header::RETRY_AFTER, seconds.into())
    }

    /// The stable code of its kind.
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    /// Its status.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// Its headers.
    pub(crate) fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.headers
    }

    /// What is told of it, in the shape in which broken rules are told.
    pub(crate) fn told(&self) -> [(&'static str, Value<'_>); 2] {
        fn object<'v>(entries: impl IntoIterator<Item = (&'v str, Value<'v>)>) -> Value<'v> {
            Value::Object(entries.into_iter().map(|(name, value)| (name.into(), value)).collect())
        }
        let text = |text| Value::String(Cow::Borrowed(text));
        let (field, message) = (text(&self.field), text(self.message.as_str()));
        let near = self.near.as_deref().map(|near| ("near", text(near)));
        let detail = object([
            ("field", field),
            ("code", text(self.code)),
            ("params", object(near)),
            ("message", message.clone()),
        ]);
        let errors = object([(&*self.field, Value::Array(vec![message]))]);
        [("errors", errors), ("details", Value::Array(vec![detail]))]
    }

    /// What it says.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// With the name that was probably meant.
    pub(crate) fn with_near(mut self, near: Option<&str>) -> Self {
        if let Some(near) = near {
            self.message = format!("{}: did you mean `{near}`?", self.message);
            self.near = Some(near.to_owned());
        }
        self
    }

    /// With a header.
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl Responder for Answer {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let fault = match self.0 {
            Ok(response) => return response,
            Err(fault) => fault,
        };
        let told = fault.told().map(|(name, value)| (name.into(), value));
        let mut response = json(fault.status, MEDIA_TYPE, &Value::Object(told.into()));
        response.extensions_mut().insert(Note::code(fault.code));
        if wants_problem(request) {
            response = as_problem(response, fault.message());
        }
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept"));
        for (name, value) in fault.headers {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// A refusal as RFC 9457 has it, with the members of the plain answer as its extensions.
pub(crate) fn as_problem(response: HttpResponse, detail: &str) -> HttpResponse {
    let status = response.status();
    let (head, body) = response.into_parts();
    let members = body.try_into_bytes().unwrap_or_default();
    let title = status.canonical_reason().unwrap_or_default();
    let known = Problem { kind: "about:blank", title, status: status.as_u16(), detail };
    let mut problem = serde_json::to_vec(&known).unwrap_or_default();
    if let Some(members) = members.strip_prefix(b"{").filter(|members| *members != b"}") {
        problem.pop();
        problem.push(b',');
        problem.extend_from_slice(members);
    }
    let mut response = head.set_body(BoxBody::new(problem));
    let problem_type = HeaderValue::from_static(PROBLEM_TYPE);
    response.headers_mut().insert(header::CONTENT_TYPE, problem_type);
    response
}

#[derive(Serialize)]
struct Problem<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
}

/// Whether the client names RFC 9457's media type among those it takes, and does not refuse it.
pub(crate) fn wants_problem(request: &HttpRequest) -> bool {
    let headers = request.headers().get_all(header::ACCEPT);
    let mut ranges = headers.filter_map(|accept| accept.to_str().ok()).flat_map(|a| a.split(','));
    ranges.any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let is_it = parts.next().is_some_and(|range| range.eq_ignore_ascii_case(PROBLEM_TYPE));
        let mut weights = parts.filter_map(|part| part.strip_prefix("q="));
        is_it && !weights.any(|weight| language::quality(weight) == Some(0))
    })
}

/// A JSON answer.
pub(crate) fn json(
    status: StatusCode,
    media_type: &'static str,
    body: &impl Serialize,
) -> HttpResponse {
    match serde_json::to_vec(body) {
        Ok(bytes) => HttpResponse::build(status)
            .insert_header((header::CONTENT_TYPE, HeaderValue::from_static(media_type)))
            .body(bytes),
        Err(error) => {
            log::error!("an answer cannot be written: {error}");
            HttpResponse::InternalServerError().finish()
        }
    }
}
