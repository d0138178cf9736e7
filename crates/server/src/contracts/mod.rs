//! Requests to contracts: authenticate, read, decode, do what the route says, answer in the words
//! of the contract. A fault becomes the outcome of the contract that it is. The native API is a
//! contract too.

mod answer;
mod call;
mod caller;
mod change;
mod create;
mod credentials;
mod find;
mod judging;
mod once;
mod records;
mod redaction;

use std::sync::Arc;
use std::time::Instant;

use actix_web::guard::GuardContext;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use registrar_core::contract::{
    Action, Contract, Contracts, Outcome, Rejection, RequestContext, RouteMatch,
};
use registrar_core::decode::brackets;
use registrar_core::value::Value;
use registrar_core::{EvalContext, Timestamp};

use crate::answer::Fault;
use crate::app::AppState;
use crate::body;
use crate::client_address::client_address;
use crate::language;
use crate::limits::Asking;
use crate::public_address;
use crate::routes::no_route;
use answer::{Done, Own, failed};
use call::Call;
pub(crate) use caller::KnownPasswords;
use caller::Who;
use judging::Sent;
pub(crate) use once::UnderWay;
use redaction::Redaction;

/// How often what is stored is loaded and judged again because somebody else changed it meanwhile.
const ATTEMPTS: u32 = 3;

/// Whether the host of a request is a contract's: then none of Registrar's own routes is there.
pub(crate) fn has_host(context: &GuardContext<'_>) -> bool {
    let Some(state) = context.app_data::<web::Data<AppState>>() else { return false };
    public_address::host(context.head())
        .is_some_and(|host| !state.forms.current().contracts().for_host(host).is_empty())
}

/// Answers what none of Registrar's own routes takes.
pub(crate) async fn serve(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> HttpResponse {
    let started = Instant::now();
    let registry = state.forms.current();
    let contracts = registry.contracts();
    let host = public_address::host(request.head());
    let of_host = host.map(|host| contracts.for_host(host)).unwrap_or_default();
    let is_at_root = of_host.is_empty();
    let (found, path) = if of_host.is_empty() {
        contracts.for_path(request.path())
    } else {
        (of_host, request.path())
    };
    let accept = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let Some((contract, is_served)) = Contracts::select_version(&found, accept) else {
        return actix_web::Responder::respond_to(no_route(request.method()), &request)
            .map_into_boxed_body();
    };
    // A query that cannot be read is null, and refused where it counts.
    let query = match request.query_string() {
        "" => Value::Object(Vec::new()),
        query => {
            brackets::parse_urlencoded(query.as_bytes()).map_or(Value::Null, Value::into_owned)
        }
    };
    let mut asked = RequestContext { query, ..RequestContext::default() };
    let mut redaction = Redaction::new(&registry);
    let (action, mut done) = if is_served {
        let around = (&mut asked, &mut redaction);
        run(contract, path, around, &request, payload, &state, started).await
    } else {
        (None, Done::Outcome(Outcome::NotAcceptable, Own::new()))
    };
    // At the root, what no contract has is told as what Registrar itself has not.
    let is_at_root = is_at_root && contract.mount.as_deref() == Some("");
    if is_at_root && matches!(done, Done::Outcome(Outcome::RouteNotFound, _)) {
        return actix_web::Responder::respond_to(no_route(request.method()), &request)
            .map_into_boxed_body();
    }
    if action.is_none() {
        know_address(&mut asked, &request, path);
    }
    if let Done::Invalid(told) = &done {
        state.counts.broken(&told.violations);
    }
    asked.elapsed = started.elapsed().as_secs_f64();
    if let Some(action) = action {
        redaction.apply(action.resource, &mut asked);
        if let Done::Outcome(_, own) = &mut done {
            redaction.apply_to_list(action.resource, own);
        }
    }
    answer::answer(contract, action, &asked, &request, done)
}

/// From here on, expressions and answers know what the request was to.
fn know_address(asked: &mut RequestContext, request: &HttpRequest, path: &str) {
    let text = |text: &str| Value::String(text.to_owned().into());
    asked.request = Value::Object(vec![
        ("method".into(), text(request.method().as_str())),
        ("path".into(), text(request.path())),
    ]);
    asked.base_url = Value::String(base_url(request, path).into());
}

/// Returns where a contract is reached, without a slash at the end; `path` is what lies behind its
/// mount.
fn base_url(request: &HttpRequest, path: &str) -> String {
    let mount = request.path().strip_suffix(path).unwrap_or_default();
    let state = request.app_data::<web::Data<AppState>>();
    let host = public_address::host(request.head());
    let is_of_contract = state
        .zip(host)
        .is_some_and(|(state, host)| !state.forms.current().contracts().for_host(host).is_empty());
    format!("{}{mount}", public_address::origin(request, is_of_contract))
}

async fn run<'c>(
    contract: &'c Arc<Contract>,
    path: &str,
    (asked, redaction): (&mut RequestContext, &mut Redaction),
    request: &HttpRequest,
    payload: web::Payload,
    state: &'c AppState,
    started: Instant,
) -> (Option<&'c Action>, Done) {
    let outcome = |outcome, own| (None, Done::Outcome(outcome, own));
    let matched = contract.find(request.method().as_str(), path, &asked.query);
    let known = if let RouteMatch::Route(action, _) = &matched { Some(*action) } else { None };
    if matches!(matched, RouteMatch::Nothing) && !contract.authentication.is_first {
        return outcome(Outcome::RouteNotFound, Own::new());
    }
    if let Some(action) = known
        && ["request", "base_url"].iter().any(|root| contract.reads(action, root))
    {
        know_address(asked, request, path);
    }
    let who = if known.is_some_and(|action| action.is_public) {
        if let Err(fault) = state.rates.count(Asking::Address(client_address(request)), request) {
            return (known, fault.into());
        }
        Who::anonymous()
    } else {
        match caller::caller(contract, known, request, state).await {
            Ok(who) => who,
            Err(done) => return (known, done),
        }
    };
    if who.permissions.shows_private() {
        redaction.disable();
    }
    let (action, names) = match matched {
        RouteMatch::Route(action, names) => (action, names),
        RouteMatch::Method(allow) => {
            return outcome(
                Outcome::MethodNotAllowed,
                vec![("allow", Value::String(allow.into()))],
            );
        }
        RouteMatch::Nothing => return outcome(Outcome::RouteNotFound, Own::new()),
    };
    if asked.query == Value::Null && contract.reads_query(action) {
        let text = "the query cannot be read: expected `name=value`, each name once";
        let fault = Fault::new(StatusCode::BAD_REQUEST, "unreadable_query", text);
        return (known, fault.into());
    }
    asked.names = names;
    if contract.reads(action, "caller") {
        asked.caller = who.shown(contract);
    }
    let mut call = Call {
        contract,
        action,
        request,
        state,
        surroundings: EvalContext { now: Timestamp::now(), token: who.name.clone() },
        who,
        asked,
        path,
        sent: Sent {
            label: body::label(request),
            languages: contract.is_localized().then(|| language::asked(request)).flatten(),
            ..Sent::default()
        },
        held: state.body_memory.hold(),
        started,
        redaction: redaction.clone(),
    };
    let done = call.run(payload).await;
    (Some(action), done.unwrap_or_else(|done| done))
}

/// From here on, expressions and answers know a user.
fn note_user(contract: &Contract, asked: &mut RequestContext, user: Value<'static>) {
    asked.set("ids", contract.id_values(&user, true));
    asked.set("user", contract.representation(user));
}

/// From here on, expressions and answers know a record.
fn note_record(contract: &Contract, asked: &mut RequestContext, record: Value<'static>) {
    asked.set("ids", contract.id_values(&record, false));
    asked.set("record", contract.representation(record));
}

/// What is said of a submission that is not taken.
fn not_taken(not: Rejection) -> Done {
    match not {
        Rejection::Invalid(told) => Done::Invalid(told),
        Rejection::Failed(cause) => failed(cause),
    }
}

/// What a client is told who asks again and again while others change the same.
fn contended() -> Done {
    Fault::busy("busy", "others change the user too: try again in a moment", 1).into()
}
