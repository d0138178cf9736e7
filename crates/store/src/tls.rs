//! Whether this build can encrypt connections to PostgreSQL, and the URLs that demand it.

use crate::error::OpenError;

/// Whether libpq has TLS. The system's library is assumed to; otherwise it reports that itself.
const HAS_TLS: bool = cfg!(any(feature = "tls", not(feature = "bundled-libpq")));

/// Parameters that have a meaning with TLS only. A libpq without TLS ignores most of them.
const OF_TLS: [&str; 6] =
    ["sslrootcert", "sslcert", "sslkey", "sslcrl", "sslcrldir", "sslnegotiation"];

/// Refuses a URL that demands TLS of a build without it. libpq's environment counts too.
pub(crate) fn check(url: &str) -> Result<(), OpenError> {
    if HAS_TLS {
        return Ok(());
    }
    let mode = std::env::var("PGSSLMODE").ok();
    demand(url, mode.as_deref()).map_or(Ok(()), |demand| Err(OpenError::NoTls { demand }))
}

/// Returns what in a URL demands TLS.
fn demand(url: &str, usual_mode: Option<&str>) -> Option<String> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let parameters = || query.split('&').filter_map(|pair| pair.split_once('='));
    if let Some((name, _)) = parameters().find(|(name, _)| OF_TLS.contains(name)) {
        return Some(name.to_owned());
    }
    let mode = parameters().find(|(name, _)| *name == "sslmode").map(|(_, mode)| mode);
    let is_demanded = |mode: &&str| ["require", "verify-ca", "verify-full"].contains(mode);
    mode.or(usual_mode).filter(is_demanded).map(|mode| format!("sslmode={mode}"))
}

/// Returns whether the PostgreSQL that a URL leads to is reached over a network without TLS.
pub(crate) fn is_in_clear(url: &str) -> bool {
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
    fn a_url_demands_tls_by_its_mode_or_by_certificates() {
        for (url, demanded) in [
            ("postgres://h/d", None),
            ("postgres://h/d?sslmode=prefer", None),
            ("postgres://h/d?sslmode=disable", None),
            ("postgres://h/d?sslmode=require", Some("sslmode=require")),
            ("postgres://h/d?a=b&sslmode=verify-full", Some("sslmode=verify-full")),
            ("postgres://h/d?sslrootcert=/ca.pem", Some("sslrootcert")),
        ] {
            assert_eq!(demand(url, None).as_deref(), demanded, "{url}");
        }
        assert_eq!(demand("postgres://h/d", Some("require")).as_deref(), Some("sslmode=require"));
        assert_eq!(demand("postgres://h/d?sslmode=disable", Some("require")), None);
    }

    #[test]
    fn what_is_on_this_machine_needs_no_tls() {
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
            assert!(!is_in_clear(url), "{url}");
        }
        let remote =
            ["postgres://a:b@db.example.com/d", "postgres://10.0.0.1:5/d", "postgres:///d?host=db"];
        for url in remote {
            assert_eq!(is_in_clear(url), !HAS_TLS, "{url}");
        }
    }
}
