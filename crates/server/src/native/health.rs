//! Health checks: liveness and readiness.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, Responder, web};
use registrar_store::PingError;
use serde_json::json;

use crate::error::ApiError;
use crate::http::response::{ApiResponse, accepts_problem_json, json_response};
use crate::state::AppState;

const MEDIA_TYPE: &str = "application/json";
/// Maximum number of configuration problems in a response.
const MAX_PROBLEMS: usize = 20;

/// Maximum time for the database to respond, slightly above the time-out of a read connection.
const PING_TIMEOUT: Duration = Duration::from_secs(3);

/// Responds 200 while the process runs.
pub(crate) async fn live() -> HttpResponse {
    json_response(StatusCode::OK, MEDIA_TYPE, &json!({ "status": "up" }))
}

/// Responds 200 if users can be created, else 503 with the reasons.
pub(crate) async fn ready(request: HttpRequest, state: web::Data<AppState>) -> HttpResponse {
    let (store, forms) = (state.database.store().clone(), state.config.current().names().len());
    let mut reasons = full(&state);
    match tokio::time::timeout(PING_TIMEOUT, web::block(move || store.ping())).await {
        Ok(Ok(Ok(()))) => {}
        Ok(Ok(Err(reason))) => reasons.insert(0, reason.to_string()),
        Ok(Err(_)) => reasons.insert(0, "the server is shutting down".to_owned()),
        // On a network that drops packets, the database library never returns an error.
        Err(_) => reasons.insert(0, PingError::Readers.to_string()),
    }
    if !reasons.is_empty() {
        return not_ready(&request, &reasons);
    }
    let status = state.config.status();
    let mut body = json!({
        "status": "ready",
        "forms": forms,
        "forms_loaded_at": format!("{:.6}", status.loaded_at),
    });
    // The server works with the old configuration; its operator should know that the new one is invalid.
    if !status.problems.is_empty() {
        let mut shown = status.problems;
        let more = shown.len().saturating_sub(MAX_PROBLEMS);
        shown.truncate(MAX_PROBLEMS);
        if more > 0 {
            shown.push(format!("and {more} more: `registrar check` lists all of them"));
        }
        body["forms_problems"] = shown.into();
    }
    json_response(StatusCode::OK, MEDIA_TYPE, &body)
}

/// Returns the queues that are full.
fn full(state: &AppState) -> Vec<String> {
    let (writes, passwords) = (state.database.store().stats(), state.auth.passwords.stats());
    let mut reasons = Vec::new();
    if writes.queued >= writes.queue_capacity {
        reasons.push(format!("the write queue is full: {} entries", writes.queue_capacity));
    }
    if passwords.waiting >= passwords.capacity {
        reasons.push(format!("the password queue is full: {} entries", passwords.capacity));
    }
    reasons
}

fn not_ready(request: &HttpRequest, reasons: &[String]) -> HttpResponse {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    if accepts_problem_json(request) {
        let error = ApiError::new(status, "not_ready", reasons.join("; "));
        return ApiResponse(Err(error)).respond_to(request);
    }
    let body = json!({ "status": "not ready", "reasons": reasons });
    json_response(status, MEDIA_TYPE, &body)
}
