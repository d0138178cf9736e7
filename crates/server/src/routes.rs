//! Every route.

use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{self, ServiceConfig};
use actix_web::{FromRequest, Handler, HttpRequest, Resource, Responder, Scope, guard};

use crate::answer::{Answer, Fault};
use crate::{contracts, form_configurations, health, metrics, openapi, public_address};

/// Adds all routes; those of health and metrics only where there is no admin listener.
pub(crate) fn routes(config: &mut ServiceConfig, has_admin_listener: bool) {
    config.service(refused_heads()).service(
        // A host that is a contract's has its paths and no others.
        web::scope("")
            .guard(guard::fn_guard(contracts::has_host))
            .default_service(web::to(contracts::serve)),
    );
    // A scope, so that no other path is held against the patterns in it.
    config.service(
        web::scope("/api/form_configurations")
            .service(read(web::resource(""), form_configurations::list))
            .service(read(web::resource("/{name:.+}/schema"), form_configurations::schema))
            .service(read(web::resource("/{name:.+}"), form_configurations::show)),
    );
    if !has_admin_listener {
        operators(config);
    }
    config
        .service(read(web::resource("/openapi.json"), openapi::openapi))
        .default_service(web::to(contracts::serve));
}

/// Adds the routes of the admin listener: health and metrics.
pub(crate) fn admin_routes(config: &mut ServiceConfig) {
    config.service(refused_heads());
    operators(config);
    config
        .default_service(web::to(|request: HttpRequest| async move { no_route(request.method()) }));
}

fn operators(config: &mut ServiceConfig) {
    config
        .service(read(web::resource("/health/live"), health::live))
        .service(read(web::resource("/health/ready"), health::ready))
        .service(read(web::resource("/metrics"), metrics::metrics));
}

/// Answers requests whose head is not well-formed, before any other route is looked at.
fn refused_heads() -> Scope {
    let is_refused =
        |context: &guard::GuardContext<'_>| public_address::objection(context.head()).is_some();
    web::scope("").guard(guard::fn_guard(is_refused)).default_service(web::to(
        |request: HttpRequest| async move {
            let objection = public_address::objection(request.head()).unwrap_or_default();
            Answer(Err(Fault::new(StatusCode::BAD_REQUEST, "bad_request", objection)))
        },
    ))
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
