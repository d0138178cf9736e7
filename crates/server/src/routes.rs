//! Every route.

use actix_web::guard;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{self, ServiceConfig};

use crate::answer::{Answer, Fault};
use crate::{contracts, form_configurations, health, metrics};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        // A host that is a contract's has its paths and no others.
        .service(
            web::scope("")
                .guard(guard::fn_guard(contracts::has_host))
                .default_service(web::to(contracts::serve)),
        )
        .service(
            web::resource("/api/form_configurations")
                .route(web::get().to(form_configurations::list))
                .route(web::head().to(form_configurations::list))
                .default_service(web::to(|| refuse_method("GET, HEAD"))),
        )
        .service(
            web::resource("/api/form_configurations/{name:.+}/schema")
                .route(web::get().to(form_configurations::schema))
                .route(web::head().to(form_configurations::schema))
                .default_service(web::to(|| refuse_method("GET, HEAD"))),
        )
        .service(
            web::resource("/api/form_configurations/{name:.+}")
                .route(web::get().to(form_configurations::show))
                .route(web::head().to(form_configurations::show))
                .default_service(web::to(|| refuse_method("GET, HEAD"))),
        )
        .service(
            web::resource("/health/live")
                .route(web::get().to(health::live))
                .route(web::head().to(health::live))
                .default_service(web::to(|| refuse_method("GET, HEAD"))),
        )
        .service(
            web::resource("/health/ready")
                .route(web::get().to(health::ready))
                .route(web::head().to(health::ready))
                .default_service(web::to(|| refuse_method("GET, HEAD"))),
        )
        .service(
            web::resource("/metrics")
                .route(web::get().to(metrics::metrics))
                .route(web::head().to(metrics::metrics))
                .default_service(web::to(|| refuse_method("GET, HEAD"))),
        )
        .default_service(web::to(contracts::serve));
}

/// What is said where nothing is, native or a contract's.
pub(crate) fn no_route(method: &Method) -> Answer {
    let what =
        if *method == Method::POST { "POST /api/users creates users" } else { "nothing is here" };
    Answer(Err(Fault::not_found(&format!("there is no such route: {what}"))))
}

/// What is said of a method where there are others.
pub(crate) fn refused_method(allowed: &str) -> Fault {
    let message = format!("the method is not served here: expected {allowed}");
    Fault::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
}

async fn refuse_method(allowed: &'static str) -> Answer {
    Answer(Err(refused_method(allowed).with_header(ALLOW, HeaderValue::from_static(allowed))))
}
