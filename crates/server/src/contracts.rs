//! Requests to contracts: authenticate, read, decode, judge, hash, store, answer in the words of
//! the contract. What can go wrong is the same as with a form posted to the native API; a fault
//! becomes the outcome of the contract that it is.

use std::time::Instant;

use actix_web::dev::RequestHead;
use actix_web::guard::GuardContext;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use registrar_core::contract::{
    Asked, Contract, Credential, Matched, Operation, Outcome, Told, Undecoded,
};
use registrar_core::value::Value;
use registrar_core::{Surroundings, Timestamp};
use registrar_store::{CreateError, NewRecord};

use crate::answer::Fault;
use crate::app::AppState;
use crate::auth::{self, Caller};
use crate::body;
use crate::observe::{Note, UsedForm};
use crate::routes::no_route;
use crate::users::render::stored_user;
use crate::users::submitted::{by_kind, not_hashed, not_stored};

type Own = Vec<(&'static str, Value<'static>)>;

/// What a request to a contract comes to, and the values of the answer to it.
enum Done {
    Outcome(Outcome, Own),
    Invalid(Box<Told>),
    Fault(Fault),
}

impl From<Fault> for Done {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Whether the host of a request is a contract's: then nothing of the native API is there.
pub(crate) fn has_host(context: &GuardContext<'_>) -> bool {
    let Some(state) = context.app_data::<web::Data<AppState>>() else { return false };
    host_of(context.head())
        .is_some_and(|host| state.forms.current().contracts().of_host(host).is_some())
}

/// The host that a request is to, with its port. What proxies say of it does not count: they pass
/// on the host whose contract is to answer.
fn host_of(head: &RequestHead) -> Option<&str> {
    let host = head.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    host.or(head.uri.authority().map(|authority| authority.as_str()))
}

/// Answers what no native route takes.
pub(crate) async fn serve(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> HttpResponse {
    let started = Instant::now();
    let registry = state.forms.current();
    let contracts = registry.contracts();
    let by_host = host_of(request.head()).and_then(|host| contracts.of_host(host));
    let found = by_host.map(|contract| (contract, request.path(), "")).or_else(|| {
        let (contract, path) = contracts.of_path(request.path())?;
        Some((contract, path, contract.mount.as_deref().unwrap_or_default()))
    });
    let Some((contract, path, mount)) = found else {
        return actix_web::Responder::respond_to(no_route(request.method()), &request)
            .map_into_boxed_body();
    };
    let base_url = {
        let from = request.connection_info();
        format!("{}://{}{mount}", from.scheme(), from.host())
    };
    let done = run(contract, path, &request, payload, &state).await;
    let asked = Asked {
        method: request.method().to_string(),
        path: request.path().to_owned(),
        base_url,
        elapsed: started.elapsed().as_secs_f64(),
    };
    answer(contract, &asked, done)
}

async fn run(
    contract: &Contract,
    path: &str,
    request: &HttpRequest,
    payload: web::Payload,
    state: &AppState,
) -> Done {
    let matched = contract.find(request.method().as_str(), path);
    if matched == Matched::Nothing {
        return Done::Outcome(Outcome::NoRoute, Own::new());
    }
    let caller = match caller(contract, request, state).await {
        Ok(caller) => caller,
        Err(done) => return done,
    };
    let done = match matched {
        Matched::Route(Operation::Create, _) => {
            create(contract, request, payload, state, caller).await
        }
        Matched::Route(Operation::Show, id) => {
            let id = id.and_then(|id| contract.user_id(id));
            show(contract, Outcome::Found, id, state).await
        }
        Matched::Method(allow) => {
            Ok(Done::Outcome(Outcome::Method, vec![("allow", Value::String(allow.into()))]))
        }
        Matched::Nothing => Ok(Done::Outcome(Outcome::NoRoute, Own::new())),
    };
    done.unwrap_or_else(|done| done)
}

/// Who asks; nobody where anybody may.
async fn caller(
    contract: &Contract,
    request: &HttpRequest,
    state: &AppState,
) -> Result<Option<Caller>, Done> {
    if contract.schemes.is_empty() {
        return Ok(None);
    }
    let refused = |outcome| Done::Outcome(outcome, Own::new());
    let header = request.headers().get(header::AUTHORIZATION);
    // What is not ASCII can be no credential of anybody's.
    match contract.credential(header.map(|header| header.to_str().unwrap_or("?"))) {
        Credential::Missing => Err(refused(Outcome::Unauthenticated)),
        Credential::Unreadable => Err(refused(Outcome::BadCredential)),
        Credential::Sent(token) => {
            Ok(Some(state.tokens.remembered(auth::well_formed(token)?, state).await?))
        }
    }
}

async fn create(
    contract: &Contract,
    request: &HttpRequest,
    payload: web::Payload,
    state: &AppState,
    caller: Option<Caller>,
) -> Result<Done, Done> {
    body::check_encoding(request)?;
    let bytes = body::read(payload, state).await?;
    let label = request.content_type().trim().to_ascii_lowercase();
    request.extensions_mut().insert(UsedForm::of(&contract.form));
    let token = caller.as_ref().map(|caller| caller.name.clone()).unwrap_or_default();
    let surroundings = Surroundings { now: Timestamp::now(), token };
    // The decoded submission borrows from the body and ends before anything is awaited.
    let mut user = {
        let sent = decode(contract, &label, &bytes)?;
        contract.judge(&sent, &surroundings).map_err(Done::Invalid)?
    };
    let password_hash = match user.password.take() {
        Some(password) => Some(state.hashes.hash(password).await.map_err(not_hashed)?),
        None => None,
    };
    let record = NewRecord {
        user,
        password_hash,
        form_name: contract.form.name.clone(),
        form_version: contract.form.version.clone(),
        token: caller.map(|caller| caller.id),
    };
    match state.store.create(record).await {
        Ok(created) => show(contract, Outcome::Created, Some(created.id), state).await,
        Err(CreateError::Refused(refusals)) => {
            let sent = decode(contract, &label, &bytes)?;
            Ok(Done::Invalid(contract.explain(&sent, &surroundings, &by_kind(&refusals))))
        }
        Err(CreateError::TokenRefused) => {
            state.tokens.forget();
            Ok(auth::invalid().into())
        }
        Err(error) => Ok(not_stored(&error).into()),
    }
}

/// What was sent, which must be an object.
fn decode<'b>(contract: &Contract, label: &str, bytes: &'b [u8]) -> Result<Value<'b>, Done> {
    let sent = contract.decode(Some(label), bytes).map_err(|error| match error {
        Undecoded::MediaType => {
            let media_type = label.chars().take(64).collect::<String>();
            let own = vec![("media_type", Value::String(media_type.into()))];
            Done::Outcome(Outcome::MediaType, own)
        }
        Undecoded::Malformed(error) => {
            Done::Outcome(Outcome::Malformed, vec![Contract::malformed(&error, bytes)])
        }
    })?;
    if matches!(sent, Value::Object(_)) {
        return Ok(sent);
    }
    let got = Value::String(contract.type_of(&sent).to_owned().into());
    Err(Done::Outcome(Outcome::NotAnObject, vec![("got", got)]))
}

/// A stored user, as the answer of an outcome.
async fn show(
    contract: &Contract,
    outcome: Outcome,
    id: Option<i64>,
    state: &AppState,
) -> Result<Done, Done> {
    let user = match id {
        Some(id) => auth::load(state, move |store| store.user(id)).await?,
        None => None,
    };
    Ok(match user {
        Some(user) => Done::Outcome(outcome, contract.shown(stored_user(user))),
        None => Done::Outcome(Outcome::NotFound, Own::new()),
    })
}

/// The answer that the contract has for what was done.
fn answer(contract: &Contract, asked: &Asked, done: Done) -> HttpResponse {
    let mut extra = Vec::new();
    let (outcome, status, own, note) = match done {
        Done::Outcome(outcome, own) => (outcome, None, own, Note::code(outcome.name())),
        Done::Invalid(told) => {
            for cause in &told.violations.causes {
                log::warn!("a condition could not be checked at {cause}");
            }
            let note = Note::of(&told.violations);
            (Outcome::Invalid, None, vec![("errors", told.errors), ("error", told.first)], note)
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
    };
    let status = contract
        .status(outcome)
        .and_then(|status| StatusCode::from_u16(status).ok())
        .or(status)
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let reason = (status.as_u16(), status.canonical_reason().unwrap_or_default());
    let rendered = match contract.answer(outcome, reason, asked, own) {
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
