//! Request ids: one assigned by the server, and one that the client may send.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderName, HeaderValue};

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MAX_ID_LEN: usize = 64;

/// Ids of a request.
#[derive(Debug)]
pub(crate) struct RequestId {
    server: HeaderValue,
    client: Option<HeaderValue>,
}

impl RequestId {
    pub(super) fn new(request: &ServiceRequest) -> Self {
        Self { server: server_id(), client: client_id(request) }
    }

    /// Returns the id for the response: the client's, if it sent one.
    pub(super) fn response_id(&self) -> &HeaderValue {
        self.client.as_ref().unwrap_or(&self.server)
    }

    /// Returns the id for logs and audit rows: the server's, followed by the client's if it sent one.
    pub(crate) fn text(&self) -> String {
        let text = |id: &HeaderValue| id.to_str().unwrap_or_default().to_owned();
        match &self.client {
            Some(client) => format!("{} {}", text(&self.server), text(client)),
            None => text(&self.server),
        }
    }
}

/// Returns the id sent by the client, or `None` if it is missing or not safe to log.
fn client_id(request: &ServiceRequest) -> Option<HeaderValue> {
    let id = request.headers().get(REQUEST_ID)?;
    let is_safe = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    ((1..=MAX_ID_LEN).contains(&id.len()) && id.as_bytes().iter().all(is_safe)).then(|| id.clone())
}

/// Returns a unique id: the start time of the server and a sequence number.
fn server_id() -> HeaderValue {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    static START: OnceLock<u128> = OnceLock::new();
    let start = START.get_or_init(|| {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_millis())
    });
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    HeaderValue::from_str(&format!("{start:x}-{count:x}"))
        .unwrap_or_else(|_| HeaderValue::from_static("-"))
}
