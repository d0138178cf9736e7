//! Whether the server is there, and whether it can do its work.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde_json::json;

use crate::answer::json as answer;
use crate::app::AppState;

const MEDIA_TYPE: &str = "application/json";

/// 200 as long as the process answers at all.
pub(crate) async fn live() -> HttpResponse {
    answer(StatusCode::OK, MEDIA_TYPE, &json!({ "status": "up" }))
}

/// 200 where users can be created, else 503 with the reason.
pub(crate) async fn ready(state: web::Data<AppState>) -> HttpResponse {
    let (store, forms) = (state.store.clone(), state.forms.current().names().len());
    match web::block(move || store.ping()).await {
        Ok(Ok(())) => {
            let last = state.forms.last();
            let mut body = json!({
                "status": "ready",
                "forms": forms,
                "forms_loaded_at": last.loaded_at.to_string(),
            });
            // The server does its work, with the configuration it has; who changed it should know.
            if !last.refused.is_empty() {
                body["forms_problems"] = last.refused.into();
            }
            answer(StatusCode::OK, MEDIA_TYPE, &body)
        }
        Ok(Err(reason)) => not_ready(&reason.to_string()),
        Err(_) => not_ready("the server is shutting down"),
    }
}

fn not_ready(reason: &str) -> HttpResponse {
    let body = json!({ "status": "not ready", "reasons": [reason] });
    answer(StatusCode::SERVICE_UNAVAILABLE, MEDIA_TYPE, &body)
}
