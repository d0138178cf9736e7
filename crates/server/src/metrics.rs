//! `/metrics`, in Prometheus' text format, version 0.0.4.
//! Source: prometheus.io/docs/instrumenting/exposition_formats.

use std::fmt::Write as _;

use actix_web::{HttpResponse, web};

use crate::app::AppState;

const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The state of the configuration.
pub(crate) async fn metrics(state: web::Data<AppState>) -> HttpResponse {
    let (last, (good, bad)) = (state.forms.last(), state.forms.reloads());
    let mut text = String::new();
    let mut metric = |name: &str, kind: &str, help: &str, samples: &[(&str, String)]| {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in samples {
            let _ = writeln!(text, "{name}{labels} {value}");
        }
    };
    metric(
        "registrar_forms",
        "gauge",
        "Forms that are served.",
        &[("", state.forms.current().names().len().to_string())],
    );
    metric(
        "registrar_forms_loaded_timestamp_seconds",
        "gauge",
        "When the served configuration was read.",
        &[("", last.loaded_at.as_second().to_string())],
    );
    metric(
        "registrar_forms_problems",
        "gauge",
        "Mistakes in the files as they are now; above zero, an older configuration is served.",
        &[("", last.refused.len().to_string())],
    );
    metric(
        "registrar_forms_reloads_total",
        "counter",
        "Times the configuration was read again.",
        &[("{result=\"served\"}", good.to_string()), ("{result=\"refused\"}", bad.to_string())],
    );
    HttpResponse::Ok().content_type(MEDIA_TYPE).body(text)
}
