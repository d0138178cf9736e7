//! The pool of read connections.
//!
//! diesel's own connection manager would try each backend in turn and would not configure the
//! connections.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use diesel::ConnectionError;
use diesel::r2d2::{HandleError, ManageConnection, Pool, R2D2Connection};

use super::{AnyConnection, ConnectionRole, Database, connect, is_remote, ping};

/// Maximum time that a read waits for a connection.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(2);
/// Delay before a connection is opened after one more check failed than the pool has connections.
const MIN_RECONNECT_DELAY: Duration = Duration::from_millis(100);
/// Maximum delay before a connection is opened.
const MAX_RECONNECT_DELAY: Duration = Duration::from_secs(1);

/// A pool of read-only connections.
pub(crate) type ReadPool = Pool<ReadConnectionManager>;

/// Returns a pool that opens connections on demand.
pub(crate) fn read_pool(database: &Database, max_size: u32) -> ReadPool {
    Pool::builder()
        .max_size(max_size.max(1))
        .min_idle(Some(0))
        .connection_timeout(CONNECTION_TIMEOUT)
        .error_handler(Box::new(LogConnectionErrors(database.clone())))
        .build_unchecked(ReadConnectionManager {
            database: database.clone(),
            max_size: max_size.max(1),
            failed_checks: AtomicU32::new(0),
        })
}

/// Opens and checks the connections of a pool.
#[derive(Debug)]
pub(crate) struct ReadConnectionManager {
    database: Database,
    max_size: u32,
    /// Number of checks that failed since the last one that passed.
    failed_checks: AtomicU32,
}

impl ReadConnectionManager {
    /// Returns the delay before the next connection is opened. r2d2 replaces connections that fail their
    /// check at once; after all of them failed, the next one probably fails too.
    fn reconnect_delay(&self) -> Duration {
        match self.failed_checks.load(Ordering::Relaxed).saturating_sub(self.max_size) {
            0 => Duration::ZERO,
            n => MIN_RECONNECT_DELAY.saturating_mul(1 << n.min(5)).min(MAX_RECONNECT_DELAY),
        }
    }
}

impl ManageConnection for ReadConnectionManager {
    type Connection = AnyConnection;
    type Error = ConnectionError;

    fn connect(&self) -> Result<AnyConnection, ConnectionError> {
        thread::sleep(self.reconnect_delay());
        connect(&self.database.target, ConnectionRole::Reader)
    }

    fn is_valid(&self, conn: &mut AnyConnection) -> Result<(), ConnectionError> {
        if !is_remote(conn) {
            return Ok(());
        }
        let checked = ping(conn).map_err(ConnectionError::CouldntSetupConfiguration);
        match &checked {
            Ok(()) => self.failed_checks.store(0, Ordering::Relaxed),
            Err(_) => {
                self.failed_checks.fetch_add(1, Ordering::Relaxed);
            }
        }
        checked
    }

    fn has_broken(&self, conn: &mut AnyConnection) -> bool {
        conn.is_broken()
    }
}

/// Logs connection errors without the password that they may contain.
#[derive(Debug)]
struct LogConnectionErrors(Database);

impl HandleError<ConnectionError> for LogConnectionErrors {
    fn handle_error(&self, error: ConnectionError) {
        log::warn!("store: cannot connect to read: {}", self.0.redacted(&error));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reconnect_delay_grows_with_failed_checks() {
        let database = Database::parse("sqlite:x.db").unwrap();
        let manager =
            ReadConnectionManager { database, max_size: 4, failed_checks: AtomicU32::new(0) };
        let delays: Vec<u128> = (0..=9)
            .map(|failed_checks| {
                manager.failed_checks.store(failed_checks, Ordering::Relaxed);
                manager.reconnect_delay().as_millis()
            })
            .collect();
        assert_eq!(delays, [0, 0, 0, 0, 0, 200, 400, 800, 1000, 1000]);
    }
}
