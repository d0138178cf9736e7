//! Every route.

use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{self, ServiceConfig};
use actix_web::{FromRequest, Handler, Resource, Responder, guard};

use crate::answer::{Answer, Fault};
use crate::{contracts, form_configurations, health, metrics, openapi};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        // A host that is a contract's has its paths and no others.
        .service(
            web::scope("")
                .guard(guard::fn_guard(contracts::has_host))
                .default_service(web::to(contracts::serve)),
        )
        // A scope, so that no other path is held against the patterns in it.
        .service(
            web::scope("/api/form_configurations")
                .service(read(web::resource(""), form_configurations::list))
                .service(read(web::resource("/{name:.+}/schema"), form_configurations::schema))
                .service(read(web::resource("/{name:.+}"), form_configurations::show)),
        )
        .service(read(web::resource("/health/live"), health::live))
        .service(read(web::resource("/health/ready"), health::ready))
        .service(read(web::resource("/metrics"), metrics::metrics))
        .service(read(web::resource("/openapi.json"), openapi::openapi))
        .default_service(web::to(contracts::serve));
}

/// A resource that is only read.
fn read<F, Args>(resource: Resource, handler: F) -> Resource
where
    F: Handler<Args> + Clone,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    resource
        .route(web::get().to(handler.clone()))
        .route(web::head().to(handler))
        .default_service(web::to(|| refuse_method("GET, HEAD")))
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
