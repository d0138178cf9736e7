//! The pool of connections that reads share.
//!
//! Our own manager: diesel's would try each database in turn, and would not set ours up.

use std::time::Duration;

use diesel::ConnectionError;
use diesel::r2d2::{HandleError, ManageConnection, Pool, R2D2Connection};

use crate::connection::AnyConnection;
use crate::dialect::{self, Role};
use crate::settings::Database;

/// How long a read waits for a connection.
const PATIENCE: Duration = Duration::from_secs(2);

/// A pool of connections that cannot write.
pub(crate) type Readers = Pool<Manager>;

/// Makes the pool; connections are opened as they are needed.
pub(crate) fn readers(database: &Database, most: u32) -> Readers {
    Pool::builder()
        .max_size(most.max(1))
        .min_idle(Some(0))
        .connection_timeout(PATIENCE)
        .error_handler(Box::new(Log(database.clone())))
        .build_unchecked(Manager(database.clone()))
}

/// Opens and judges the pool's connections.
#[derive(Debug)]
pub(crate) struct Manager(Database);

impl ManageConnection for Manager {
    type Connection = AnyConnection;
    type Error = ConnectionError;

    fn connect(&self) -> Result<AnyConnection, ConnectionError> {
        dialect::connect(&self.0.target, Role::Reader)
    }

    fn is_valid(&self, conn: &mut AnyConnection) -> Result<(), ConnectionError> {
        if dialect::is_remote(conn) {
            return conn.ping().map_err(ConnectionError::CouldntSetupConfiguration);
        }
        Ok(())
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
