//! The pool of connections that reads share.
//!
//! Our own manager: diesel's would try each database in turn, and would not set ours up.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use diesel::ConnectionError;
use diesel::r2d2::{HandleError, ManageConnection, Pool, R2D2Connection};

use crate::connection::AnyConnection;
use crate::dialect::{self, Role};
use crate::settings::Database;

/// How long a read waits for a connection.
const PATIENCE: Duration = Duration::from_secs(2);
/// The unit of the pause before a connection is opened after others failed their check.
const PAUSE: Duration = Duration::from_millis(100);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A pool of connections that cannot write.
pub(crate) type Readers = Pool<Manager>;

/// Makes the pool; connections are opened as they are needed.
pub(crate) fn readers(database: &Database, most: u32) -> Readers {
    Pool::builder()
        .max_size(most.max(1))
        .min_idle(Some(0))
        .connection_timeout(PATIENCE)
        .error_handler(Box::new(Log(database.clone())))
        .build_unchecked(Manager {
            database: database.clone(),
            most: most.max(1),
            useless: AtomicU32::new(0),
        })
}

/// Opens and judges the pool's connections.
#[derive(Debug)]
pub(crate) struct Manager {
    database: Database,
    /// How many connections the pool has at most.
    most: u32,
    /// How many connections failed their check since the last one that passed it.
    useless: AtomicU32,
}

impl Manager {
    /// Returns how long to wait before another connection is opened. r2d2 replaces each connection that
    /// fails its check at once; where all of them failed, the next one probably fails too.
    fn pause(&self) -> Duration {
        let more = self.useless.load(Ordering::Relaxed).saturating_sub(self.most);
        match more {
            0 => Duration::ZERO,
            more => PAUSE.saturating_mul(1 << more.min(5)).min(LONGEST_PAUSE),
        }
    }
}

impl ManageConnection for Manager {
    type Connection = AnyConnection;
    type Error = ConnectionError;

    fn connect(&self) -> Result<AnyConnection, ConnectionError> {
        thread::sleep(self.pause());
        dialect::connect(&self.database.target, Role::Reader)
    }

    fn is_valid(&self, conn: &mut AnyConnection) -> Result<(), ConnectionError> {
        if !dialect::is_remote(conn) {
            return Ok(());
        }
        let checked = dialect::ping(conn).map_err(ConnectionError::CouldntSetupConfiguration);
        match &checked {
            Ok(()) => self.useless.store(0, Ordering::Relaxed),
            Err(_) => {
                self.useless.fetch_add(1, Ordering::Relaxed);
            }
        }
        checked
    }

    fn has_broken(&self, conn: &mut AnyConnection) -> bool {
        conn.is_broken()
    }
}

/// Logs why connecting fails, without the password that the message may hold.
#[derive(Debug)]
struct Log(Database);

impl HandleError<ConnectionError> for Log {
    fn handle_error(&self, error: ConnectionError) {
        log::warn!("store: cannot connect to read: {}", self.0.redacted(&error));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_that_are_of_no_use_are_opened_less_and_less_often() {
        let database = Database::parse("sqlite:x.db").unwrap();
        let manager = Manager { database, most: 4, useless: AtomicU32::new(0) };
        let pauses: Vec<u128> = (0..=9)
            .map(|useless| {
                manager.useless.store(useless, Ordering::Relaxed);
                manager.pause().as_millis()
            })
            .collect();
        assert_eq!(pauses, [0, 0, 0, 0, 0, 200, 400, 800, 1000, 1000]);
    }
}
