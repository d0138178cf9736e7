//! Limit of open files, which bounds the number of connections.

use registrar_server::settings::Settings;

/// Open files besides connections and the database: configuration files, listeners, standard streams.
const RESERVED_FILES: u64 = 64;
/// Open files per SQLite connection: database, write-ahead log, shared memory.
const FILES_PER_CONNECTION: u64 = 3;

/// Raises the limit of open files to the maximum. Returns a warning if it is too low for the settings.
#[cfg(unix)]
pub(crate) fn raise(settings: &Settings) -> Option<String> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    let is_raised = limit.current != limit.maximum && setrlimit(Resource::Nofile, raised).is_ok();
    let limit = if is_raised { limit.maximum } else { limit.current };
    limit.and_then(|limit| warning(settings, limit))
}

/// Does nothing: this platform has no such limit.
#[cfg(not(unix))]
pub(crate) fn raise(_: &Settings) -> Option<String> {
    None
}

/// Returns a warning if `limit` open files are too few for the settings.
fn warning(settings: &Settings, limit: u64) -> Option<String> {
    let connections = u64::try_from(settings.connections).unwrap_or(u64::MAX);
    let database = u64::from(settings.readers.saturating_add(settings.writers).saturating_add(1));
    let needed =
        connections.saturating_add(database * FILES_PER_CONNECTION).saturating_add(RESERVED_FILES);
    (limit < needed).then(|| {
        format!(
            "registrar: the limit of open files is {limit}, but {connections} connections need {needed}: \
 raise the limit (`ulimit -n`, or `LimitNOFILE=` of systemd) or lower `connections`"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warns_if_open_file_limit_is_too_low() {
        let settings = Settings { connections: 1000, ..Settings::default() };
        let text = warning(&settings, 1024).unwrap();
        assert!(text.contains("open files is 1024") && text.contains("1000 connections"), "{text}");
        assert_eq!(warning(&settings, 2000), None);
    }
}
