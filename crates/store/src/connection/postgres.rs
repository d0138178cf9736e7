//! Opens PostgreSQL connections.

use diesel::connection::CacheSize;
use diesel::sql_types::Bool;
use diesel::{Connection, ConnectionError, PgConnection, QueryResult, RunQueryDsl};

use super::{ConnectionRole, LOCK_TIMEOUT};

pub(super) fn connect(url: &str, is_prepared: bool) -> Result<PgConnection, ConnectionError> {
    let mut conn = PgConnection::establish(&with_timeouts(url))?;
    if !is_prepared {
        conn.set_prepared_statement_cache_size(CacheSize::Disabled);
    }
    Ok(conn)
}

/// Returns the statements that begin a write transaction.
pub(super) fn begin_write(
    conn: &mut PgConnection,
    role: ConnectionRole,
) -> Result<String, ConnectionError> {
    let mut begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE".to_owned();
    if role == ConnectionRole::Writer {
        begin.push_str(&format!("; SET LOCAL lock_timeout = {}", LOCK_TIMEOUT.as_millis()));
    }
    // Commits must be durable, whatever the default of the server is.
    if is_asynchronous(conn).map_err(ConnectionError::CouldntSetupConfiguration)? {
        begin.push_str("; SET LOCAL synchronous_commit = on");
    }
    Ok(begin)
}

/// Returns whether the server answers a `COMMIT` before it is on disk.
fn is_asynchronous(conn: &mut PgConnection) -> QueryResult<bool> {
    use diesel::dsl::{select, sql};
    // Not cached, so that it is one message to the server and works behind a pooler.
    select(sql::<Bool>("current_setting('synchronous_commit') = 'off'")).get_result(conn)
}

/// Adds timeouts to a URL that does not set them, so that a lost server does not block for minutes.
fn with_timeouts(url: &str) -> String {
    let mut url = url.to_owned();
    for (name, value) in [
        ("connect_timeout", "2"),      // seconds; the minimum of libpq
        ("tcp_user_timeout", "10000"), // milliseconds
        // While a reply is awaited, nothing is sent that could time out: probe the server after 10
        // seconds instead of the system's two hours.
        ("keepalives_idle", "10"),    // seconds
        ("keepalives_interval", "5"), // seconds
        ("keepalives_count", "3"),
        ("fallback_application_name", "registrar"),
    ] {
        if !url.contains(&format!("{name}=")) {
            let separator = if url.contains('?') { '&' } else { '?' };
            url = format!("{url}{separator}{name}={value}");
        }
    }
    url
}
