//! From what was done to the answer that the contract has for it.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use registrar_core::contract::{Action, Contract, ErrorResponse, Outcome, RequestContext};
use registrar_core::form::Resource;
use registrar_core::value::Value;
use registrar_store::StoredResponse;

use crate::answer::{Fault, as_problem, wants_problem};
use crate::observe::Note;
use crate::routes::refused_method;
use crate::{auth, body};

/// The values that only one answer has.
pub(super) type Own = Vec<(&'static str, Value<'static>)>;

/// What a request to a contract comes to, and the values of the answer to it.
pub(super) enum Done {
    Outcome(Outcome, Own),
    Invalid(Box<ErrorResponse>),
    Fault(Fault),
    /// What was kept of an answer, for a request that may be sent again; or has been.
    Kept {
        answer: StoredResponse,
        is_again: bool,
    },
    /// An expression of the contract could not be worked out, for this reason.
    Failed(String),
}

impl From<Fault> for Done {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// An expression that could not be worked out.
pub(super) fn failed(cause: String) -> Done {
    Done::Failed(cause)
}

/// The answer that the contract has for what was done.
pub(super) fn answer(
    contract: &Contract,
    action: Option<&Action>,
    asked: &RequestContext,
    request: &HttpRequest,
    done: Done,
) -> HttpResponse {
    let text = |text: String| Value::String(text.into());
    let (outcome, own, fault, detail, mut note) = match done {
        Done::Kept { answer, is_again } => return kept((contract, action), answer, is_again),
        Done::Outcome(outcome, own) => {
            let status = contract.status(action, outcome);
            let fault = status.is_some_and(|status| status >= 400);
            let fault = fault.then(|| refusal(action, outcome, &own, status));
            let code = fault.as_ref().map_or(outcome.name(), Fault::code);
            (outcome, own, fault, None, Note::code(code))
        }
        Done::Invalid(told) => {
            for cause in &told.violations.causes {
                log::warn!("a condition could not be checked at {cause}");
            }
            let is_taken = told.first.get("code").and_then(Value::as_str) == Some("taken");
            let has_own = contract.status(action, Outcome::Taken).is_some();
            let outcome = if is_taken && has_own { Outcome::Taken } else { Outcome::Invalid };
            let note = Note::of(&told.violations);
            let ErrorResponse { errors, first, details, summary, language, violations } = *told;
            let own = vec![
                ("errors", errors),
                ("error", first),
                ("details", details),
                ("summary", text(summary.clone())),
                ("language", text(language)),
                ("truncated", Value::Bool(violations.truncated)),
            ];
            (outcome, own, None, Some(summary), note)
        }
        Done::Fault(fault) => {
            let note = Note::code(fault.code());
            (outcome_of(&fault), Own::new(), Some(fault), None, note)
        }
        Done::Failed(cause) => {
            log::error!("an expression of `{}` cannot be worked out: {cause}", contract.name);
            let fault =
                Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server failed");
            (Outcome::Error, Own::new(), Some(fault), None, Note::code("internal"))
        }
    };
    note.route = action.map(|action| action.path.clone());
    note.contract = Some(contract.name.clone());
    let status = contract
        .status(action, outcome)
        .and_then(|status| StatusCode::from_u16(status).ok())
        .or(fault.as_ref().map(Fault::status))
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let reason = (status.as_u16(), status.canonical_reason().unwrap_or_default());
    let own = own.into_iter().chain(fault.iter().flat_map(|fault| {
        let summary = Value::String(fault.message().into());
        fault.told().into_iter().chain([("summary", summary)])
    }));
    let rendered = match contract.answer((action, outcome), reason, asked, own.collect()) {
        Ok(rendered) => rendered,
        Err(cause) => {
            let (name, outcome) = (&contract.name, outcome.name());
            log::error!("the answer `{outcome}` of `{name}` cannot be worked out: {cause}");
            let mut response = HttpResponse::InternalServerError().finish();
            response.extensions_mut().insert(note);
            return response;
        }
    };
    let mut response = HttpResponse::build(status);
    if let Some(content_type) = rendered.content_type {
        response.insert_header((header::CONTENT_TYPE, content_type));
    }
    let failed = fault.iter().filter(|_| outcome == Outcome::Error).flat_map(Fault::headers);
    for (name, value) in failed {
        response.insert_header((name, value));
    }
    for (name, value) in rendered.headers {
        if value.len() > LONGEST_HEADER {
            log::warn!("a header of `{}` is longer than {LONGEST_HEADER} bytes", contract.name);
            continue;
        }
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
            response.insert_header((name, value));
        }
    }
    let mut response = response.body(rendered.body);
    if contract.has_problems && status.as_u16() >= 400 && wants_problem(request) {
        let detail = detail.as_deref().or(fault.as_ref().map(Fault::message));
        response = as_problem(response, detail.unwrap_or_default());
    }
    response.extensions_mut().insert(note);
    response
}

/// An answer that was kept, as it was.
fn kept(
    (contract, action): (&Contract, Option<&Action>),
    answer: StoredResponse,
    is_again: bool,
) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = HttpResponse::build(status);
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
            response.insert_header((name, value));
        }
    }
    if is_again {
        response.insert_header(REPLAYED);
    }
    let mut response = response.body(answer.body);
    let mut note = Note::code(if is_again { "replayed" } else { Outcome::Created.name() });
    note.route = action.map(|action| action.path.clone());
    note.contract = Some(contract.name.clone());
    response.extensions_mut().insert(note);
    response
}

/// The longest value of a header that an answer has, in bytes: what clients and proxies take.
const LONGEST_HEADER: usize = 8 * 1024;

/// Says that nothing was done for this answer.
const REPLAYED: (&str, &str) = ("Idempotent-Replayed", "true");

/// The outcome that a fault is.
fn outcome_of(fault: &Fault) -> Outcome {
    match fault.code() {
        "invalid_token" => Outcome::InvalidCredentials,
        "unsupported_media_type" => Outcome::UnsupportedMediaType,
        "bad_query" => Outcome::BadQuery,
        _ => Outcome::Error,
    }
}

/// What Registrar itself says of an outcome that refuses.
fn refusal(action: Option<&Action>, outcome: Outcome, own: &Own, status: Option<u16>) -> Fault {
    let value = |name: &str| own.iter().find(|(known, _)| *known == name).map(|(_, value)| value);
    let within = |name: &str, part: &str| value(name)?.get(part)?.as_str();
    match outcome {
        Outcome::MissingCredentials => auth::missing(),
        Outcome::InvalidCredentials => auth::invalid(),
        Outcome::UnsupportedMediaType => body::unsupported("the content type is not read here"),
        Outcome::Malformed => {
            let what = within("malformed", "what").unwrap_or_default();
            body::malformed(&what)
        }
        Outcome::NotAnObject => {
            let named = action.is_some_and(Action::names_form);
            let message = if named {
                "the body is no object: expected `form_configuration_name` and `form`"
            } else {
                "the body is no object"
            };
            Fault::wrong_parameter("base", "wrong_parameters", message)
        }
        Outcome::WrongParameters => {
            let part = |name: &str| within("parameter", name);
            let field = part("field").unwrap_or("base");
            let code = WRONG.into_iter().find(|code| part("code") == Some(code));
            let text = part("text").unwrap_or_default();
            Fault::wrong_parameter(field, code.unwrap_or("wrong_parameters"), text)
                .with_near(part("near"))
        }
        Outcome::NotFound => {
            let is_user = action.is_none_or(|action| action.resource == Resource::User);
            let what = if is_user { "there is no such user" } else { "there is no such record" };
            Fault::not_found(what)
        }
        Outcome::RouteNotFound => Fault::not_found("there is no such route"),
        Outcome::MethodNotAllowed => {
            refused_method(value("allow").and_then(Value::as_str).unwrap_or_default())
        }
        _ => {
            let status = status.and_then(|status| StatusCode::from_u16(status).ok());
            let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Fault::new(status, outcome.name(), status.canonical_reason().unwrap_or_default())
        }
    }
}

/// The codes of what is wrong around a form.
const WRONG: [&str; 4] = ["missing", "unknown_form", "wrong_form", "wrong_type"];
