//! `PUT /api/users/{id}`: a form laid over a stored user.

use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use registrar_core::changes::ChangedUser;
use registrar_core::form::{Form, Resource};
use registrar_core::registry::Registry;
use registrar_core::value::Value;
use registrar_core::{Surroundings, Timestamp};
use registrar_store::{ChangeError, CreateError, StoredUser, UpdateRecord};

use super::id_of;
use super::render::as_submitted;
use super::submitted::{self, by_kind, not_hashed, not_stored};
use crate::answer::{Answer, Failure, Fault};
use crate::app::AppState;
use crate::auth::{self, Caller};
use crate::body::{self, Format};
use crate::observe::UsedForm;

/// How often a user is loaded and judged again because somebody else changed it meanwhile.
const ATTEMPTS: u32 = 3;

/// 204 after the change is durable; 401, 404, 406, 422, 415, 413, 400, 503 as for `POST`.
pub(crate) async fn update(
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> Answer {
    Answer(run(&request, &id, payload, &state).await)
}

async fn run(
    request: &HttpRequest,
    id: &str,
    payload: web::Payload,
    state: &AppState,
) -> Result<HttpResponse, Failure> {
    let caller = auth::caller(request, state).await?;
    let format = body::format(request)?;
    let bytes = body::read(payload, state).await?;
    let registry = state.forms.current();
    let surroundings = Surroundings { now: Timestamp::now(), token: caller.name.clone() };
    let submission =
        Submission { registry: &registry, format: &format, bytes: &bytes, surroundings };
    request.extensions_mut().insert(UsedForm::of(submission.select()?.0));
    let id = id_of(id).ok_or_else(no_such_user)?;
    let mut password_hash = None;
    for _ in 0..ATTEMPTS {
        let found = auth::read(request, state, move |store| store.user(id)).await?;
        let user = found.ok_or_else(no_such_user)?;
        if write(&submission, user, &caller, state, &mut password_hash).await? {
            return Ok(HttpResponse::NoContent().finish());
        }
    }
    Err(Fault::busy("busy", "others change the user too: try again in a moment", 1).into())
}

/// Whether the user could be written as it was loaded. The hash of a password is kept for the next
/// attempt.
async fn write(
    submission: &Submission<'_>,
    user: StoredUser,
    caller: &Caller,
    state: &AppState,
    password_hash: &mut Option<String>,
) -> Result<bool, Failure> {
    let (uuid, id, loaded_at) = (user.columns.uuid, user.columns.id, user.columns.updated_at);
    let stored = as_submitted(user);
    let mut changed = submission.judge(&stored)?;
    match changed.user.password.take() {
        Some(password) if password_hash.is_none() => {
            *password_hash = Some(state.hashes.hash(password).await.map_err(not_hashed)?);
        }
        // A condition may drop the password that it took before.
        None => *password_hash = None,
        Some(_) => {}
    }
    let (password_hash, token) = (password_hash.clone(), Some(caller.id));
    let record = UpdateRecord { id, uuid, loaded_at, changed, password_hash, token };
    match state.store.update(record).await {
        Ok(()) => Ok(true),
        Err(ChangeError::NotFound | ChangeError::Conflict) => Ok(false),
        Err(ChangeError::NotWritten(CreateError::Refused(refusals))) => {
            let (form, submitted) = submission.select()?;
            let (surroundings, told) = (&submission.surroundings, by_kind(&refusals));
            Err(form.explain(submitted, Some(&stored), surroundings, &told).into())
        }
        Err(ChangeError::NotWritten(CreateError::TokenRefused)) => {
            state.tokens.forget();
            Err(auth::invalid().into())
        }
        Err(ChangeError::NotWritten(error)) => Err(not_stored(&error).into()),
    }
}

/// What was sent. It is decoded for each use: what comes out borrows from it.
struct Submission<'s> {
    registry: &'s Registry,
    format: &'s Format,
    bytes: &'s [u8],
    surroundings: Surroundings,
}

impl<'s> Submission<'s> {
    /// The form that is asked for, which must be one that may change users.
    fn select(&self) -> Result<(&'s Form, Value<'s>), Fault> {
        let message = "names no form that changes users: for them, with `resource_owner: anyone`";
        let body = body::decode(self.format, self.bytes)?;
        let may = |form: &Form| form.may_update && form.resource == Resource::User;
        submitted::select(self.registry, body, may, message)
    }

    fn judge(&self, stored: &Value<'_>) -> Result<ChangedUser, Failure> {
        let (form, submitted) = self.select()?;
        Ok(form.update(submitted, stored, &self.surroundings)?)
    }
}

/// What is said of an id that is nobody's.
pub(super) fn no_such_user() -> Fault {
    Fault::not_found("there is no such user")
}
