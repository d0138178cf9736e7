//! Requests to contracts: finds the route, authenticates, runs the operation and renders the reply. The
//! native API is a contract too.

mod create;
mod delete;
mod evaluate;
mod idempotency;
mod list;
mod lookup;
mod redaction;
mod remove;
mod reply;
mod request_cx;
mod show;
mod tokens;
mod update;
mod upsert;

use std::sync::Arc;
use std::time::Instant;

use actix_web::guard::GuardContext;
use actix_web::http::{Method, StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, Responder as _, web};
use registrar_contracts::decode::brackets;
use registrar_contracts::{Action, Contract, Contracts, Outcome, RequestContext, RouteMatch};
use registrar_core::value::Value;
use registrar_core::{EvalContext, Timestamp};

use crate::error::ApiError;
use crate::http::response::ApiResponse;
use crate::http::{base_url, body, language};
use crate::state::AppState;
use evaluate::RequestBody;
use redaction::Redaction;
use reply::Reply;
use request_cx::RequestCx;

/// Maximum number of attempts to update an entity that others change at the same time.
const MAX_UPDATE_ATTEMPTS: u32 = 3;

/// Returns whether the host of a request belongs to a contract. Such a host serves no native routes.
pub(crate) fn is_contract_host(context: &GuardContext<'_>) -> bool {
    let Some(state) = context.app_data::<web::Data<AppState>>() else { return false };
    base_url::host(context.head()).is_some_and(|host| has_contract(state, host))
}

fn has_contract(state: &AppState, host: &str) -> bool {
    !state.config.current().contracts().for_host(host).is_empty()
}

/// Returns the response for an unknown route, native or of a contract.
pub(crate) fn no_route(method: &Method) -> ApiResponse {
    let hint =
        if *method == Method::POST { "POST /api/users creates users" } else { "nothing is here" };
    ApiResponse(Err(ApiError::not_found(&format!("there is no such route: {hint}"))))
}

/// Handles requests that match no native route.
pub(crate) async fn serve(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> HttpResponse {
    let started = Instant::now();
    let registry = state.config.current();
    let contracts = registry.contracts();
    let host = base_url::host(request.head());
    let of_host = host.map(|host| contracts.for_host(host)).unwrap_or_default();
    let is_native_host = of_host.is_empty();
    let (candidates, path) = match is_native_host {
        true => contracts.for_path(request.path()),
        false => (of_host, request.path()),
    };
    let accept = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let Some((contract, is_served)) = Contracts::select_version(&candidates, accept) else {
        return no_route(request.method()).respond_to(&request).map_into_boxed_body();
    };
    // An invalid query is null; it is refused if the route uses it.
    let query = match request.query_string() {
        "" => Value::Object(Vec::new()),
        query => {
            brackets::parse_urlencoded(query.as_bytes()).map_or(Value::Null, Value::into_owned)
        }
    };
    let mut context = RequestContext { query, ..RequestContext::default() };
    let mut redaction = Redaction::new(&registry);
    let (action, mut result) = if is_served {
        let matched = (contract, path);
        run(matched, (&mut context, &mut redaction), &request, payload, &state, started).await
    } else {
        (None, Err(ApiError::outcome(Outcome::NotAcceptable)))
    };
    // At the root, an unknown route gets the native response.
    let is_at_root = is_native_host && contract.mount.as_deref() == Some("");
    if let Err(error) = &result {
        if is_at_root && error.contract_outcome() == Outcome::RouteNotFound {
            return no_route(request.method()).respond_to(&request).map_into_boxed_body();
        }
        if let Some(violations) = error.violations() {
            state.metrics.count_violations(violations);
        }
    }
    if action.is_none() {
        set_addresses(&mut context, &request, path, &state);
    }
    context.elapsed = started.elapsed().as_secs_f64();
    if let Some(action) = action {
        redaction.apply(action.resource, &mut context);
        if let Ok(Reply::Outcome(_, values)) = &mut result {
            redaction.apply_to_list(action.resource, values);
        }
    }
    reply::render((contract, action), &context, &request, result)
}

/// Sets `request` and `base_url` in the context of expressions.
fn set_addresses(
    context: &mut RequestContext,
    request: &HttpRequest,
    path: &str,
    state: &AppState,
) {
    let text = |text: &str| Value::String(text.to_owned().into());
    context.request = Value::Object(vec![
        ("method".into(), text(request.method().as_str())),
        ("path".into(), text(request.path())),
    ]);
    context.base_url = Value::String(contract_url(request, path, state).into());
}

/// Returns the base URL of a contract without a trailing slash. `path` is the path below its mount.
fn contract_url(request: &HttpRequest, path: &str, state: &AppState) -> String {
    let mount = request.path().strip_suffix(path).unwrap_or_default();
    let host = base_url::host(request.head());
    let is_of_contract = host.is_some_and(|host| has_contract(state, host));
    format!("{}{mount}", base_url::base_url(request, &state.settings, is_of_contract))
}

/// Runs the operation of the matched route. Returns the route, if there is one, and the result.
async fn run<'c>(
    (contract, path): (&'c Arc<Contract>, &str),
    (context, redaction): (&mut RequestContext, &mut Redaction),
    request: &HttpRequest,
    payload: web::Payload,
    state: &'c AppState,
    started: Instant,
) -> (Option<&'c Action>, Result<Reply, ApiError>) {
    let matched = contract.find(request.method().as_str(), path, &context.query);
    let route = if let RouteMatch::Route(action, _) = &matched { Some(*action) } else { None };
    if matches!(matched, RouteMatch::Nothing) && !contract.authentication.is_first {
        return (None, Err(ApiError::route_not_found()));
    }
    if let Some(action) = route
        && ["request", "base_url"].iter().any(|root| contract.reads(action, root))
    {
        set_addresses(context, request, path, state);
    }
    let principal = match state.auth.authenticate(contract, route, request).await {
        Ok(principal) => principal,
        Err(error) => return (route, Err(error)),
    };
    if principal.permissions.shows_private() {
        redaction.disable();
    }
    let (action, names) = match matched {
        RouteMatch::Route(action, names) => (action, names),
        RouteMatch::Method(allowed) => return (None, Err(ApiError::method_not_allowed(&allowed))),
        RouteMatch::Nothing => return (None, Err(ApiError::route_not_found())),
    };
    if context.query == Value::Null && contract.reads_query(action) {
        let text = "the query cannot be read: expected `name=value`, each name once";
        let error = ApiError::new(StatusCode::BAD_REQUEST, "unreadable_query", text);
        return (route, Err(error));
    }
    context.names = names;
    if contract.reads(action, "caller") {
        context.caller = principal.to_value(contract);
    }
    let mut cx = RequestCx {
        contract,
        action,
        request,
        state,
        eval_cx: EvalContext { now: Timestamp::now(), token: principal.name.clone() },
        principal,
        context,
        path,
        body: RequestBody {
            media_type: body::media_type(request),
            languages: contract
                .is_localized()
                .then(|| language::accept_language(request))
                .flatten(),
            ..RequestBody::default()
        },
        reservation: state.memory.reservation(),
        started,
        redaction: redaction.clone(),
    };
    let result = cx.run(payload).await;
    (Some(action), result)
}

/// Sets `user` and `ids` in the context of expressions.
fn set_user(contract: &Contract, context: &mut RequestContext, user: Value<'static>) {
    context.set("ids", contract.id_values(&user, true));
    context.set("user", contract.representation(user));
}

/// Sets `record` and `ids` in the context of expressions.
fn set_record(contract: &Contract, context: &mut RequestContext, record: Value<'static>) {
    context.set("ids", contract.id_values(&record, false));
    context.set("record", contract.representation(record));
}
