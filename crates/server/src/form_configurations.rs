//! `GET /api/form_configurations`: which forms are served, and what a client submits to one.

use actix_web::http::StatusCode;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use registrar_core::form::Form;
use serde_json::{Value, json};

use crate::answer::{Answer, Fault, MEDIA_TYPE, json as answer};
use crate::app::AppState;
use crate::auth;
use crate::observe::UsedForm;
use crate::permissions::Scope;

/// Source: json-schema.org/draft/2020-12/json-schema-core, section 13.1.
const SCHEMA_TYPE: &str = "application/schema+json";

/// Answers the forms that the caller may submit, by name.
pub(crate) async fn list(request: HttpRequest, state: web::Data<AppState>) -> Answer {
    Answer(all(&request, &state).await)
}

async fn all(request: &HttpRequest, state: &AppState) -> Result<HttpResponse, Fault> {
    let permissions = auth::permissions(request, state).await?;
    permissions.allow_scope(Scope::Read)?;
    let registry = state.forms.current();
    let forms = registry.served().iter().filter(|name| permissions.may_submit(name));
    let forms = forms.filter_map(|name| registry.form(name));
    let forms: Vec<Value> = forms.map(|form| described(form)).collect();
    Ok(answer(StatusCode::OK, MEDIA_TYPE, &json!({ "form_configurations": forms })))
}

/// One form; names may have slashes in them.
pub(crate) async fn show(
    request: HttpRequest,
    name: web::Path<String>,
    state: web::Data<AppState>,
) -> Answer {
    Answer(one(&request, &name, &state, described, MEDIA_TYPE).await)
}

/// The JSON Schema of what is submitted to a form.
pub(crate) async fn schema(
    request: HttpRequest,
    name: web::Path<String>,
    state: web::Data<AppState>,
) -> Answer {
    Answer(one(&request, &name, &state, Form::submission_schema, SCHEMA_TYPE).await)
}

async fn one(
    request: &HttpRequest,
    name: &str,
    state: &AppState,
    body: impl FnOnce(&Form) -> Value,
    media_type: &'static str,
) -> Result<HttpResponse, Fault> {
    let permissions = auth::permissions(request, state).await?;
    let registry = state.forms.current();
    let Some(form) = registry.served_form(name) else {
        let fault = Fault::not_found("there is no form of this name");
        permissions.allow_scope(Scope::Read)?;
        let near = registry.nearest(name).filter(|near| permissions.may_submit(near));
        return Err(fault.with_near(near));
    };
    permissions.allow_description(form)?;
    request.extensions_mut().insert(UsedForm::of(form));
    Ok(answer(StatusCode::OK, media_type, &body(form)))
}

fn described(form: &Form) -> Value {
    json!({
        "name": *form.name,
        "description": form.description.as_deref(),
        "version": *form.version,
        "schema": format!("/api/form_configurations/{}/schema", form.name),
    })
}
