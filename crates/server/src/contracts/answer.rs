//! From what was done to the answer that the contract has for it.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use registrar_core::contract::{Action, Asked, Contract, Outcome, Told};
use registrar_core::value::Value;

use crate::answer::Fault;
use crate::observe::Note;

/// The values that only one answer has.
pub(super) type Own = Vec<(&'static str, Value<'static>)>;

/// What a request to a contract comes to, and the values of the answer to it.
pub(super) enum Done {
    Outcome(Outcome, Own),
    Invalid(Box<Told>),
    Fault(Fault),
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
    asked: &Asked,
    done: Done,
) -> HttpResponse {
    let mut extra = Vec::new();
    let (outcome, status, own, note) = match done {
        Done::Outcome(outcome, own) => (outcome, None, own, Note::code(outcome.name())),
        Done::Invalid(told) => {
            for cause in &told.violations.causes {
                log::warn!("a condition could not be checked at {cause}");
            }
            let note = Note::of(&told.violations);
            let is_taken = told.first.get("code").and_then(Value::as_str) == Some("taken");
            let has_own = contract.status(action, Outcome::Taken).is_some();
            let outcome = if is_taken && has_own { Outcome::Taken } else { Outcome::Invalid };
            (outcome, None, vec![("errors", told.errors), ("error", told.first)], note)
        }
        Done::Fault(fault) => {
            let outcome = match fault.code() {
                "invalid_token" => Outcome::BadCredential,
                "unsupported_media_type" => Outcome::MediaType,
                _ => Outcome::Failed,
            };
            let note = Note::code(fault.code());
            let status = fault.status();
            if outcome == Outcome::Failed {
                extra = fault.into_headers();
            }
            (outcome, Some(status), Own::new(), note)
        }
        Done::Failed(cause) => {
            log::error!("an expression of `{}` cannot be worked out: {cause}", contract.name);
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            (Outcome::Failed, Some(status), Own::new(), Note::code("internal"))
        }
    };
    let status = contract
        .status(action, outcome)
        .and_then(|status| StatusCode::from_u16(status).ok())
        .or(status)
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let reason = (status.as_u16(), status.canonical_reason().unwrap_or_default());
    let rendered = match contract.answer((action, outcome), reason, asked, own) {
        Ok(rendered) => rendered,
        Err(cause) => {
            let (name, outcome) = (&contract.name, outcome.name());
            log::error!("the answer `{outcome}` of `{name}` cannot be worked out: {cause}");
            return HttpResponse::InternalServerError().finish();
        }
    };
    let mut response = HttpResponse::build(status);
    if let Some(content_type) = rendered.content_type {
        response.insert_header((header::CONTENT_TYPE, content_type));
    }
    let told = rendered.headers.into_iter().filter_map(|(name, value)| {
        Some((name.parse::<HeaderName>().ok()?, value.parse::<HeaderValue>().ok()?))
    });
    for (name, value) in extra.into_iter().chain(told) {
        response.insert_header((name, value));
    }
    let mut response = response.body(rendered.body);
    response.extensions_mut().insert(note);
    response
}
