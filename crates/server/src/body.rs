//! Reads a body within its limits, and decodes it as its label says.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpMessage, HttpRequest, web};
use registrar_core::decode::{DecodeError, brackets, json};
use registrar_core::value::Value;

use crate::answer::Fault;
use crate::app::AppState;
use crate::multipart;

/// How a body is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    UrlEncoded,
    /// With the boundary, where the label says one.
    Multipart(Option<String>),
}

/// Refuses bodies that are compressed.
pub(crate) fn check_encoding(request: &HttpRequest) -> Result<(), Fault> {
    let encoding = request.headers().get(header::CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(unsupported("content encodings are not read: send the body as it is"));
    }
    Ok(())
}

/// What the request's headers say of its body; refuses what is not read here.
pub(crate) fn format(request: &HttpRequest) -> Result<Format, Fault> {
    check_encoding(request)?;
    let expected = "expected `Content-Type: application/json`, or \
                    `application/x-www-form-urlencoded` or `multipart/form-data` with names such \
                    as `form[email]`";
    let unknown = || unsupported(&format!("the content type is not read here: {expected}"));
    if request.headers().get(header::CONTENT_TYPE).is_none() {
        return Ok(Format::Json);
    }
    let charset = request.encoding().map_err(|_| unknown())?;
    if charset.name() != "UTF-8" {
        return Err(unsupported("the character set is not read here: expected UTF-8"));
    }
    // Media types are compared without case and without parameters (RFC 9110 section 8.3.1).
    let media_type = request.content_type().trim().to_ascii_lowercase();
    match media_type.as_str() {
        "application/json" | "text/json" => Ok(Format::Json),
        "application/x-www-form-urlencoded" => Ok(Format::UrlEncoded),
        multipart::MEDIA_TYPE => Ok(Format::Multipart(boundary(request))),
        other if other.starts_with("application/") && other.ends_with("+json") => Ok(Format::Json),
        _ => Err(unknown()),
    }
}

/// The boundary that the label of a multipart body says.
pub(crate) fn boundary(request: &HttpRequest) -> Option<String> {
    let label = request.headers().get(header::CONTENT_TYPE)?;
    multipart::boundary(label.to_str().ok()?)
}

/// Reads the body.
pub(crate) async fn read(payload: web::Payload, state: &AppState) -> Result<web::Bytes, Fault> {
    let settings = &state.settings;
    let body = payload.to_bytes_limited(settings.body_limit);
    match tokio::time::timeout(Duration::from_secs(settings.body_seconds), body).await {
        Err(_) => Err(Fault::new(
            StatusCode::REQUEST_TIMEOUT,
            "body_timeout",
            format!("the body did not arrive within {} seconds", settings.body_seconds),
        )),
        Ok(Err(_)) => Err(Fault::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            format!("the body is larger than {} bytes", settings.body_limit),
        )),
        Ok(Ok(Err(_))) => {
            Err(Fault::new(StatusCode::BAD_REQUEST, "malformed", "the body broke off"))
        }
        Ok(Ok(Ok(bytes))) => Ok(bytes),
    }
}

/// Decodes the body.
pub(crate) fn decode<'b>(format: &Format, bytes: &'b [u8]) -> Result<Value<'b>, Fault> {
    let malformed = |error: DecodeError| {
        Fault::new(
            StatusCode::BAD_REQUEST,
            "malformed",
            format!("the body cannot be read: {error}"),
        )
    };
    match format {
        Format::Json => json::parse(bytes).map_err(malformed),
        // What curl sends when it is given JSON and no label.
        Format::UrlEncoded if bytes.first() == Some(&b'{') => Err(unsupported(
            "the body is JSON but labelled as a form: send `Content-Type: application/json`",
        )),
        Format::UrlEncoded => brackets::parse_urlencoded(bytes).map_err(malformed),
        Format::Multipart(boundary) => {
            multipart::parse(boundary.as_deref(), bytes).map_err(malformed)
        }
    }
}

fn unsupported(message: &str) -> Fault {
    Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message)
}
