//! The address of the client behind a request, and the proxies that are trusted to report it.
//!
//! `X-Forwarded-*` and `Forwarded` (RFC 7239) are read only where the connection comes from a trusted
//! proxy: anybody can send them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use actix_web::http::header::HeaderName;
use actix_web::{HttpRequest, web};

use crate::app::AppState;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED: HeaderName = HeaderName::from_static("forwarded");

/// Which headers the trusted proxies set. The other ones are ignored: a proxy that sets only one kind
/// passes the other on as the client sent it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ForwardedHeaders {
    /// `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host`.
    #[default]
    XForwarded,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

impl FromStr for ForwardedHeaders {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "x-forwarded" => Ok(Self::XForwarded),
            "forwarded" => Ok(Self::Forwarded),
            _ => Err(()),
        }
    }
}

/// A network in CIDR notation, or a single address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl FromStr for Network {
    type Err = ();

    /// Reads `10.0.0.0/8`, `fd00::/8` or `127.0.0.1`.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse().map_err(|_| ())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| ())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(most);
        if prefix > most {
            return Err(());
        }
        Ok(Self { address, prefix })
    }
}

impl Network {
    /// Returns whether the address belongs to the network. An IPv4-mapped IPv6 address counts as the
    /// IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let (shift, differing) = match (self.address, address.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                (32 - u32::from(self.prefix), u128::from(ours.to_bits() ^ theirs.to_bits()))
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                (128 - u32::from(self.prefix), ours.to_bits() ^ theirs.to_bits())
            }
            _ => return false,
        };
        differing.checked_shr(shift).unwrap_or_default() == 0
    }
}

/// Returns the IP address of the client that made a request: that of the connection, or, where the
/// connection comes from a trusted proxy, the last address in the forwarding header that is not itself
/// a trusted proxy. IPv4-mapped IPv6 addresses are returned as IPv4 addresses.
pub fn client_address(request: &HttpRequest) -> IpAddr {
    let peer = peer_address(request);
    let Some(state) = request.app_data::<web::Data<AppState>>() else { return peer };
    let trusted = &state.settings.trusted_proxies;
    if !is_trusted(trusted, peer) {
        return peer;
    }
    let name = match state.settings.forwarded_headers {
        ForwardedHeaders::XForwarded => X_FORWARDED_FOR,
        ForwardedHeaders::Forwarded => FORWARDED,
    };
    // A line that is not ASCII reads as one unknown address.
    let lines: Vec<&str> =
        request.headers().get_all(name).map(|line| line.to_str().unwrap_or("?")).collect();
    let hops = lines.iter().rev().flat_map(|line| line.rsplit(','));
    match state.settings.forwarded_headers {
        ForwardedHeaders::XForwarded => walk(trusted, peer, hops.map(node)),
        ForwardedHeaders::Forwarded => {
            walk(trusted, peer, hops.map(|hop| node(parameter(hop, "for")?)))
        }
    }
}

/// Returns whether the connection of a request comes from a trusted proxy.
pub(crate) fn is_proxied(request: &HttpRequest) -> bool {
    let state = request.app_data::<web::Data<AppState>>();
    state.is_some_and(|state| {
        let trusted = &state.settings.trusted_proxies;
        !trusted.is_empty() && is_trusted(trusted, peer_address(request))
    })
}

/// Returns the value of a parameter of one element of `Forwarded`, without its quotes.
pub(crate) fn parameter<'h>(element: &'h str, name: &str) -> Option<&'h str> {
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

/// Walks the hops from the nearest to the farthest and returns the first address that is not a trusted
/// proxy; the last one known where a hop is unreadable or all of them are trusted.
fn walk(trusted: &[Network], peer: IpAddr, hops: impl Iterator<Item = Option<IpAddr>>) -> IpAddr {
    let mut known = peer;
    for hop in hops {
        let Some(address) = hop else { return known };
        known = address;
        if !is_trusted(trusted, known) {
            return known;
        }
    }
    known
}

/// Reads `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`, also in
/// quotes. `unknown` and obfuscated identifiers (RFC 7239, section 6) are no addresses.
fn node(text: &str) -> Option<IpAddr> {
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
    fn a_network_contains_the_addresses_of_its_prefix() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("10.1.2.3", "10.1.2.3", "10.1.2.4"),
            ("192.0.2.128/25", "192.0.2.129", "192.0.2.1"),
            ("fd00::/8", "fdff::1", "fe80::1"),
            ("::1", "::1", "::2"),
            ("0.0.0.0/0", "203.0.113.7", "::1"),
            ("::/0", "2001:db8::1", "10.0.0.1"),
            ("10.0.0.0/8", "::ffff:10.0.0.1", "::ffff:11.0.0.1"),
        ] {
            let network: Network = network.parse().unwrap();
            assert!(network.contains(address(inside)), "{network:?} {inside}");
            assert!(!network.contains(address(outside)), "{network:?} {outside}");
        }
        for slip in ["", "10.0.0.0/33", "::/129", "10.0.0/8", "example.com", "10.0.0.0/-1", "/8"] {
            assert!(slip.parse::<Network>().is_err(), "{slip}");
        }
    }

    #[test]
    fn the_client_is_the_last_hop_that_is_no_trusted_proxy() {
        let trusted = networks(&["127.0.0.1", "10.0.0.0/8"]);
        let peer = address("127.0.0.1");
        for (line, expected) in [
            ("", "127.0.0.1"),
            ("203.0.113.7", "203.0.113.7"),
            // The first one is what the client itself sent.
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
            let found = walk(&trusted, peer, line.rsplit(',').map(node));
            assert_eq!(found, address(expected), "{line}");
        }
    }

    #[test]
    fn parameters_of_forwarded_are_read_in_any_case_and_quotes() {
        let element = r#" For="[2001:db8::1]:47";proto=https ; HOST=example.com"#;
        assert_eq!(parameter(element, "for").and_then(node), Some(address("2001:db8::1")));
        assert_eq!(parameter(element, "proto"), Some("https"));
        assert_eq!(parameter(element, "host"), Some("example.com"));
        assert_eq!(parameter(element, "by"), None);
    }
}
