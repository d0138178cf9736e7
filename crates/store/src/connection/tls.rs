//! Checks whether a PostgreSQL URL requires TLS and whether this build supports it.

use crate::error::OpenError;

/// Whether libpq supports TLS. A system library is assumed to; if it does not, it returns an error.
const HAS_TLS: bool = cfg!(any(feature = "tls", not(feature = "bundled-libpq")));

/// Parameters that require TLS. A libpq without TLS ignores most of them.
const TLS_PARAMETERS: [&str; 6] =
    ["sslrootcert", "sslcert", "sslkey", "sslcrl", "sslcrldir", "sslnegotiation"];

/// Returns an error if a URL or libpq's environment requires TLS and this build does not support it.
pub(crate) fn check(url: &str) -> Result<(), OpenError> {
    if HAS_TLS {
        return Ok(());
    }
    let mode = std::env::var("PGSSLMODE").ok();
    demand(url, mode.as_deref()).map_or(Ok(()), |demand| Err(OpenError::NoTls { demand }))
}

/// Returns the parameter of a URL that requires TLS, or `None`. `default_mode` is the value of
/// `PGSSLMODE`.
fn demand(url: &str, default_mode: Option<&str>) -> Option<String> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let parameters = || query.split('&').filter_map(|pair| pair.split_once('='));
    if let Some((name, _)) = parameters().find(|(name, _)| TLS_PARAMETERS.contains(name)) {
        return Some(name.to_owned());
    }
    let mode = parameters().find(|(name, _)| *name == "sslmode").map(|(_, mode)| mode);
    let is_demanded = |mode: &&str| ["require", "verify-ca", "verify-full"].contains(mode);
    mode.or(default_mode).filter(is_demanded).map(|mode| format!("sslmode={mode}"))
}

/// Returns whether a URL leads to a PostgreSQL server on another machine and TLS is not supported.
pub(crate) fn is_unencrypted(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("://").filter(|(scheme, _)| *scheme != "sqlite") else {
        return false;
    };
    let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
    let named = query.split('&').find_map(|pair| pair.strip_prefix("host="));
    let address = address.split('/').next().unwrap_or_default();
    let address = address.rsplit_once('@').map_or(address, |(_, address)| address);
    let host = named.unwrap_or(match address.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => address.split(':').next().unwrap_or_default(),
    });
    let is_local = host.is_empty()
        || host.starts_with('/')
        || host.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("%2f"))
        || ["localhost", "::1"].contains(&host)
        || host.starts_with("127.");
    !HAS_TLS && !is_local
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_is_required_by_sslmode_or_by_certificate_parameters() {
        for (url, expected) in [
            ("postgres://h/d", None),
            ("postgres://h/d?sslmode=prefer", None),
            ("postgres://h/d?sslmode=disable", None),
            ("postgres://h/d?sslmode=require", Some("sslmode=require")),
            ("postgres://h/d?a=b&sslmode=verify-full", Some("sslmode=verify-full")),
            ("postgres://h/d?sslrootcert=/ca.pem", Some("sslrootcert")),
        ] {
            assert_eq!(demand(url, None).as_deref(), expected, "{url}");
        }
        assert_eq!(demand("postgres://h/d", Some("require")).as_deref(), Some("sslmode=require"));
        assert_eq!(demand("postgres://h/d?sslmode=disable", Some("require")), None);
    }

    #[test]
    fn local_connections_count_as_encrypted() {
        for url in [
            "postgres://a@%2Frun%2Fpostgresql/d",
            "postgres:///d",
            "postgres://a:b@localhost:1/d",
            "postgres://127.0.0.1/d",
            "postgres://[::1]:5432/d",
            "postgres://remote/d?host=/run",
            "sqlite:data/registrar.db",
            "sqlite://data/registrar.db",
        ] {
            assert!(!is_unencrypted(url), "{url}");
        }
        let remote =
            ["postgres://a:b@db.example.com/d", "postgres://10.0.0.1:5/d", "postgres:///d?host=db"];
        for url in remote {
            assert_eq!(is_unencrypted(url), !HAS_TLS, "{url}");
        }
    }
}
