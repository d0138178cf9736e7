//! Whether the server is there, and whether it can do its work.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, Responder, web};
use registrar_store::PingError;
use serde_json::json;

use crate::answer::{Answer, Fault, json as answer, wants_problem};
use crate::app::AppState;

const MEDIA_TYPE: &str = "application/json";
/// How many mistakes in the configuration are told.
const MOST_TOLD: usize = 20;

/// How long the database may take to say that it is there: a little longer than a read may wait for
/// a connection.
const PATIENCE: Duration = Duration::from_secs(3);

/// 200 as long as the process answers at all.
pub(crate) async fn live() -> HttpResponse {
    answer(StatusCode::OK, MEDIA_TYPE, &json!({ "status": "up" }))
}

/// 200 where users can be created, else 503 with the reasons.
pub(crate) async fn ready(request: HttpRequest, state: web::Data<AppState>) -> HttpResponse {
    let (store, forms) = (state.store.clone(), state.forms.current().names().len());
    let mut reasons = full(&state);
    match tokio::time::timeout(PATIENCE, web::block(move || store.ping())).await {
        Ok(Ok(Ok(()))) => {}
        Ok(Ok(Err(reason))) => reasons.insert(0, reason.to_string()),
        Ok(Err(_)) => reasons.insert(0, "the server is shutting down".to_owned()),
        // Of a network that loses everything, the database's own library never hears.
        Err(_) => reasons.insert(0, PingError::Readers.to_string()),
    }
    if !reasons.is_empty() {
        return not_ready(&request, &reasons);
    }
    let last = state.forms.last();
    let mut body = json!({
        "status": "ready",
        "forms": forms,
        "forms_loaded_at": format!("{:.6}", last.loaded_at),
    });
    // The server does its work, with the configuration it has; who changed it should know.
    if !last.refused.is_empty() {
        let mut told = last.refused;
        let more = told.len().saturating_sub(MOST_TOLD);
        told.truncate(MOST_TOLD);
        if more > 0 {
            told.push(format!("and {more} more: `registrar check` tells all of them"));
        }
        body["forms_problems"] = told.into();
    }
    answer(StatusCode::OK, MEDIA_TYPE, &body)
}

/// Which queues take nothing more just now.
fn full(state: &AppState) -> Vec<String> {
    let (written, hashed) = (state.store.stats(), state.hashes.figures());
    let mut reasons = Vec::new();
    if written.queued >= written.queue_capacity {
        reasons.push(format!(
            "the queue of what is to be written is full: {} wait",
            written.queue_capacity
        ));
    }
    if hashed.waiting >= hashed.most_waiting {
        reasons.push(format!(
            "the queue of passwords to be hashed is full: {} wait",
            hashed.most_waiting
        ));
    }
    reasons
}

fn not_ready(request: &HttpRequest, reasons: &[String]) -> HttpResponse {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    if wants_problem(request) {
        let fault = Fault::new(status, "not_ready", reasons.join("; "));
        return Answer(Err(fault)).respond_to(request);
    }
    let body = json!({ "status": "not ready", "reasons": reasons });
    answer(status, MEDIA_TYPE, &body)
}
