//! `POST /api/users`: a form posted becomes a user.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, LOCATION};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use registrar_core::form::{Form, Resource};
use registrar_core::registry::Registry;
use registrar_core::value::Value;
use registrar_core::{Surroundings, Timestamp};
use registrar_store::{CreateError, Created, NewRecord, Refusal};
use serde::Serialize;

use super::submitted::{self, by_kind, not_hashed, not_stored};
use crate::answer::{Answer, Failure, Fault, MEDIA_TYPE, json};
use crate::app::AppState;
use crate::auth;
use crate::body::{self, Format};
use crate::observe::UsedForm;

/// 201 after the user is durable; 401, 406, 422, 415, 413, 400, 503 as the design says.
pub(crate) async fn create(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> Answer {
    Answer(run(&request, payload, &state).await)
}

async fn run(
    request: &HttpRequest,
    payload: web::Payload,
    state: &AppState,
) -> Result<HttpResponse, Failure> {
    let caller = auth::caller(request, state).await?;
    let format = body::format(request)?;
    let bytes = body::read(payload, state).await?;
    let registry = state.forms.current();
    let surroundings = Surroundings { now: Timestamp::now(), token: caller.name.clone() };
    // The decoded submission borrows from the body and ends before anything is awaited.
    let (form, mut user) = {
        let (form, submitted) = select(&registry, body::decode(&format, &bytes)?)?;
        request.extensions_mut().insert(UsedForm::of(form));
        (form, form.apply(submitted, &surroundings)?)
    };
    let password_hash = match user.password.take() {
        Some(password) => Some(state.hashes.hash(password).await.map_err(not_hashed)?),
        None => None,
    };
    let record = NewRecord {
        user,
        password_hash,
        form_name: form.name.clone(),
        form_version: form.version.clone(),
        token: Some(caller.id),
    };
    match state.store.create(record).await {
        Ok(created) => Ok(answer(created)),
        Err(CreateError::Refused(refusals)) => {
            Err(explain(&registry, &format, &bytes, &surroundings, &refusals)?)
        }
        Err(CreateError::TokenRefused) => {
            state.tokens.forget();
            Err(auth::invalid().into())
        }
        Err(error) => Err(not_stored(&error).into()),
    }
}

fn answer(created: Created) -> HttpResponse {
    let id = created.id;
    let body = CreatedBody { id, errors: NoErrors {} };
    let mut response = json(StatusCode::CREATED, MEDIA_TYPE, &body);
    if let Ok(location) = HeaderValue::from_str(&format!("/api/users/{id}")) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// `{"id":1,"errors":{}}`, in this order.
#[derive(Serialize)]
struct CreatedBody {
    id: i64,
    errors: NoErrors,
}

#[derive(Serialize)]
struct NoErrors {}

/// The violations that the database's refusals are; the body is decoded again to name their paths.
fn explain(
    registry: &Registry,
    format: &Format,
    bytes: &[u8],
    surroundings: &Surroundings,
    refusals: &[Refusal],
) -> Result<Failure, Fault> {
    let (form, submitted) = select(registry, body::decode(format, bytes)?)?;
    Ok(form.explain(submitted, None, surroundings, &by_kind(refusals)).into())
}

/// The form that is asked for, which must be one that may create users.
fn select<'v, 'r>(registry: &'r Registry, body: Value<'v>) -> Result<(&'r Form, Value<'v>), Fault> {
    let message = "names a form that does not create users";
    let may = |form: &Form| form.may_create && form.resource == Resource::User;
    submitted::select(registry, body, may, message)
}
