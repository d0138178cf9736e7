//! The limit of open files: each connection is one.

use registrar_server::settings::Settings;

use crate::say;

/// Files that are open besides connections and the database: forms that are read, listeners, streams.
const BESIDE: u64 = 64;
/// Open files of each connection to SQLite: the database, its log, its index.
const OF_DATABASE: u64 = 3;

/// Raises the limit of open files as far as the process may, and warns where it stays below what the
/// settings need.
#[cfg(unix)]
pub(crate) fn raise(settings: &Settings) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    let is_raised = limit.current != limit.maximum && setrlimit(Resource::Nofile, raised).is_ok();
    let most = if is_raised { limit.maximum } else { limit.current };
    if let Some(text) = most.and_then(|most| warning(settings, most)) {
        say(&text);
    }
}

/// Does nothing: other systems have no such limit.
#[cfg(not(unix))]
pub(crate) fn raise(_: &Settings) {}

/// Returns a warning where a limit of `most` open files is too low for the settings.
fn warning(settings: &Settings, most: u64) -> Option<String> {
    let connections = u64::try_from(settings.connections).unwrap_or(u64::MAX);
    let database = u64::from(settings.readers.saturating_add(settings.writers).saturating_add(1));
    let needed = connections.saturating_add(database * OF_DATABASE).saturating_add(BESIDE);
    (most < needed).then(|| {
        format!(
            "registrar: the process may have {most} files open, and {connections} connections need \
             {needed}: raise the limit (`ulimit -n`, or `LimitNOFILE=` of systemd), or lower \
             `connections`"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_is_too_low_is_told_with_what_is_needed() {
        let settings = Settings { connections: 1000, ..Settings::default() };
        let said = warning(&settings, 1024).unwrap();
        assert!(
            said.contains("may have 1024 files") && said.contains("1000 connections"),
            "{said}"
        );
        assert_eq!(warning(&settings, 2000), None);
    }
}
