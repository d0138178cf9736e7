//! Reads a body within its limits, and its label.

use std::fmt::Display;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use actix_web::error::PayloadError;

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpMessage, HttpRequest, web};
use futures_util::{FutureExt, StreamExt};

use crate::answer::Fault;
use crate::app::AppState;
use crate::body_memory::Held;
use crate::multipart;
use crate::settings::Settings;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// Refuses bodies that are compressed.
pub(crate) fn check_encoding(request: &HttpRequest) -> Result<(), Fault> {
    let encoding = request.headers().get(header::CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(unsupported("content encodings are not read: send the body as it is"));
    }
    Ok(())
}

/// The media type of a body whose label must be whole and right: JSON where there is none.
pub(crate) fn strict_label(request: &HttpRequest) -> Result<String, Fault> {
    let expected = "expected `Content-Type: application/json`, or \
                    `application/x-www-form-urlencoded` or `multipart/form-data` with names such \
                    as `form[email]`";
    let unknown = || unsupported(&format!("the content type is not read here: {expected}"));
    if request.headers().get(header::CONTENT_TYPE).is_none() {
        return Ok(JSON.to_owned());
    }
    let charset = request.encoding().map_err(|_| unknown())?;
    if charset.name() != "UTF-8" {
        return Err(unsupported("the character set is not read here: expected UTF-8"));
    }
    let label = label(request);
    match label.as_str() {
        JSON | FORM | multipart::MEDIA_TYPE => Ok(label),
        "text/json" => Ok(JSON.to_owned()),
        other if other.starts_with("application/") && other.ends_with("+json") => Ok(label),
        _ => Err(unknown()),
    }
}

/// The boundary that the label of a multipart body says.
pub(crate) fn boundary(request: &HttpRequest) -> Option<String> {
    let label = request.headers().get(header::CONTENT_TYPE)?;
    multipart::boundary(label.to_str().ok()?)
}

/// Refuses what curl sends when it is given JSON and no label.
pub(crate) fn check_form(label: &str, bytes: &[u8]) -> Result<(), Fault> {
    if label == FORM && bytes.first() == Some(&b'{') {
        return Err(unsupported(
            "the body is JSON but labelled as a form: send `Content-Type: application/json`",
        ));
    }
    Ok(())
}

/// The media type of a body. They are compared without case and without parameters (RFC 9110
/// section 8.3.1).
pub(crate) fn label(request: &HttpRequest) -> String {
    request.content_type().trim().to_ascii_lowercase()
}

/// How fast a body must arrive at least, in bytes a second.
const LEAST_RATE: u32 = 1024;
/// After how long the rate counts, of clients that are not known and of those that are.
const GRACE: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(5)];

/// Reads the body. It counts among those that are held as long as what comes with it. That of a
/// client that nobody knows must be small.
pub(crate) async fn read(
    mut payload: web::Payload,
    state: &AppState,
    is_known: bool,
) -> Result<(web::Bytes, Held), Fault> {
    let settings = &state.settings;
    let limit = match is_known {
        true => settings.body_limit,
        false => settings.body_limit.min(settings.open_body_limit),
    };
    let (mut held, started) = (state.body_memory.hold(), Instant::now());
    let mut whole = web::Bytes::new();
    let mut more = web::BytesMut::new();
    loop {
        // Most bodies are there already.
        let next = match payload.next().now_or_never() {
            Some(next) => next,
            None => {
                // Where nothing is held yet, nothing can be given up.
                if !(whole.is_empty() && more.is_empty()) {
                    held.wait();
                }
                let grace = GRACE[usize::from(is_known)];
                let deadline = Deadline::of(whole.len() + more.len(), grace, settings);
                wait(&mut payload, &held, started, deadline).await?
            }
        };
        let Some(chunk) = next else { break };
        let broken = |_| Fault::new(StatusCode::BAD_REQUEST, "malformed", "the body broke off");
        let chunk = chunk.map_err(broken)?;
        if whole.len() + more.len() + chunk.len() > limit {
            let text = format!("the body is larger than {limit} bytes");
            return Err(Fault::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", text));
        }
        held.add(chunk.len())?;
        // Most bodies come in one piece, which is taken as it is.
        if whole.is_empty() && more.is_empty() {
            whole = chunk;
        } else {
            if more.is_empty() {
                more.extend_from_slice(&std::mem::take(&mut whole));
            }
            more.extend_from_slice(&chunk);
        }
    }
    held.arrived()?;
    Ok((if more.is_empty() { whole } else { more.freeze() }, held))
}

/// Until when the next piece of a body must be there, and what is said where it is not.
struct Deadline {
    after: Duration,
    text: String,
}

impl Deadline {
    fn of(received: usize, grace: Duration, settings: &Settings) -> Self {
        let whole = Duration::from_secs(settings.body_seconds);
        let received = u32::try_from(received).unwrap_or(u32::MAX);
        let by_rate = grace + Duration::from_secs(received.into()) / LEAST_RATE;
        let text = match by_rate < whole {
            true => format!("the body arrives too slowly: expected {LEAST_RATE} bytes a second"),
            false => format!("the body did not arrive within {} seconds", settings.body_seconds),
        };
        Self { after: by_rate.min(whole), text }
    }
}

type Piece = Option<Result<web::Bytes, PayloadError>>;

/// Waits for the next piece of a body.
async fn wait(
    payload: &mut web::Payload,
    held: &Held,
    started: Instant,
    deadline: Deadline,
) -> Result<Piece, Fault> {
    let mut late = pin!(tokio::time::sleep_until((started + deadline.after).into()));
    let mut cut = pin!(held.cut());
    poll_fn(|context| {
        if let Poll::Ready(piece) = payload.poll_next_unpin(context) {
            return Poll::Ready(Ok(piece));
        }
        if let Poll::Ready(fault) = cut.as_mut().poll(context) {
            return Poll::Ready(Err(fault));
        }
        let status = StatusCode::REQUEST_TIMEOUT;
        let fault = |()| Err(Fault::new(status, "body_timeout", deadline.text.as_str()));
        late.as_mut().poll(context).map(fault)
    })
    .await
}

/// What is said of a body that cannot be read.
pub(crate) fn malformed(why: &dyn Display) -> Fault {
    let message = format!("the body cannot be read: {why}");
    Fault::new(StatusCode::BAD_REQUEST, "malformed", message)
}

/// What is said of a body that is of a type that is not read.
pub(crate) fn unsupported(message: &str) -> Fault {
    Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message)
}
