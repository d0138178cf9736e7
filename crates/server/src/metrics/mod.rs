//! `/metrics`: what is served, what was asked, and where it waits. The table of all metrics stands
//! in `docs/operating.md`.

pub(crate) mod counts;
mod text;

use actix_web::{HttpResponse, web};

use crate::app::AppState;
use crate::passwords::HashFigures;
use counts::Counts;
use text::{Page, Unit};

const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Everything that is known of this server since it started. It does not say which version it is:
/// anybody may read it.
pub(crate) async fn metrics(state: web::Data<AppState>) -> HttpResponse {
    let mut page = Page::default();
    configuration(&mut page, &state);
    requests(&mut page, &state.counts);
    store(&mut page, &state);
    passwords(&mut page, &state.hashes.figures());
    sign_ins(&mut page, state.guessing.counts());
    HttpResponse::Ok().content_type(MEDIA_TYPE).body(page.into_text())
}

fn configuration(page: &mut Page, state: &AppState) {
    let (last, (good, bad)) = (state.forms.last(), state.forms.reloads());
    let forms = state.forms.current().names().len();
    page.single("registrar_forms", "gauge", "Forms that are served.", forms);
    page.single(
        "registrar_forms_loaded_timestamp_seconds",
        "gauge",
        "When the served configuration was read.",
        last.loaded_at.as_second(),
    );
    page.single(
        "registrar_forms_problems",
        "gauge",
        "Mistakes in the files as they are now; above zero, an older configuration is served.",
        last.refused.len(),
    );
    let name = "registrar_forms_reloads_total";
    page.metric(name, "counter", "Times the configuration was read again.");
    page.sample(name, &[("result", "served")], good);
    page.sample(name, &[("result", "refused")], bad);
}

fn requests(page: &mut Page, counts: &Counts) {
    let name = "registrar_requests_total";
    page.metric(name, "counter", "Requests that were answered.");
    for (asked, count) in counts.requests() {
        let labels = [
            ("contract", &*asked.contract),
            ("method", asked.method),
            ("route", &*asked.route),
            ("form", &*asked.form),
            ("status", &asked.status.to_string()),
        ];
        page.sample(name, &labels, count);
    }
    let name = "registrar_request_duration_seconds";
    page.metric(name, "histogram", "Time from a request's head to its answer.");
    for (asked, took) in counts.durations() {
        let labels =
            [("contract", &*asked.contract), ("method", asked.method), ("route", &*asked.route)];
        page.histogram(name, &labels, &took, Unit::Seconds);
    }
    let name = "registrar_violations_total";
    page.metric(name, "counter", "Rules that submissions broke.");
    for ((form, code), count) in counts.violations() {
        page.sample(name, &[("form", &*form), ("code", &*code)], count);
    }
}

fn store(page: &mut Page, state: &AppState) {
    let of = state.store.stats();
    page.single(
        "registrar_queue_length",
        "gauge",
        "Submissions and changes that wait for a writer.",
        of.queued,
    );
    page.single("registrar_queue_limit", "gauge", "How many may wait.", of.queue_capacity);
    page.single(
        "registrar_queue_refused_total",
        "counter",
        "Submissions and changes refused because the queue was full.",
        of.rejected,
    );
    page.single("registrar_writers", "gauge", "Writers.", of.writers);
    page.single(
        "registrar_writers_connected",
        "gauge",
        "Writers that have a connection to the database.",
        of.connected_writers,
    );
    let name = "registrar_batch_size";
    page.metric(name, "histogram", "Submissions or changes in one transaction.");
    page.histogram(name, &[], &of.batches, Unit::One);
    let name = "registrar_commit_duration_seconds";
    page.metric(name, "histogram", "Time of a COMMIT alone: mostly the disk's.");
    page.histogram(name, &[], &of.commits, Unit::Seconds);
    page.single(
        "registrar_reader_connections_in_use",
        "gauge",
        "Connections that read just now.",
        of.readers_in_use,
    );
    page.single(
        "registrar_reader_connections_limit",
        "gauge",
        "How many connections may read at once.",
        of.max_readers,
    );
    if let Some(bytes) = of.wal_bytes {
        log_size(page, bytes);
    }
}

fn log_size(page: &mut Page, bytes: u64) {
    let help = "Size of SQLite's write-ahead log.";
    page.single("registrar_sqlite_wal_bytes", "gauge", help, bytes);
}

fn sign_ins(page: &mut Page, (failed, refused): (u64, u64)) {
    let what = "Attempts to sign in with a wrong password or client secret.";
    page.single("registrar_sign_in_failures_total", "counter", what, failed);
    let what = "Attempts to sign in that were not judged: too many failed before.";
    page.single("registrar_sign_in_refused_total", "counter", what, refused);
}

fn passwords(page: &mut Page, of: &HashFigures) {
    page.single("registrar_hash_queue_length", "gauge", "Passwords that wait.", of.waiting);
    page.single("registrar_hash_queue_limit", "gauge", "How many may wait.", of.most_waiting);
    page.single(
        "registrar_hash_queue_refused_total",
        "counter",
        "Passwords refused because the queue was full.",
        of.turned_away,
    );
    let name = "registrar_hash_duration_seconds";
    page.metric(name, "histogram", "Time to hash or to verify a password, without waiting.");
    page.histogram(name, &[], &of.took, Unit::Seconds);
}
