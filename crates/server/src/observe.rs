//! One line of log for each request: its id, route, form, status, time, and what was wrong by
//! field and code. Never a submitted value: no path, no query, no key that the form does not know.
//! And one more in the counts of its like.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

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

use crate::app::AppState;
use crate::connection::{Pace, Serving};
use crate::limits::Left;
use crate::metrics::counts::{Asked, UNKNOWN_FORM, method};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const FORM_VERSION: HeaderName = HeaderName::from_static("form-version");
/// No answer is a page: one that a browser shows as a page all the same loads nothing and stands in
/// no other. Source: OWASP REST Security Cheat Sheet, "Security Headers".
const NOTHING_IS_LOADED: &str = "default-src 'none'; frame-ancestors 'none'";
const LONGEST_ID: usize = 64;
/// How many violations a line names.
const MOST: usize = 10;

/// What the log and the metrics say of an answer besides its status.
#[derive(Debug, Clone, Default)]
pub(crate) struct Note {
    text: Cow<'static, str>,
    /// The route, where it is a contract's.
    pub(crate) route: Option<Arc<str>>,
    /// The contract that answered.
    pub(crate) contract: Option<Arc<str>>,
}

impl Note {
    /// A single code.
    pub(crate) fn code(code: &'static str) -> Self {
        Self { text: code.into(), ..Self::default() }
    }

    /// Fields and codes, where anybody reads them. An unknown field's name is the client's own text,
    /// so it is left out.
    pub(crate) fn of(violations: &Violations) -> Self {
        if !is_logged() {
            return Self::default();
        }
        let mut told: Vec<String> = violations
            .list
            .iter()
            .take(MOST)
            .map(|violation| match violation.code() {
                code @ "unknown_field" => code.to_owned(),
                code => format!("{}:{code}", violation.path),
            })
            .collect();
        if violations.list.len() > MOST {
            told.push("…".to_owned());
        }
        Self { text: told.join(",").into(), ..Self::default() }
    }
}

/// The form that a request ran, and the version of it that decided.
#[derive(Debug, Clone)]
pub(crate) struct UsedForm {
    name: Arc<str>,
    version: Arc<str>,
}

impl UsedForm {
    pub(crate) fn of(form: &Form) -> Self {
        Self { name: form.name.clone(), version: form.version.clone() }
    }

    /// Its name and its version.
    pub(crate) fn told(&self) -> (Arc<str>, Arc<str>) {
        (self.name.clone(), self.version.clone())
    }
}

/// The id of a request.
#[derive(Debug)]
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    /// It, as a text.
    pub(crate) fn text(&self) -> String {
        self.0.to_str().unwrap_or_default().to_owned()
    }
}

/// Gives every answer its request id and the headers that all of them have, and the log its line.
pub(crate) async fn observe<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let started = Instant::now();
    let _serving = request.request().conn_data::<Rc<Pace>>().map(Serving::on);
    let id = given_id(&request).unwrap_or_else(new_id);
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.call(request).await?;
    let note = response.response_mut().extensions_mut().remove::<Note>().unwrap_or_default();
    let (request, status, took) =
        (response.request(), response.status().as_u16(), started.elapsed());
    let form = request.extensions().get::<UsedForm>().cloned();
    let answered = Answered { request, note, form: form.as_ref(), status, took };
    answered.count();
    if is_logged() {
        answered.log(&id);
    }
    let left = request.extensions_mut().remove::<Left>();
    // actix-http closes such a connection after the answer, without `close`.
    let is_closed = request.head().connection_type() == ConnectionType::Upgrade;
    let form = form.map(|form| form.version);
    let headers = response.headers_mut();
    if let Some(version) = form.and_then(|version| HeaderValue::from_str(&version).ok()) {
        headers.insert(FORM_VERSION, version);
    }
    if let Some(left) = left {
        left.tell(headers);
    }
    headers.insert(REQUEST_ID, id);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(NOTHING_IS_LOADED));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if is_closed {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    // As people write them, and as the documents of the APIs show them.
    response.response_mut().head_mut().set_camel_case_headers(true);
    Ok(response)
}

fn is_logged() -> bool {
    log::log_enabled!(target: "registrar", log::Level::Info)
}

/// A request that was answered.
struct Answered<'r> {
    request: &'r HttpRequest,
    note: Note,
    form: Option<&'r UsedForm>,
    status: u16,
    took: Duration,
}

impl Answered<'_> {
    /// The route as the contract or the code writes it. Of what a contract answers that has no
    /// such route, there is none.
    fn route(&self) -> Option<Cow<'_, str>> {
        match &self.note {
            Note { route: Some(route), .. } => Some(Cow::Borrowed(route)),
            Note { contract: Some(_), .. } => None,
            _ => self.request.match_pattern().map(Cow::Owned),
        }
    }

    fn count(&self) {
        let Some(state) = self.request.app_data::<web::Data<AppState>>() else { return };
        let form = match self.form {
            Some(form) => &form.name,
            None if self.note.text == "unknown_form" => UNKNOWN_FORM,
            None => "",
        };
        let asked = Asked {
            contract: Cow::Borrowed(self.note.contract.as_deref().unwrap_or_default()),
            method: method(self.request.method()),
            route: self.route().unwrap_or_default(),
            form: Cow::Borrowed(form),
            status: self.status,
        };
        state.counts.answered(asked, self.took);
    }

    fn log(&self, id: &HeaderValue) {
        let Self { request, note: Note { text: note, .. }, form, status, took } = self;
        log::info!(
            target: "registrar",
            "{id} {method} {route} form={form} status={status} ms={milliseconds:.1} {note}",
            id = id.to_str().unwrap_or("-"),
            // A client can send any word, of any length.
            method = method(request.method()),
            route = self.route().as_deref().unwrap_or("-"),
            form = form.map_or("-", |form| &*form.name),
            milliseconds = took.as_secs_f64() * 1000.0,
        );
    }
}

/// The id that the client gave, where it is fit to be repeated.
fn given_id(request: &ServiceRequest) -> Option<HeaderValue> {
    let id = request.headers().get(REQUEST_ID)?;
    let is_fit = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    ((1..=LONGEST_ID).contains(&id.len()) && id.as_bytes().iter().all(is_fit)).then(|| id.clone())
}

/// An id that no other request of this server has: its start and a count.
fn new_id() -> HeaderValue {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    static START: std::sync::OnceLock<u128> = std::sync::OnceLock::new();
    let start = START.get_or_init(|| {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_millis())
    });
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    HeaderValue::from_str(&format!("{start:x}-{count:x}"))
        .unwrap_or_else(|_| HeaderValue::from_static("-"))
}
