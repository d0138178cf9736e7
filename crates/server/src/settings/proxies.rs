//! Trusted proxies: their networks, and the forwarding headers that they set.

use std::net::IpAddr;
use std::str::FromStr;

use serde::Deserialize;

const EXPECTED_NETWORK: &str = "expected an address or a network such as `10.0.0.0/8` or `::1`";

/// Forwarding headers that the trusted proxies set. Others are ignored: a proxy that sets one kind
/// passes the other on as the client sent it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum ForwardedHeaders {
    /// `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host`.
    #[default]
    XForwarded,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

impl FromStr for ForwardedHeaders {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        match text {
            "x-forwarded" => Ok(Self::XForwarded),
            "forwarded" => Ok(Self::Forwarded),
            _ => Err("expected `x-forwarded` or `forwarded`"),
        }
    }
}

/// A network in CIDR notation, or a single address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl FromStr for Network {
    type Err = &'static str;

    /// Reads `10.0.0.0/8`, `fd00::/8` or `127.0.0.1`.
    fn from_str(text: &str) -> Result<Self, &'static str> {
        let (address, prefix) = match text.trim().split_once('/') {
            Some((address, prefix)) => {
                (address, Some(prefix.parse().map_err(|_| EXPECTED_NETWORK)?))
            }
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse().map_err(|_| EXPECTED_NETWORK)?;
        let max = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(max);
        if prefix > max {
            return Err(EXPECTED_NETWORK);
        }
        Ok(Self { address, prefix })
    }
}

impl Network {
    /// Returns whether the network contains an address. An IPv4-mapped IPv6 address counts as IPv4.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn network_contains_the_addresses_of_its_prefix() {
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
        for invalid in ["", "10.0.0.0/33", "::/129", "10.0.0/8", "example.com", "10.0.0.0/-1", "/8"]
        {
            assert!(invalid.parse::<Network>().is_err(), "{invalid}");
        }
    }
}
