//! `GET /openapi.json`: OpenAPI document of the served configuration. It shows the fields of forms, and so
//! needs a token as their schemas do.

use actix_web::{HttpRequest, HttpResponse, web};

use crate::auth::permissions::Scope;
use crate::error::ApiError;
use crate::http::response::ApiResponse;
use crate::state::AppState;

const MEDIA_TYPE: &str = "application/json";

/// Responds with the OpenAPI document.
pub(crate) async fn openapi(request: HttpRequest, state: web::Data<AppState>) -> ApiResponse {
    ApiResponse(document(&request, &state).await)
}

async fn document(request: &HttpRequest, state: &AppState) -> Result<HttpResponse, ApiError> {
    let permissions = state.auth.native_permissions(request).await?;
    permissions.allow_scope(Scope::Read)?;
    permissions.allow_all_users()?;
    let registry = state.config.current();
    // The first request renders the document, which would block the worker thread.
    let document = state.database.read(move |_| Ok(registry.openapi())).await?;
    let document = web::Bytes::from_owner(document);
    Ok(HttpResponse::Ok().content_type(MEDIA_TYPE).body(document))
}
