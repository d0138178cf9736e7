//! Renders the result of an operation as the response that the contract defines for its outcome.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use registrar_contracts::{Action, Contract, ErrorResponse, Outcome, RequestContext};
use registrar_core::value::Value;
use registrar_store::StoredResponse;

use crate::error::{ApiError, ReplyValues};
use crate::http::access_log::LogContext;
use crate::http::response::{accepts_problem_json, to_problem_json};

/// Maximum length of a header value in bytes, which clients and proxies accept.
const MAX_HEADER_LEN: usize = 8 * 1024;

/// Header of a response that was stored for an earlier request.
const REPLAYED: (&str, &str) = ("Idempotent-Replayed", "true");

/// Result of an operation.
#[derive(Debug)]
pub(super) enum Reply {
    /// An outcome of the contract, with values for its body template.
    Outcome(Outcome, ReplyValues),
    /// A response that is stored under an idempotency key.
    Stored { response: StoredResponse, is_replay: bool },
}

impl From<Outcome> for Reply {
    fn from(outcome: Outcome) -> Self {
        Self::Outcome(outcome, ReplyValues::new())
    }
}

/// Renders the result of an operation.
pub(super) fn render(
    (contract, action): (&Contract, Option<&Action>),
    context: &RequestContext,
    request: &HttpRequest,
    result: Result<Reply, ApiError>,
) -> HttpResponse {
    let (outcome, mut values, error) = match result {
        Ok(Reply::Stored { response, is_replay }) => {
            let code = if is_replay { "replayed" } else { Outcome::Created.name() };
            let log_context = log_context(LogContext::code(code), contract, action);
            return stored_response(response, is_replay, log_context);
        }
        Ok(Reply::Outcome(outcome, values)) => (outcome, values, None),
        Err(mut error) => {
            let validation = error.take_validation();
            if let Some(validation) = validation {
                return render_invalid((contract, action), context, request, validation);
            }
            (error.contract_outcome(), error.take_values(), Some(error))
        }
    };
    if let Some(cause) = error.as_ref().and_then(ApiError::cause) {
        log::error!("request to contract `{}` failed: {cause}", contract.name);
    }
    let code = error.as_ref().map_or(outcome.name(), ApiError::code);
    let log_context = log_context(LogContext::code(code), contract, action);
    let status = contract
        .status(action, outcome)
        .and_then(|status| StatusCode::from_u16(status).ok())
        .or(error.as_ref().map(ApiError::status))
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let error = error.filter(|_| status.as_u16() >= 400 || outcome == Outcome::Error);
    if let Some(error) = &error {
        values.extend(error.to_values(status));
        values.push(("summary", Value::String(error.message(status).to_owned().into())));
    }
    let detail = error.as_ref().map(|error| error.message(status)).unwrap_or_default();
    let headers = error.iter().filter(|_| outcome == Outcome::Error).flat_map(ApiError::headers);
    let parts = Parts { outcome, status, values, detail, log_context };
    build((contract, action), context, request, parts, headers)
}

/// Renders the validation errors of a submission.
fn render_invalid(
    (contract, action): (&Contract, Option<&Action>),
    context: &RequestContext,
    request: &HttpRequest,
    validation: ErrorResponse,
) -> HttpResponse {
    let ErrorResponse { errors, first, details, summary, language, violations } = validation;
    for cause in &violations.causes {
        log::warn!("cannot evaluate a condition at {cause}");
    }
    let is_taken = first.get("code").and_then(Value::as_str) == Some("taken");
    let has_taken = contract.status(action, Outcome::Taken).is_some();
    let outcome = if is_taken && has_taken { Outcome::Taken } else { Outcome::Invalid };
    let log_context = log_context(LogContext::violations(&violations), contract, action);
    let status = contract.status(action, outcome);
    let status = status.and_then(|status| StatusCode::from_u16(status).ok());
    let values = vec![
        ("errors", errors),
        ("error", first),
        ("details", details),
        ("summary", Value::String(summary.clone().into())),
        ("language", Value::String(language.into())),
        ("truncated", Value::Bool(violations.truncated)),
    ];
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let parts = Parts { outcome, status, values, detail: &summary, log_context };
    build((contract, action), context, request, parts, std::iter::empty())
}

/// Parts of a response.
struct Parts<'p> {
    outcome: Outcome,
    status: StatusCode,
    values: ReplyValues,
    /// Value of `detail` in problem details.
    detail: &'p str,
    log_context: LogContext,
}

fn build<'h>(
    (contract, action): (&Contract, Option<&Action>),
    context: &RequestContext,
    request: &HttpRequest,
    parts: Parts<'_>,
    headers: impl Iterator<Item = &'h (HeaderName, HeaderValue)>,
) -> HttpResponse {
    let Parts { outcome, status, values, detail, log_context } = parts;
    let reason = (status.as_u16(), status.canonical_reason().unwrap_or_default());
    let rendered = match contract.answer((action, outcome), reason, context, values) {
        Ok(rendered) => rendered,
        Err(cause) => {
            let (name, outcome) = (&contract.name, outcome.name());
            log::error!("cannot render the response `{outcome}` of contract `{name}`: {cause}");
            let mut response = HttpResponse::InternalServerError().finish();
            response.extensions_mut().insert(log_context);
            return response;
        }
    };
    let mut response = HttpResponse::build(status);
    if let Some(content_type) = rendered.content_type {
        response.insert_header((header::CONTENT_TYPE, content_type));
    }
    for (name, value) in headers {
        response.insert_header((name, value));
    }
    for (name, value) in rendered.headers {
        if value.len() > MAX_HEADER_LEN {
            let name = &contract.name;
            log::warn!("a header of contract `{name}` is longer than {MAX_HEADER_LEN} bytes");
            continue;
        }
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
            response.insert_header((name, value));
        }
    }
    let mut response = response.body(rendered.body);
    if contract.has_problems && status.as_u16() >= 400 && accepts_problem_json(request) {
        response = to_problem_json(response, detail);
    }
    response.extensions_mut().insert(log_context);
    response
}

fn stored_response(
    stored: StoredResponse,
    is_replay: bool,
    log_context: LogContext,
) -> HttpResponse {
    let status = StatusCode::from_u16(stored.status).unwrap_or(StatusCode::OK);
    let mut response = HttpResponse::build(status);
    for (name, value) in stored.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
            response.insert_header((name, value));
        }
    }
    if is_replay {
        response.insert_header(REPLAYED);
    }
    let mut response = response.body(stored.body);
    response.extensions_mut().insert(log_context);
    response
}

fn log_context(
    mut context: LogContext,
    contract: &Contract,
    action: Option<&Action>,
) -> LogContext {
    context.route = action.map(|action| action.path.clone());
    context.contract = Some(contract.name.clone());
    context
}
