//! Where a call to the outside may go: to public addresses alone, so that a URL that somebody else
//! chose reaches nothing that only this machine or its network reaches. Nothing calls out yet.
//!
//! Sources: IANA's IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890, what is not
//! "Globally Reachable"), multicast (RFC 5771, RFC 4291 section 2.7), RFC 4291 section 2.4 and
//! IANA's IPv6 Global Unicast Address Assignments (all of it lies in 2000::/3). The few single
//! addresses that are reachable within a refused block (192.0.0.9, 2001:1::1, …) are refused too.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};

/// IPv4 blocks that are not public: the address and the number of bits that count.
const IPV4: [(Ipv4Addr, u32); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),       // "this network", RFC 791
    (Ipv4Addr::new(10, 0, 0, 0), 8),      // private, RFC 1918
    (Ipv4Addr::new(100, 64, 0, 0), 10),   // shared (carriers' NAT), RFC 6598
    (Ipv4Addr::new(127, 0, 0, 0), 8),     // loopback, RFC 1122
    (Ipv4Addr::new(169, 254, 0, 0), 16),  // link-local and clouds' metadata, RFC 3927
    (Ipv4Addr::new(172, 16, 0, 0), 12),   // private, RFC 1918
    (Ipv4Addr::new(192, 0, 0, 0), 24),    // protocol assignments, RFC 6890
    (Ipv4Addr::new(192, 0, 2, 0), 24),    // documentation, RFC 5737
    (Ipv4Addr::new(192, 88, 99, 0), 24),  // 6to4 relays, RFC 7526
    (Ipv4Addr::new(192, 168, 0, 0), 16),  // private, RFC 1918
    (Ipv4Addr::new(198, 18, 0, 0), 15),   // benchmarks, RFC 2544
    (Ipv4Addr::new(198, 51, 100, 0), 24), // documentation, RFC 5737
    (Ipv4Addr::new(203, 0, 113, 0), 24),  // documentation, RFC 5737
    (Ipv4Addr::new(224, 0, 0, 0), 4),     // multicast, RFC 5771
    (Ipv4Addr::new(240, 0, 0, 0), 4),     // reserved, RFC 1112, and broadcast, RFC 919
];

/// IPv6 blocks within 2000::/3 that are not public, written likewise. All outside of it is not.
const IPV6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // Teredo, ORCHID and others, RFC 2928
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation, RFC 3849
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4, RFC 3056: what it carries is judged
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation, RFC 9637
];

/// Why nothing may be called there.
#[derive(Debug, thiserror::Error)]
pub enum NotPublic {
    /// The name leads nowhere.
    #[error("the host cannot be found: {0}")]
    Unknown(#[from] io::Error),
    /// One of the addresses is not public.
    #[error("the host has an address that is not public ({0}): expected public addresses only")]
    Inside(IpAddr),
}

/// The addresses of a host, all of them public. Connect to these, without looking the name up
/// again: another answer would not have been judged. Redirects are other hosts. Blocks while the
/// operating system looks the name up.
///
/// # Errors
/// Where the name leads nowhere, or to any address that is not public: a name that leads inside as
/// well is not to be tried for the other address.
pub fn public_addresses(host: &str, port: u16) -> Result<Vec<SocketAddr>, NotPublic> {
    // URLs have brackets around IPv6 addresses (RFC 3986 section 3.2.2).
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let addresses: Vec<SocketAddr> = (bare, port).to_socket_addrs()?.collect();
    if addresses.is_empty() {
        return Err(NotPublic::Unknown(io::ErrorKind::NotFound.into()));
    }
    match addresses.iter().find(|address| !is_public(address.ip())) {
        Some(inside) => Err(NotPublic::Inside(inside.ip())),
        None => Ok(addresses),
    }
}

/// Whether an address is a public one, and what it carries where it is one of IPv6 that carries one
/// of IPv4.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => carried(address).map_or_else(|| is_public_v6(address), is_public_v4),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let is_in = |(block, bits): &(Ipv4Addr, u32)| {
        (address.to_bits() ^ block.to_bits()).leading_zeros() >= *bits
    };
    !IPV4.iter().any(is_in)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let is_in = |(block, bits): &(Ipv6Addr, u32)| {
        (address.to_bits() ^ block.to_bits()).leading_zeros() >= *bits
    };
    is_in(&(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3)) && !IPV6.iter().any(is_in)
}

/// The IPv4 address within one of IPv6: mapped (`::ffff:0:0/96`), translated (`::ffff:0:0:0/96`, RFC
/// 2765), compatible (`::/96`), NAT64 (`64:ff9b::/96`, RFC 6052) and 6to4 (`2002::/16`).
fn carried(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let last = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        // `::` and `::1` are no addresses of IPv4.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => Some(last(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: &str = "1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 93.184.215.14 100.63.255.255 \
        100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 \
        192.0.1.0 192.0.3.0 192.88.98.255 192.88.100.0 192.167.255.255 192.169.0.0 198.17.255.255 \
        198.20.0.0 198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0 223.255.255.255 \
        2000:: 2001:200:: 2001:4860:4860::8888 2606:4700:4700::1111 2a00:1450:4001:81b::200e \
        2001:db7:ffff:: 2001:db9:: 3ffe:ffff:: 3fff:1000:: ::ffff:8.8.8.8 ::8.8.8.8 \
        64:ff9b::8.8.8.8 2002:808:808::1 ::ffff:0:8.8.8.8";

    const NOT_PUBLIC: &str = "0.0.0.0 0.1.2.3 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 \
        100.127.255.255 127.0.0.1 127.255.255.255 169.254.0.0 169.254.169.254 169.254.255.255 \
        172.16.0.0 172.31.255.255 192.0.0.0 192.0.0.9 192.0.0.170 192.0.0.255 192.0.2.1 192.88.99.1 \
        192.168.0.0 192.168.255.255 198.18.0.0 198.19.255.255 198.51.100.7 203.0.113.255 224.0.0.1 \
        239.255.255.255 240.0.0.1 255.255.255.254 255.255.255.255 \
        :: ::1 ::2 ::7f00:1 ::127.0.0.1 ::10.0.0.1 ::ffff:0.0.0.0 ::ffff:127.0.0.1 ::ffff:10.0.0.1 \
        ::ffff:169.254.169.254 ::ffff:192.168.1.1 ::ffff:255.255.255.255 ::ffff:0:127.0.0.1 \
        64:ff9b::127.0.0.1 64:ff9b::10.1.2.3 64:ff9b::169.254.169.254 64:ff9b:1::1 \
        64:ff9b:1:ffff:ffff:ffff:8.8.8.8 100::1 100:0:0:1::1 1fff:ffff:: 2001::1 \
        2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:1::1 2001:2::1 2001:10::1 2001:20::1 2001:1ff:ffff:: \
        2001:db8::1 2001:db8:ffff:: 2002:7f00:1::1 2002:a00:1:: 2002:c0a8:101::1 2002:a9fe:a9fe:: \
        3fff:: 3fff:fff:ffff:: 4000:: 5f00::1 fc00:: fd12:3456::1 fdff:ffff:: fe80::1 febf:ffff:: \
        fec0::1 ff02::1 ff0e::1 ffff::";

    #[test]
    fn public_addresses_are_told_from_all_others() {
        for (list, expected) in [(PUBLIC, true), (NOT_PUBLIC, false)] {
            for text in list.split_whitespace() {
                assert_eq!(is_public(text.parse().unwrap()), expected, "{text}");
            }
        }
        assert!(PUBLIC.split_whitespace().chain(NOT_PUBLIC.split_whitespace()).count() >= 110);
    }

    #[test]
    fn what_was_judged_is_what_is_given() {
        for (host, given) in [("8.8.8.8", "8.8.8.8:443"), ("[2606:4700::1]", "[2606:4700::1]:443")]
        {
            assert_eq!(public_addresses(host, 443).unwrap(), [given.parse().unwrap()]);
        }
    }

    /// Also where an address is spelled as only the operating system reads it.
    #[test]
    fn a_host_inside_is_refused_however_it_is_spelled() {
        for host in [
            "localhost",
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.1",
            "0177.0.0.1",
            "[::1]",
            "::ffff:127.0.0.1",
            "[::ffff:7f00:1]",
            "169.254.169.254",
            "0",
            "[fe80::1]",
        ] {
            let refused = public_addresses(host, 80);
            assert!(matches!(refused, Err(NotPublic::Inside(_))), "{host}: {refused:?}");
        }
        for host in ["", "no such host", "a.invalid"] {
            assert!(matches!(public_addresses(host, 80), Err(NotPublic::Unknown(_))), "{host}");
        }
    }
}
