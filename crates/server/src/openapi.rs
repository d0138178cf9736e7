//! `GET /openapi.json`: everything that is served, for programs. It shows what the forms ask for,
//! and so needs a token as their schemas do.

use actix_web::{HttpRequest, HttpResponse, web};

use crate::answer::{Answer, Fault};
use crate::app::AppState;
use crate::auth;

const MEDIA_TYPE: &str = "application/json";

/// The OpenAPI document of the configuration that is served.
pub(crate) async fn openapi(request: HttpRequest, state: web::Data<AppState>) -> Answer {
    Answer(document(&request, &state).await)
}

async fn document(request: &HttpRequest, state: &AppState) -> Result<HttpResponse, Fault> {
    let registry = state.forms.current();
    // It may have to be written yet, which is nothing for the threads that answer.
    let document = auth::read(request, state, move |_| Ok(registry.openapi())).await?;
    let document = web::Bytes::from_owner(document);
    Ok(HttpResponse::Ok().content_type(MEDIA_TYPE).body(document))
}
