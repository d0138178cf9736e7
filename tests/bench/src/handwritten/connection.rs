//! Database connection, configured like Registrar's writer connections.

use diesel::connection::SimpleConnection;
use diesel::r2d2::{ManageConnection, R2D2Connection};
use diesel::result::ConnectionResult;
use diesel::{Connection as _, ConnectionError, PgConnection, QueryResult, SqliteConnection};

use super::seller::{Outcome, Seller};
use super::{postgres, sqlite};

/// A connection to either database.
pub(super) enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Connection {
    /// Opens a connection with durable commits.
    pub(super) fn open(url: &str) -> ConnectionResult<Self> {
        let setup = ConnectionError::CouldntSetupConfiguration;
        let Some(path) = url.strip_prefix("sqlite:") else {
            return PgConnection::establish(url).map(Self::Postgres);
        };
        let mut conn = SqliteConnection::establish(path)?;
        conn.batch_execute(
            "PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; \
             PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL",
        )
        .map_err(setup)?;
        Ok(Self::Sqlite(conn))
    }

    /// Writes a non-empty batch in one transaction.
    pub(super) fn write(&mut self, sellers: &[&Seller]) -> QueryResult<Vec<Outcome>> {
        match self {
            Self::Sqlite(conn) => sqlite::write(conn, sellers),
            Self::Postgres(conn) => postgres::write(conn, sellers),
        }
    }
}

/// Connection manager of the pool.
#[derive(Debug)]
pub(super) struct Manager {
    pub(super) url: String,
}

impl ManageConnection for Manager {
    type Connection = Connection;
    type Error = ConnectionError;

    fn connect(&self) -> ConnectionResult<Connection> {
        Connection::open(&self.url)
    }

    fn is_valid(&self, _: &mut Connection) -> ConnectionResult<()> {
        Ok(())
    }

    fn has_broken(&self, conn: &mut Connection) -> bool {
        match conn {
            Connection::Sqlite(conn) => conn.is_broken(),
            Connection::Postgres(conn) => conn.is_broken(),
        }
    }
}
