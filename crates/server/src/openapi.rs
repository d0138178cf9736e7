//! `GET /openapi.json`: everything that is served, for programs. It shows what the forms ask for,
//! and so needs a token as their schemas do.

use actix_web::{HttpRequest, HttpResponse, web};

use crate::answer::{Answer, Fault};
use crate::app::AppState;
use crate::auth;
use crate::permissions::Scope;

const MEDIA_TYPE: &str = "application/json";

/// The OpenAPI document of the configuration that is served.
pub(crate) async fn openapi(request: HttpRequest, state: web::Data<AppState>) -> Answer {
    Answer(document(&request, &state).await)
}

async fn document(request: &HttpRequest, state: &AppState) -> Result<HttpResponse, Fault> {
    let permissions = auth::permissions(request, state).await?;
    permissions.allow_scope(Scope::Read)?;
    permissions.allow_all_users()?;
    let registry = state.forms.current();
    // The first request renders it, which takes too long for a thread that answers.
    let document = auth::load(state, move |_| Ok(registry.openapi())).await?;
    let document = web::Bytes::from_owner(document);
    Ok(HttpResponse::Ok().content_type(MEDIA_TYPE).body(document))
}
