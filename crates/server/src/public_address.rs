//! The host of a request, and the address under which clients reach the server.

use std::rc::Rc;

use actix_web::dev::RequestHead;
use actix_web::http::header::{self, HeaderName};
use actix_web::{HttpRequest, web};

use crate::app::AppState;
use crate::client_address::{ForwardedHeaders, is_proxied, parameter};
use crate::connection::Pace;

const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED: HeaderName = HeaderName::from_static("forwarded");

/// Header fields that a request has at most once. With two, a proxy and the server may use different
/// ones.
const SINGLE: [HeaderName; 3] = [header::HOST, header::AUTHORIZATION, header::CONTENT_TYPE];

/// Returns the host that a request is for, with its port, or `None` where an HTTP/1.0 request names
/// none. The authority of the request target has precedence over `Host` (RFC 9112, section 3.2.2).
pub(crate) fn host(head: &RequestHead) -> Option<&str> {
    let host = match head.uri.authority() {
        Some(authority) => authority.as_str(),
        None => head.headers().get(header::HOST)?.to_str().ok()?,
    };
    Some(host).filter(|host| !host.is_empty())
}

/// Returns why the head of a request is refused with 400, or `None` where it is well-formed.
pub(crate) fn objection(head: &RequestHead) -> Option<&'static str> {
    let headers = head.headers();
    if SINGLE.iter().any(|name| headers.get_all(name).nth(1).is_some()) {
        return Some("one of Host, Authorization and Content-Type is sent twice");
    }
    let sent = headers.get(header::HOST);
    let is_sound = sent.is_none_or(|host| host.to_str().is_ok_and(is_host));
    let target = head.uri.authority();
    if !is_sound || target.is_some_and(|authority| !is_host(authority.as_str())) {
        return Some("the host is not valid: expected `name`, `name:port` or an address");
    }
    None
}

/// Returns the URL that addresses in the answer begin with, without a slash at the end: `public_url`,
/// or what the request was sent to. A host that belongs to a contract is kept, since it is one that the
/// configuration names.
pub(crate) fn origin(request: &HttpRequest, is_of_contract: bool) -> String {
    let state = request.app_data::<web::Data<AppState>>();
    let public_url = state.and_then(|state| state.settings.public_url.as_deref());
    if let Some(url) = public_url.filter(|_| !is_of_contract) {
        return url.to_owned();
    }
    let kind = state.filter(|_| is_proxied(request)).map(|state| state.settings.forwarded_headers);
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
            let local = request.conn_data::<Rc<Pace>>().and_then(|pace| pace.local);
            local.map_or_else(String::new, |local| format!("{scheme}://{local}"))
        }
    }
}

/// Returns the last element of a list header: the nearest proxy added it.
fn last(request: &HttpRequest, name: HeaderName) -> Option<&str> {
    let line = request.headers().get_all(name).last()?.to_str().ok()?;
    line.rsplit(',').next()
}

/// Reads the setting `public_url`; returns it without a slash at its end.
pub(crate) fn parse_public_url(text: &str) -> Option<String> {
    let url = text.trim().trim_end_matches('/');
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let is_path = path.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\"<>\\".contains(&byte));
    (!authority.is_empty() && is_host(authority) && is_path).then(|| url.to_owned())
}

/// Returns whether a text is `uri-host [":" port]` (RFC 9110, section 7.2; RFC 3986, section 3.2.2).
/// The empty text is valid: `Host` is empty where the target has no authority.
fn is_host(text: &str) -> bool {
    let (name, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let Some((address, rest)) = rest.split_once(']') else { return false };
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                return false;
            }
            match rest.strip_prefix(':') {
                Some(port) => ("", port),
                None => return rest.is_empty(),
            }
        }
        None => text.split_once(':').unwrap_or((text, "")),
    };
    let mut bytes = name.bytes();
    while let Some(byte) = bytes.next() {
        let is_fit = match byte {
            b'%' => {
                let mut is_hex = || bytes.next().is_some_and(|byte| byte.is_ascii_hexdigit());
                is_hex() && is_hex()
            }
            _ => byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte),
        };
        if !is_fit {
            return false;
        }
    }
    port.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_with_a_port() {
        for host in [
            "",
            "a",
            "example.com",
            "example.com:8080",
            "a_b.c-d",
            "127.0.0.1:",
            "[::1]:80",
            "x%20y",
        ] {
            assert!(is_host(host), "{host}");
        }
        for host in [
            "a b", "a\"", "a/b", "<x>", "a?b", "a#b", "u@h", "h:x", "a:1:2", "[::1", "[x]",
            "[::1]x", "%2", "%zz", "ä", "a\tb", "h:80\"",
        ] {
            assert!(!is_host(host), "{host}");
        }
    }

    #[test]
    fn a_public_url_has_a_scheme_a_host_and_perhaps_a_path() {
        for (given, read) in [
            ("https://example.com", Some("https://example.com")),
            ("https://example.com/", Some("https://example.com")),
            ("http://10.0.0.1:8080/registrar/", Some("http://10.0.0.1:8080/registrar")),
            ("example.com", None),
            ("ftp://example.com", None),
            ("https://", None),
            ("https://a b", None),
            ("https://user@example.com", None),
            ("https://example.com/?x", None),
            ("javascript://example.com", None),
        ] {
            assert_eq!(parse_public_url(given).as_deref(), read, "{given}");
        }
    }
}
