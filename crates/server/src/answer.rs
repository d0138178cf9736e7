//! What a client is told when its request is not done: whose fault, what was expected, what next.
//!
//! Never with a submitted value in it.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, Responder};
use registrar_core::locale::Locale;
use registrar_core::violation::Violations;
use serde::Serialize;

use crate::language;
use crate::observe::{Note, UsedForm};

/// The media type of the native API's answers.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.api+json";
const PROBLEM_TYPE: &str = "application/problem+json";

/// The answer of a handler.
#[derive(Debug)]
pub(crate) struct Answer(pub(crate) Result<HttpResponse, Failure>);

/// Why a request is not done.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The submission breaks rules.
    Invalid(Violations),
    /// Something else.
    Fault(Fault),
}

/// A request that is refused for one reason.
#[derive(Debug)]
pub(crate) struct Fault {
    status: StatusCode,
    field: &'static str,
    code: &'static str,
    message: String,
    near: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Fault {
    /// A fault that belongs to no field.
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let (message, headers) = (message.into(), Vec::new());
        Self { status, field: "base", code, message, near: None, headers }
    }

    /// 406: the parameters around the form are wrong.
    pub(crate) fn wrong_parameter(field: &'static str, code: &'static str, message: &str) -> Self {
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
    pub(crate) fn into_headers(self) -> Vec<(HeaderName, HeaderValue)> {
        self.headers
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

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Violations> for Failure {
    fn from(violations: Violations) -> Self {
        Self::Invalid(violations)
    }
}

impl Responder for Answer {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        match self.0 {
            Ok(response) => response,
            Err(Failure::Invalid(violations)) => {
                for cause in &violations.causes {
                    log::warn!("a condition could not be checked at {cause}");
                }
                let mut response = invalid(request, &violations);
                response.extensions_mut().insert(Note::of(&violations));
                response
            }
            Err(Failure::Fault(fault)) => {
                let told = FaultBody::of(&fault);
                let mut response = refusal(request, fault.status, &fault.message, &told);
                response.extensions_mut().insert(Note::code(fault.code));
                for (name, value) in fault.headers {
                    response.headers_mut().insert(name, value);
                }
                response
            }
        }
    }
}

/// 422, in the client's language.
fn invalid(request: &HttpRequest, violations: &Violations) -> HttpResponse {
    let used = request.extensions().get::<UsedForm>().cloned();
    let locale: &Locale = match &used {
        Some(used) => language::of(request, &used.locales),
        None => Locale::english(),
    };
    let told = violations.told_in(locale);
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let mut response = refusal(request, status, &told.summary(), &told);
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Language, Accept"));
    if let Ok(tag) = HeaderValue::from_str(locale.tag()) {
        headers.insert(header::CONTENT_LANGUAGE, tag);
    }
    response
}

/// A refusal: as RFC 9457 has it where the client asks for that.
fn refusal(
    request: &HttpRequest,
    status: StatusCode,
    detail: &str,
    members: &impl Serialize,
) -> HttpResponse {
    let mut response = if wants_problem(request) {
        let title = status.canonical_reason().unwrap_or_default();
        let (kind, status_code) = ("about:blank", status.as_u16());
        let problem = Problem { kind, title, status: status_code, detail, members };
        json(status, PROBLEM_TYPE, &problem)
    } else {
        json(status, MEDIA_TYPE, members)
    };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept"));
    response
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

/// RFC 9457, with the members of the plain answer as its extensions.
#[derive(Serialize)]
struct Problem<'a, M> {
    #[serde(rename = "type")]
    kind: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(flatten)]
    members: &'a M,
}

/// The same shape as that of violations, so that a client reads one.
#[derive(Serialize)]
struct FaultBody<'a> {
    errors: Errors<'a>,
    details: [Detail<'a>; 1],
}

struct Errors<'a> {
    field: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
struct Detail<'a> {
    field: &'a str,
    code: &'a str,
    params: Params<'a>,
    message: &'a str,
}

#[derive(Serialize)]
struct Params<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    near: Option<&'a str>,
}

impl<'a> FaultBody<'a> {
    fn of(fault: &'a Fault) -> Self {
        let Fault { field, code, message, near, .. } = fault;
        let params = Params { near: near.as_deref() };
        Self {
            errors: Errors { field, message },
            details: [Detail { field, code, params, message }],
        }
    }
}

impl Serialize for Errors<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(self.field, [self.message])])
    }
}
