//! Reads request bodies within size, rate and time limits, and parses their content type.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use actix_web::error::PayloadError;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpMessage, HttpRequest, web};
use futures_util::{FutureExt, StreamExt};

use super::memory_budget::{MemoryBudget, Reservation};
use super::multipart;
use crate::error::ApiError;
use crate::settings::Settings;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// Rejects compressed bodies.
pub(crate) fn reject_encoding(request: &HttpRequest) -> Result<(), ApiError> {
    let encoding = request.headers().get(header::CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(ApiError::unsupported_media_type(
            "content encodings are not supported: send the body uncompressed",
        ));
    }
    Ok(())
}

/// Returns the media type of a body if it is one of the native ones; JSON if there is no content type.
pub(crate) fn native_media_type(request: &HttpRequest) -> Result<String, ApiError> {
    let expected = "expected `Content-Type: application/json`, or \
                    `application/x-www-form-urlencoded` or `multipart/form-data` with names such \
                    as `form[email]`";
    let unknown = || {
        ApiError::unsupported_media_type(&format!("the content type is not supported: {expected}"))
    };
    if request.headers().get(header::CONTENT_TYPE).is_none() {
        return Ok(JSON.to_owned());
    }
    let charset = request.encoding().map_err(|_| unknown())?;
    if charset.name() != "UTF-8" {
        return Err(ApiError::unsupported_media_type(
            "the character set is not supported: expected UTF-8",
        ));
    }
    let media_type = media_type(request);
    match media_type.as_str() {
        JSON | FORM | multipart::MEDIA_TYPE => Ok(media_type),
        "text/json" => Ok(JSON.to_owned()),
        other if other.starts_with("application/") && other.ends_with("+json") => Ok(media_type),
        _ => Err(unknown()),
    }
}

/// Returns the `boundary` parameter of a multipart content type.
pub(crate) fn boundary(request: &HttpRequest) -> Option<String> {
    let content_type = request.headers().get(header::CONTENT_TYPE)?;
    multipart::boundary(content_type.to_str().ok()?)
}

/// Rejects JSON sent with the content type of a form, which curl uses by default.
pub(crate) fn reject_mislabelled_json(media_type: &str, bytes: &[u8]) -> Result<(), ApiError> {
    if media_type == FORM && bytes.first() == Some(&b'{') {
        return Err(ApiError::unsupported_media_type(
            "the body is JSON but labelled as a form: send `Content-Type: application/json`",
        ));
    }
    Ok(())
}

/// Returns the media type of the body in lower case and without parameters (RFC 9110, section 8.3.1).
pub(crate) fn media_type(request: &HttpRequest) -> String {
    request.content_type().trim().to_ascii_lowercase()
}

/// Minimum rate at which a body must arrive, in bytes per second.
const MIN_BYTES_PER_SECOND: u32 = 1024;
/// Time before the minimum rate applies, for unauthenticated and for authenticated clients.
const RATE_GRACE_PERIOD: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(5)];

/// Reads the body. Its bytes count against the memory budget until the reservation is dropped. The body
/// of an unauthenticated client is limited to `open_body_limit`.
pub(crate) async fn read(
    mut payload: web::Payload,
    settings: &Settings,
    memory: &MemoryBudget,
    is_authenticated: bool,
) -> Result<(web::Bytes, Reservation), ApiError> {
    let limit = match is_authenticated {
        true => settings.body_limit,
        false => settings.body_limit.min(settings.open_body_limit),
    };
    let (mut reservation, started) = (memory.reservation(), Instant::now());
    let mut whole = web::Bytes::new();
    let mut more = web::BytesMut::new();
    loop {
        // Most bodies have arrived completely.
        let next = match payload.next().now_or_never() {
            Some(next) => next,
            None => {
                // A body with no bytes yet has nothing to evict.
                if !(whole.is_empty() && more.is_empty()) {
                    reservation.mark_arriving();
                }
                let grace = RATE_GRACE_PERIOD[usize::from(is_authenticated)];
                let deadline = Deadline::new(whole.len() + more.len(), grace, settings);
                wait(&mut payload, &reservation, started, deadline).await?
            }
        };
        let Some(chunk) = next else { break };
        let broken =
            |_| ApiError::new(StatusCode::BAD_REQUEST, "malformed", "the body is incomplete");
        let chunk = chunk.map_err(broken)?;
        if whole.len() + more.len() + chunk.len() > limit {
            let text = format!("the body is larger than {limit} bytes");
            return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", text));
        }
        reservation.grow(chunk.len())?;
        // Most bodies arrive in one chunk, which is used without copying.
        if whole.is_empty() && more.is_empty() {
            whole = chunk;
        } else {
            if more.is_empty() {
                more.extend_from_slice(&std::mem::take(&mut whole));
            }
            more.extend_from_slice(&chunk);
        }
    }
    reservation.complete()?;
    Ok((if more.is_empty() { whole } else { more.freeze() }, reservation))
}

/// Deadline of the next chunk of a body, and the error message if it is missed.
struct Deadline {
    after: Duration,
    text: String,
}

impl Deadline {
    fn new(received: usize, grace: Duration, settings: &Settings) -> Self {
        let whole = Duration::from_secs(settings.body_seconds);
        let received = u32::try_from(received).unwrap_or(u32::MAX);
        let by_rate = grace + Duration::from_secs(received.into()) / MIN_BYTES_PER_SECOND;
        let text = match by_rate < whole {
            true => format!(
                "the body arrives too slowly: expected {MIN_BYTES_PER_SECOND} bytes a second"
            ),
            false => format!("the body did not arrive within {} seconds", settings.body_seconds),
        };
        Self { after: by_rate.min(whole), text }
    }
}

type Chunk = Option<Result<web::Bytes, PayloadError>>;

/// Waits for the next chunk of a body.
async fn wait(
    payload: &mut web::Payload,
    reservation: &Reservation,
    started: Instant,
    deadline: Deadline,
) -> Result<Chunk, ApiError> {
    let mut expired = pin!(tokio::time::sleep_until((started + deadline.after).into()));
    let mut evicted = pin!(reservation.evicted());
    poll_fn(|context| {
        if let Poll::Ready(chunk) = payload.poll_next_unpin(context) {
            return Poll::Ready(Ok(chunk));
        }
        if let Poll::Ready(error) = evicted.as_mut().poll(context) {
            return Poll::Ready(Err(error));
        }
        let status = StatusCode::REQUEST_TIMEOUT;
        let error = |()| Err(ApiError::new(status, "body_timeout", deadline.text.as_str()));
        expired.as_mut().poll(context).map(error)
    })
    .await
}
