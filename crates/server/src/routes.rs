//! Routes of both listeners.

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::web::{self, ServiceConfig};
use actix_web::{FromRequest, Handler, HttpRequest, Resource, Responder, Scope, guard};

use crate::error::ApiError;
use crate::http::base_url::head_error;
use crate::http::response::ApiResponse;
use crate::native::{forms, health, metrics, openapi};
use crate::operations;

/// Registers the routes of the public listener. Health and metrics are added if there is no admin listener.
pub(crate) fn routes(config: &mut ServiceConfig, has_admin_listener: bool) {
    config.service(malformed_heads()).service(
        // The host of a contract serves the routes of the contract only.
        web::scope("")
            .guard(guard::fn_guard(operations::is_contract_host))
            .default_service(web::to(operations::serve)),
    );
    // A scope, so that other paths are not matched against its patterns.
    config.service(
        web::scope("/api/form_configurations")
            .service(read(web::resource(""), forms::list))
            .service(read(web::resource("/{name:.+}/schema"), forms::schema))
            .service(read(web::resource("/{name:.+}"), forms::show)),
    );
    if !has_admin_listener {
        health_routes(config);
    }
    config
        .service(read(web::resource("/openapi.json"), openapi::openapi))
        .default_service(web::to(operations::serve));
}

/// Registers the routes of the admin listener: health and metrics.
pub(crate) fn admin_routes(config: &mut ServiceConfig) {
    config.service(malformed_heads());
    health_routes(config);
    config.default_service(web::to(|request: HttpRequest| async move {
        operations::no_route(request.method())
    }));
}

fn health_routes(config: &mut ServiceConfig) {
    config
        .service(read(web::resource("/health/live"), health::live))
        .service(read(web::resource("/health/ready"), health::ready))
        .service(read(web::resource("/metrics"), metrics::metrics));
}

/// Refuses requests with a malformed head before any other route is matched.
fn malformed_heads() -> Scope {
    let is_malformed = |context: &guard::GuardContext<'_>| head_error(context.head()).is_some();
    web::scope("").guard(guard::fn_guard(is_malformed)).default_service(web::to(
        |request: HttpRequest| async move {
            let reason = head_error(request.head()).unwrap_or_default();
            ApiResponse(Err(ApiError::new(StatusCode::BAD_REQUEST, "bad_request", reason)))
        },
    ))
}

/// Returns a resource that serves GET and HEAD.
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

async fn refuse_method(allowed: &'static str) -> ApiResponse {
    ApiResponse(Err(
        ApiError::method_not_allowed(allowed).with_header(ALLOW, HeaderValue::from_static(allowed))
    ))
}
