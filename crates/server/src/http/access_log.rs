//! Access log and request metrics: one line per request with its id, route, form, status, duration, and
//! the failed fields and codes. Submitted values, paths, queries and unknown keys are never logged.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_http::ConnectionType;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, web};
use registrar_core::form::Form;
use registrar_core::violation::Violations;

use super::rate_limit::RateLimitStatus;
use super::request_id::{REQUEST_ID, RequestId};
use super::request_metrics::{RequestLabels, RequestMetrics, UNKNOWN_FORM, method_label};
use super::slow_client::{ConnectionState, InFlightRequest};

const FORM_VERSION: HeaderName = HeaderName::from_static("form-version");
/// No response is a page, so a browser that displays one loads nothing and frames it nowhere.
/// Source: OWASP REST Security Cheat Sheet, "Security Headers".
const CSP: &str = "default-src 'none'; frame-ancestors 'none'";
/// Maximum number of violations in a log line.
const MAX_LOGGED_VIOLATIONS: usize = 10;

/// Information about a response for the access log and the metrics.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogContext {
    message: Cow<'static, str>,
    /// Route of the contract.
    pub(crate) route: Option<Arc<str>>,
    /// Contract that responded.
    pub(crate) contract: Option<Arc<str>>,
}

impl LogContext {
    /// Returns a context with an error code.
    pub(crate) fn code(code: &'static str) -> Self {
        Self { message: code.into(), ..Self::default() }
    }

    /// Returns a context with the fields and codes of violations. The names of unknown fields are omitted:
    /// they come from the client.
    pub(crate) fn violations(violations: &Violations) -> Self {
        if !is_enabled() {
            return Self::default();
        }
        let mut message = String::new();
        for violation in violations.list.iter().take(MAX_LOGGED_VIOLATIONS) {
            let comma = if message.is_empty() { "" } else { "," };
            // Writing to a `String` cannot fail.
            let _ = match violation.code() {
                code @ "unknown_field" => write!(message, "{comma}{code}"),
                code => write!(message, "{comma}{}:{code}", violation.path),
            };
        }
        if violations.list.len() > MAX_LOGGED_VIOLATIONS {
            message.push_str(",…");
        }
        Self { message: message.into(), ..Self::default() }
    }
}

/// Name and version of the form that a request was evaluated with.
#[derive(Debug, Clone)]
pub(crate) struct FormVersion {
    name: Arc<str>,
    version: Arc<str>,
}

impl FormVersion {
    pub(crate) fn new(form: &Form) -> Self {
        Self { name: form.name.clone(), version: form.version.clone() }
    }

    /// Returns the name and the version.
    pub(crate) fn parts(&self) -> (Arc<str>, Arc<str>) {
        (self.name.clone(), self.version.clone())
    }
}

/// Middleware that adds the request id and the common headers to a response, counts and logs it.
pub(crate) async fn middleware<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let started = Instant::now();
    let connection = request.request().conn_data::<Rc<ConnectionState>>();
    let _in_flight = connection.map(InFlightRequest::new);
    let id = RequestId::new(&request);
    let (response_id, logged_id) = (id.response_id().clone(), is_enabled().then(|| id.text()));
    request.extensions_mut().insert(id);
    let mut response = next.call(request).await?;
    let context = response.response_mut().extensions_mut().remove::<LogContext>();
    let context = context.unwrap_or_default();
    let (request, status) = (response.request(), response.status().as_u16());
    let form = request.extensions().get::<FormVersion>().cloned();
    let exchange =
        Exchange { request, context, form: form.as_ref(), status, duration: started.elapsed() };
    exchange.count();
    if let Some(id) = logged_id {
        exchange.log(&id);
    }
    let rate_limit = request.extensions_mut().remove::<RateLimitStatus>();
    // actix-http closes such a connection after the response, but does not send `close`.
    let is_closed = request.head().connection_type() == ConnectionType::Upgrade;
    let headers = response.headers_mut();
    if let Some(version) = form.and_then(|form| HeaderValue::from_str(&form.version).ok()) {
        headers.insert(FORM_VERSION, version);
    }
    if let Some(rate_limit) = rate_limit {
        rate_limit.insert_into(headers);
    }
    headers.insert(REQUEST_ID, response_id);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(CSP));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if is_closed {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    // The documentation of the APIs shows header names in this case.
    response.response_mut().head_mut().set_camel_case_headers(true);
    Ok(response)
}

fn is_enabled() -> bool {
    log::log_enabled!(target: "registrar", log::Level::Info)
}

/// A request and its response.
struct Exchange<'r> {
    request: &'r HttpRequest,
    context: LogContext,
    form: Option<&'r FormVersion>,
    status: u16,
    duration: Duration,
}

impl Exchange<'_> {
    /// Returns the route pattern, or `None` if a contract has no such route.
    fn route(&self) -> Option<Cow<'_, str>> {
        match &self.context {
            LogContext { route: Some(route), .. } => Some(Cow::Borrowed(route)),
            LogContext { contract: Some(_), .. } => None,
            _ => self.request.match_pattern().map(Cow::Owned),
        }
    }

    fn count(&self) {
        let Some(metrics) = self.request.app_data::<web::Data<RequestMetrics>>() else { return };
        let form = match self.form {
            Some(form) => &form.name,
            None if self.context.message == "unknown_form" => UNKNOWN_FORM,
            None => "",
        };
        let labels = RequestLabels {
            contract: Cow::Borrowed(self.context.contract.as_deref().unwrap_or_default()),
            method: method_label(self.request.method()),
            route: self.route().unwrap_or_default(),
            form: Cow::Borrowed(form),
            status: self.status,
        };
        metrics.count_response(labels, self.duration);
    }

    fn log(&self, id: &str) {
        let Self { request, context, form, status, duration } = self;
        // Clients can send arbitrary methods.
        let method = method_label(request.method());
        let route = self.route();
        let route = route.as_deref().unwrap_or("-");
        let form = form.map_or("-", |form| &*form.name);
        let milliseconds = duration.as_secs_f64() * 1000.0;
        let message = &*context.message;
        log::info!(
            target: "registrar",
            // The fields of JSON log lines; text has the message only.
            request_id = id, method = method, route = route, form = form, status = *status,
            milliseconds = (milliseconds * 10.0).round() / 10.0, outcome = message;
            "{id} {method} {route} form={form} status={status} ms={milliseconds:.1} {message}",
        );
    }
}
