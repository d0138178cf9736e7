//! JSON responses, and errors as problem details (RFC 9457).

use actix_web::body::{BoxBody, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, Responder};
use registrar_core::value::Value;
use serde::Serialize;

use super::access_log::LogContext;
use super::language;
use crate::error::ApiError;

/// Media type of responses of the native API.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.api+json";
const PROBLEM_MEDIA_TYPE: &str = "application/problem+json";

/// Result of a native handler.
#[derive(Debug)]
pub(crate) struct ApiResponse(pub(crate) Result<HttpResponse, ApiError>);

impl Responder for ApiResponse {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let error = match self.0 {
            Ok(response) => return response,
            Err(error) => error,
        };
        let status = error.status();
        let body = error.to_values(status).map(|(name, value)| (name.into(), value));
        let mut response = json_response(status, MEDIA_TYPE, &Value::Object(body.into()));
        response.extensions_mut().insert(LogContext::code(error.code()));
        if accepts_problem_json(request) {
            response = to_problem_json(response, error.message(status));
        }
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept"));
        for (name, value) in error.headers() {
            response.headers_mut().insert(name.clone(), value.clone());
        }
        response
    }
}

/// Converts a JSON error to problem details. The members of its body become extension members.
pub(crate) fn to_problem_json(response: HttpResponse, detail: &str) -> HttpResponse {
    let status = response.status();
    let (head, body) = response.into_parts();
    let members = body.try_into_bytes().unwrap_or_default();
    let title = status.canonical_reason().unwrap_or_default();
    let standard = ProblemMembers { kind: "about:blank", title, status: status.as_u16(), detail };
    let mut problem = serde_json::to_vec(&standard).unwrap_or_default();
    if let Some(members) = members.strip_prefix(b"{").filter(|members| *members != b"}") {
        problem.pop();
        problem.push(b',');
        problem.extend_from_slice(members);
    }
    let mut response = head.set_body(BoxBody::new(problem));
    let media_type = HeaderValue::from_static(PROBLEM_MEDIA_TYPE);
    response.headers_mut().insert(header::CONTENT_TYPE, media_type);
    response
}

#[derive(Serialize)]
struct ProblemMembers<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
}

/// Returns whether the client accepts `application/problem+json` explicitly.
pub(crate) fn accepts_problem_json(request: &HttpRequest) -> bool {
    let headers = request.headers().get_all(header::ACCEPT);
    let mut ranges = headers.filter_map(|accept| accept.to_str().ok()).flat_map(|a| a.split(','));
    ranges.any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let matches = parts.next().is_some_and(|it| it.eq_ignore_ascii_case(PROBLEM_MEDIA_TYPE));
        let mut qualities = parts.filter_map(|part| part.strip_prefix("q="));
        matches && !qualities.any(|quality| language::quality(quality) == Some(0))
    })
}

/// Returns a JSON response.
pub(crate) fn json_response(
    status: StatusCode,
    media_type: &'static str,
    body: &impl Serialize,
) -> HttpResponse {
    match serde_json::to_vec(body) {
        Ok(bytes) => HttpResponse::build(status)
            .insert_header((header::CONTENT_TYPE, HeaderValue::from_static(media_type)))
            .body(bytes),
        Err(error) => {
            log::error!("cannot serialize a response: {error}");
            HttpResponse::InternalServerError().finish()
        }
    }
}
