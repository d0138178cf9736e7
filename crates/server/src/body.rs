//! Reads a body within its limits, and its label.

use std::fmt::Display;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpMessage, HttpRequest, web};
use futures_util::StreamExt;

use crate::answer::Fault;
use crate::app::AppState;
use crate::limits::Held;
use crate::multipart;

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

/// Reads the body. It counts among those that are held as long as what comes with it.
pub(crate) async fn read(
    payload: web::Payload,
    state: &AppState,
) -> Result<(web::Bytes, Held<'_>), Fault> {
    let settings = &state.settings;
    let body = collect(payload, state);
    match tokio::time::timeout(Duration::from_secs(settings.body_seconds), body).await {
        Err(_) => Err(Fault::new(
            StatusCode::REQUEST_TIMEOUT,
            "body_timeout",
            format!("the body did not arrive within {} seconds", settings.body_seconds),
        )),
        Ok(read) => read,
    }
}

async fn collect(
    mut payload: web::Payload,
    state: &AppState,
) -> Result<(web::Bytes, Held<'_>), Fault> {
    let broken = |_| Fault::new(StatusCode::BAD_REQUEST, "malformed", "the body broke off");
    let (mut held, limit) = (state.body_memory.hold(), state.settings.body_limit);
    let mut whole = web::Bytes::new();
    let mut more = web::BytesMut::new();
    while let Some(chunk) = payload.next().await {
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
    Ok((if more.is_empty() { whole } else { more.freeze() }, held))
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
