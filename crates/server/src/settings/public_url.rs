//! The setting `public_url`, and the syntax of hosts.

use std::str::FromStr;

use serde::Deserialize;

/// Public URL of the server, without a trailing slash, query or fragment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PublicUrl(String);

impl PublicUrl {
    /// Returns the URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PublicUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        const EXPECTED: &str =
            "expected a URL such as `https://example.com`, without query or fragment";
        let url = text.trim().trim_end_matches('/');
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        let (authority, path) =
            rest.map(|rest| rest.split_once('/').unwrap_or((rest, ""))).ok_or(EXPECTED)?;
        let is_path =
            path.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\"<>\\".contains(&byte));
        let is_valid = !authority.is_empty() && is_host(authority) && is_path;
        if is_valid { Ok(Self(url.to_owned())) } else { Err(EXPECTED) }
    }
}

/// Returns whether a text is `uri-host [":" port]` (RFC 9110, section 7.2; RFC 3986, section 3.2.2). The
/// empty text is valid: `Host` is empty if the target has no authority.
pub(crate) fn is_host(text: &str) -> bool {
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
        let is_allowed = match byte {
            b'%' => {
                let mut is_hex = || bytes.next().is_some_and(|byte| byte.is_ascii_hexdigit());
                is_hex() && is_hex()
            }
            _ => byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte),
        };
        if !is_allowed {
            return false;
        }
    }
    port.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_is_a_name_or_an_address_with_an_optional_port() {
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
    fn public_url_has_a_scheme_a_host_and_an_optional_path() {
        for (given, parsed) in [
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
            let url = given.parse::<PublicUrl>();
            assert_eq!(url.as_ref().map(PublicUrl::as_str).ok(), parsed, "{given}");
        }
    }
}
