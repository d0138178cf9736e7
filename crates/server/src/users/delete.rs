//! `DELETE /api/users/{id}`: a user goes, with everything nested in it.

use actix_web::{HttpRequest, HttpResponse, web};
use registrar_store::{ChangeError, CreateError};

use super::id_of;
use super::submitted::not_stored;
use super::update::no_such_user;
use crate::answer::{Answer, Failure};
use crate::app::AppState;
use crate::auth;

/// 204 after the user is gone for good; 401, 404, 503.
pub(crate) async fn delete(
    request: HttpRequest,
    id: web::Path<String>,
    state: web::Data<AppState>,
) -> Answer {
    Answer(run(&request, &id, &state).await)
}

async fn run(request: &HttpRequest, id: &str, state: &AppState) -> Result<HttpResponse, Failure> {
    let caller = auth::caller(request, state).await?;
    let id = id_of(id).ok_or_else(no_such_user)?;
    match state.store.delete(id, Some(caller.id)).await {
        Ok(()) => Ok(HttpResponse::NoContent().finish()),
        Err(ChangeError::NotFound | ChangeError::Conflict) => Err(no_such_user().into()),
        Err(ChangeError::NotWritten(CreateError::TokenRefused)) => {
            state.tokens.forget();
            Err(auth::invalid().into())
        }
        Err(ChangeError::NotWritten(error)) => Err(not_stored(&error).into()),
    }
}
