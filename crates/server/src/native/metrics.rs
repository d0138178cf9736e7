//! `GET /metrics`: configuration, requests, queues and the database, in Prometheus' text format. All
//! metrics are listed in `docs/operating.md`.

use actix_web::{HttpResponse, web};

use super::metrics_text::{MetricsPage, Unit};
use crate::auth::password_pool::PasswordPoolStats;
use crate::http::request_metrics::RequestMetrics;
use crate::state::AppState;

const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Renders all metrics. The version of the server is not among them, since the route is public.
pub(crate) async fn metrics(state: web::Data<AppState>) -> HttpResponse {
    let mut page = MetricsPage::default();
    configuration(&mut page, &state);
    requests(&mut page, &state.metrics);
    store(&mut page, &state);
    passwords(&mut page, &state.auth.passwords.stats());
    sign_ins(&mut page, state.auth.throttle.counts());
    HttpResponse::Ok().content_type(MEDIA_TYPE).body(page.into_text())
}

fn configuration(page: &mut MetricsPage, state: &AppState) {
    let (status, (succeeded, failed)) = (state.config.status(), state.config.reloads());
    let forms = state.config.current().names().len();
    page.single("registrar_forms", "gauge", "Served forms.", forms);
    page.single(
        "registrar_forms_loaded_timestamp_seconds",
        "gauge",
        "Time at which the served configuration was read.",
        status.loaded_at.as_second(),
    );
    page.single(
        "registrar_forms_problems",
        "gauge",
        "Problems in the current files; if above zero, an older configuration is served.",
        status.problems.len(),
    );
    let name = "registrar_forms_reloads_total";
    page.metric(name, "counter", "Reloads of the configuration.");
    page.sample(name, &[("result", "success")], succeeded);
    page.sample(name, &[("result", "failure")], failed);
}

fn requests(page: &mut MetricsPage, counts: &RequestMetrics) {
    let name = "registrar_requests_total";
    page.metric(name, "counter", "Responses.");
    for (request, count) in counts.requests() {
        let labels = [
            ("contract", &*request.contract),
            ("method", request.method),
            ("route", &*request.route),
            ("form", &*request.form),
            ("status", &request.status.to_string()),
        ];
        page.sample(name, &labels, count);
    }
    let name = "registrar_request_duration_seconds";
    page.metric(name, "histogram", "Time from the head of a request to its response.");
    for (request, durations) in counts.durations() {
        let labels = [
            ("contract", &*request.contract),
            ("method", request.method),
            ("route", &*request.route),
        ];
        page.histogram(name, &labels, &durations, Unit::Seconds);
    }
    let name = "registrar_violations_total";
    page.metric(name, "counter", "Violations in submissions.");
    for ((form, code), count) in counts.violations() {
        page.sample(name, &[("form", &*form), ("code", &*code)], count);
    }
}

fn store(page: &mut MetricsPage, state: &AppState) {
    let stats = state.database.store().stats();
    page.single("registrar_queue_length", "gauge", "Queued writes.", stats.queued);
    page.single("registrar_queue_limit", "gauge", "Capacity of the queue.", stats.queue_capacity);
    page.single(
        "registrar_queue_rejected_total",
        "counter",
        "Writes rejected because the queue was full.",
        stats.rejected,
    );
    page.single("registrar_writers", "gauge", "Writers.", stats.writers);
    page.single(
        "registrar_writers_connected",
        "gauge",
        "Writers connected to the database.",
        stats.connected_writers,
    );
    let name = "registrar_batch_size";
    page.metric(name, "histogram", "Writes per transaction.");
    page.histogram(name, &[], &stats.batches, Unit::One);
    let name = "registrar_commit_duration_seconds";
    page.metric(name, "histogram", "Time of a COMMIT.");
    page.histogram(name, &[], &stats.commits, Unit::Seconds);
    page.single(
        "registrar_reader_connections_in_use",
        "gauge",
        "Read connections in use.",
        stats.readers_in_use,
    );
    page.single(
        "registrar_reader_connections_limit",
        "gauge",
        "Maximum number of read connections.",
        stats.max_readers,
    );
    if let Some(bytes) = stats.wal_bytes {
        log_size(page, bytes);
    }
}

fn log_size(page: &mut MetricsPage, bytes: u64) {
    let help = "Size of SQLite's write-ahead log.";
    page.single("registrar_sqlite_wal_bytes", "gauge", help, bytes);
}

fn sign_ins(page: &mut MetricsPage, (failed, throttled): (u64, u64)) {
    let what = "Failed sign-in attempts.";
    page.single("registrar_sign_in_failures_total", "counter", what, failed);
    let what = "Throttled sign-in attempts.";
    page.single("registrar_sign_in_throttled_total", "counter", what, throttled);
}

fn passwords(page: &mut MetricsPage, stats: &PasswordPoolStats) {
    page.single(
        "registrar_hash_queue_length",
        "gauge",
        "Passwords waiting to be hashed.",
        stats.waiting,
    );
    page.single("registrar_hash_queue_limit", "gauge", "Capacity of the queue.", stats.capacity);
    page.single(
        "registrar_hash_queue_rejected_total",
        "counter",
        "Passwords rejected because the queue was full.",
        stats.rejected,
    );
    let name = "registrar_hash_duration_seconds";
    page.metric(name, "histogram", "Time to hash or verify a password, without waiting.");
    page.histogram(name, &[], &stats.durations, Unit::Seconds);
}
