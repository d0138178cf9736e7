//! Whether the server is there, and whether it can do its work.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, Responder, web};
use serde_json::json;

use crate::answer::{Answer, Fault, json as answer, wants_problem};
use crate::app::AppState;

const MEDIA_TYPE: &str = "application/json";

/// 200 as long as the process answers at all.
pub(crate) async fn live() -> HttpResponse {
    answer(StatusCode::OK, MEDIA_TYPE, &json!({ "status": "up" }))
}

/// 200 where users can be created, else 503 with the reason.
pub(crate) async fn ready(request: HttpRequest, state: web::Data<AppState>) -> HttpResponse {
    let (store, forms) = (state.store.clone(), state.forms.current().names().len());
    match web::block(move || store.ping()).await {
        Ok(Ok(())) => {
            let last = state.forms.last();
            let mut body = json!({
                "status": "ready",
                "forms": forms,
                "forms_loaded_at": format!("{:.6}", last.loaded_at),
            });
            // The server does its work, with the configuration it has; who changed it should know.
            if !last.refused.is_empty() {
                body["forms_problems"] = last.refused.into();
            }
            answer(StatusCode::OK, MEDIA_TYPE, &body)
        }
        Ok(Err(reason)) => not_ready(&request, &reason.to_string()),
        Err(_) => not_ready(&request, "the server is shutting down"),
    }
}

fn not_ready(request: &HttpRequest, reason: &str) -> HttpResponse {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    if wants_problem(request) {
        let fault = Fault::new(status, "not_ready", reason);
        return Answer(Err(fault)).respond_to(request);
    }
    let body = json!({ "status": "not ready", "reasons": [reason] });
    answer(status, MEDIA_TYPE, &body)
}
