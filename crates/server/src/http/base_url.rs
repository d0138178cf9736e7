//! Host and base URL of a request.

use std::rc::Rc;

use actix_web::HttpRequest;
use actix_web::dev::RequestHead;
use actix_web::http::header::{self, HeaderName};

use super::client_address::{is_proxied, parameter};
use super::slow_client::ConnectionState;
use crate::settings::public_url::is_host;
use crate::settings::{ForwardedHeaders, PublicUrl, Settings};

const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED: HeaderName = HeaderName::from_static("forwarded");

/// Headers that may occur once. With two, a proxy and the server could use different ones.
const SINGLETON_HEADERS: [HeaderName; 3] =
    [header::HOST, header::AUTHORIZATION, header::CONTENT_TYPE];

/// Returns the host of a request with its port, or `None` for an HTTP/1.0 request without one. The
/// authority of the request target takes precedence over `Host` (RFC 9112, section 3.2.2).
pub(crate) fn host(head: &RequestHead) -> Option<&str> {
    let host = match head.uri.authority() {
        Some(authority) => authority.as_str(),
        None => head.headers().get(header::HOST)?.to_str().ok()?,
    };
    Some(host).filter(|host| !host.is_empty())
}

/// Returns the reason to refuse the head of a request with 400, or `None` if it is well-formed.
pub(crate) fn head_error(head: &RequestHead) -> Option<&'static str> {
    let headers = head.headers();
    if SINGLETON_HEADERS.iter().any(|name| headers.get_all(name).nth(1).is_some()) {
        return Some("one of Host, Authorization and Content-Type is sent twice");
    }
    let header = headers.get(header::HOST);
    let is_valid = header.is_none_or(|host| host.to_str().is_ok_and(is_host));
    let target = head.uri.authority();
    if !is_valid || target.is_some_and(|authority| !is_host(authority.as_str())) {
        return Some("the host is not valid: expected `name`, `name:port` or an address");
    }
    None
}

/// Returns the base URL of links in the response, without a trailing slash: `public_url`, or the URL that
/// the request was sent to. The host of a contract is kept, since the configuration names it.
pub(crate) fn base_url(request: &HttpRequest, settings: &Settings, is_of_contract: bool) -> String {
    let public_url = settings.public_url.as_ref().map(PublicUrl::as_str);
    if let Some(url) = public_url.filter(|_| !is_of_contract) {
        return url.to_owned();
    }
    let kind = is_proxied(request, settings).then_some(settings.forwarded_headers);
    let reported = |name: &str, header: HeaderName| match kind? {
        ForwardedHeaders::XForwarded => last(request, header).map(str::trim),
        ForwardedHeaders::Forwarded => parameter(last(request, FORWARDED)?, name),
    };
    let scheme = match reported("proto", X_FORWARDED_PROTO) {
        Some(scheme) if scheme.eq_ignore_ascii_case("https") => "https",
        Some(scheme) if scheme.eq_ignore_ascii_case("http") => "http",
        _ if public_url.is_some_and(|url| url.starts_with("https:")) => "https",
        _ => "http",
    };
    let reported = reported("host", X_FORWARDED_HOST).filter(|host| !host.is_empty());
    let reported = reported.filter(|host| !is_of_contract && is_host(host));
    match reported.or(host(request.head())) {
        Some(host) => format!("{scheme}://{host}"),
        None => {
            let local =
                request.conn_data::<Rc<ConnectionState>>().and_then(|connection| connection.local);
            local.map_or_else(String::new, |local| format!("{scheme}://{local}"))
        }
    }
}

/// Returns the last element of a list header, which the nearest proxy added.
fn last(request: &HttpRequest, name: HeaderName) -> Option<&str> {
    let line = request.headers().get_all(name).last()?.to_str().ok()?;
    line.rsplit(',').next()
}
