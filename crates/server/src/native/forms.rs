//! `GET /api/form_configurations`: served forms and the JSON Schema of their submissions.

use actix_web::http::StatusCode;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use registrar_core::form::Form;
use serde_json::{Value, json};

use crate::auth::permissions::Scope;
use crate::error::ApiError;
use crate::http::access_log::FormVersion;
use crate::http::response::{ApiResponse, MEDIA_TYPE, json_response};
use crate::state::AppState;

/// Source: json-schema.org/draft/2020-12/json-schema-core, section 13.1.
const SCHEMA_MEDIA_TYPE: &str = "application/schema+json";

/// Lists the forms that the caller may submit.
pub(crate) async fn list(request: HttpRequest, state: web::Data<AppState>) -> ApiResponse {
    ApiResponse(list_forms(&request, &state).await)
}

async fn list_forms(request: &HttpRequest, state: &AppState) -> Result<HttpResponse, ApiError> {
    let permissions = state.auth.native_permissions(request).await?;
    permissions.allow_scope(Scope::Read)?;
    let registry = state.config.current();
    let forms = registry.served().iter().filter(|name| permissions.may_submit(name));
    let forms = forms.filter_map(|name| registry.form(name));
    let forms: Vec<Value> = forms.map(|form| summary(form)).collect();
    Ok(json_response(StatusCode::OK, MEDIA_TYPE, &json!({ "form_configurations": forms })))
}

/// Shows a form. Names may contain slashes.
pub(crate) async fn show(
    request: HttpRequest,
    name: web::Path<String>,
    state: web::Data<AppState>,
) -> ApiResponse {
    ApiResponse(show_form(&request, &name, &state, summary, MEDIA_TYPE).await)
}

/// Shows the JSON Schema of submissions to a form.
pub(crate) async fn schema(
    request: HttpRequest,
    name: web::Path<String>,
    state: web::Data<AppState>,
) -> ApiResponse {
    ApiResponse(
        show_form(&request, &name, &state, Form::submission_schema, SCHEMA_MEDIA_TYPE).await,
    )
}

async fn show_form(
    request: &HttpRequest,
    name: &str,
    state: &AppState,
    body: impl FnOnce(&Form) -> Value,
    media_type: &'static str,
) -> Result<HttpResponse, ApiError> {
    let permissions = state.auth.native_permissions(request).await?;
    let registry = state.config.current();
    let Some(form) = registry.served_form(name) else {
        let error = ApiError::not_found("there is no form with this name");
        permissions.allow_scope(Scope::Read)?;
        let suggestion = registry.nearest(name).filter(|name| permissions.may_submit(name));
        return Err(error.with_suggestion(suggestion));
    };
    permissions.allow_description(form)?;
    request.extensions_mut().insert(FormVersion::new(form));
    Ok(json_response(StatusCode::OK, media_type, &body(form)))
}

fn summary(form: &Form) -> Value {
    json!({
        "name": *form.name,
        "description": form.description.as_deref(),
        "version": *form.version,
        "schema": format!("/api/form_configurations/{}/schema", form.name),
    })
}
