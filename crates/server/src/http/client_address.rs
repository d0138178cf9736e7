//! Client address of a request, and the trusted proxies that report it.
//!
//! `X-Forwarded-*` and `Forwarded` (RFC 7239) are read only from trusted proxies: any client can send
//! them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use actix_web::HttpRequest;
use actix_web::http::header::HeaderName;

use crate::settings::{ForwardedHeaders, Network, Settings};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED: HeaderName = HeaderName::from_static("forwarded");

/// Returns the IP address of the client: that of the connection, or behind a trusted proxy the last
/// address in the forwarding header that is not a trusted proxy. IPv4-mapped IPv6 addresses are
/// returned as IPv4.
pub(crate) fn client_address(request: &HttpRequest, settings: &Settings) -> IpAddr {
    let peer = peer_address(request);
    let trusted = &settings.trusted_proxies;
    if !is_trusted(trusted, peer) {
        return peer;
    }
    let name = match settings.forwarded_headers {
        ForwardedHeaders::XForwarded => X_FORWARDED_FOR,
        ForwardedHeaders::Forwarded => FORWARDED,
    };
    // A header that is not ASCII is read as one unknown address.
    let lines: Vec<&str> =
        request.headers().get_all(name).map(|line| line.to_str().unwrap_or("?")).collect();
    let hops = lines.iter().rev().flat_map(|line| line.rsplit(','));
    match settings.forwarded_headers {
        ForwardedHeaders::XForwarded => first_untrusted(trusted, peer, hops.map(parse_node)),
        ForwardedHeaders::Forwarded => {
            first_untrusted(trusted, peer, hops.map(|hop| parse_node(parameter(hop, "for")?)))
        }
    }
}

/// Returns whether the connection of a request comes from a trusted proxy.
pub(super) fn is_proxied(request: &HttpRequest, settings: &Settings) -> bool {
    let trusted = &settings.trusted_proxies;
    !trusted.is_empty() && is_trusted(trusted, peer_address(request))
}

/// Returns the unquoted value of a parameter in an element of `Forwarded`.
pub(super) fn parameter<'h>(element: &'h str, name: &str) -> Option<&'h str> {
    element.split(';').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        let value = value.trim();
        let bare = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        key.trim().eq_ignore_ascii_case(name).then_some(bare.unwrap_or(value))
    })
}

fn peer_address(request: &HttpRequest) -> IpAddr {
    let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    peer.to_canonical()
}

fn is_trusted(trusted: &[Network], address: IpAddr) -> bool {
    trusted.iter().any(|network| network.contains(address))
}

/// Returns the first address, from the nearest hop on, that is not a trusted proxy; the last valid address
/// if a hop is unreadable or all are trusted.
fn first_untrusted(
    trusted: &[Network],
    peer: IpAddr,
    hops: impl Iterator<Item = Option<IpAddr>>,
) -> IpAddr {
    let mut last_valid = peer;
    for hop in hops {
        let Some(address) = hop else { return last_valid };
        last_valid = address;
        if !is_trusted(trusted, address) {
            return address;
        }
    }
    last_valid
}

/// Parses `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`, also quoted.
/// Returns `None` for `unknown` and obfuscated identifiers (RFC 7239, section 6).
fn parse_node(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let unbracketed = bare.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let address = unbracketed
        .unwrap_or(bare)
        .parse::<IpAddr>()
        .ok()
        .or_else(|| bare.parse::<SocketAddr>().ok().map(|address| address.ip()));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(texts: &[&str]) -> Vec<Network> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn client_is_the_last_hop_that_is_not_a_trusted_proxy() {
        let trusted = networks(&["127.0.0.1", "10.0.0.0/8"]);
        let peer = address("127.0.0.1");
        for (line, expected) in [
            ("", "127.0.0.1"),
            ("203.0.113.7", "203.0.113.7"),
            // The first address was sent by the client itself.
            ("198.51.100.9, 203.0.113.7", "203.0.113.7"),
            ("198.51.100.9, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
            ("203.0.113.7, unknown", "127.0.0.1"),
            ("203.0.113.7, _hidden, 10.0.0.2", "10.0.0.2"),
            ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
            ("203.0.113.7:4711", "203.0.113.7"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("\"[2001:db8::1]\"", "2001:db8::1"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
        ] {
            let found = first_untrusted(&trusted, peer, line.rsplit(',').map(parse_node));
            assert_eq!(found, address(expected), "{line}");
        }
    }

    #[test]
    fn parses_forwarded_parameters_in_any_case_and_quoted() {
        let element = r#" For="[2001:db8::1]:47";proto=https ; HOST=example.com"#;
        assert_eq!(parameter(element, "for").and_then(parse_node), Some(address("2001:db8::1")));
        assert_eq!(parameter(element, "proto"), Some("https"));
        assert_eq!(parameter(element, "host"), Some("example.com"));
        assert_eq!(parameter(element, "by"), None);
    }
}
