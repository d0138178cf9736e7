//! Schema migrations.

use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::sql_types::Bool;
use diesel::sqlite::Sqlite;
use diesel::{QueryDsl, QueryResult, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::error_kind::pooler_hint;
use super::transaction::begin_write;
use super::{
    AnyConnection, ConnectionRole, Database, DatabaseTarget, claim_backfill, commit, connect,
    connect_to_write, read, rollback, sqlite,
};
use crate::error::OpenError;

const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

diesel::table! {
    __diesel_schema_migrations (version) {
        version -> Text,
    }
}

/// Returns the names of the pending migrations of the database at `url`, in their order. Creates and
/// changes nothing.
///
/// # Errors
/// Returns [`OpenError::NewerSchema`] if the database has unknown migrations, or an error if the URL is
/// invalid or the database cannot be reached.
pub fn pending(url: &str) -> Result<Vec<String>, OpenError> {
    pending_of(&Database::parse(url)?)
}

/// Returns the names of the pending migrations of a database; see [`pending`].
pub(crate) fn pending_of(database: &Database) -> Result<Vec<String>, OpenError> {
    if let DatabaseTarget::Sqlite(path) = &database.target
        && !path.exists()
    {
        return Ok(all_migrations(&database.target)?.into_iter().map(|(_, name)| name).collect());
    }
    let mut conn = connect(&database.target, ConnectionRole::Reader)
        .map_err(|error| database.connect_error(&error))?;
    read_pending(&mut conn, &database.target)
}

/// Applies the pending migrations of the database at `url` and returns their names. Creates the file
/// of a SQLite database if it is missing. Concurrent calls wait for each other.
///
/// # Errors
/// Returns [`OpenError::Migrate`] if a migration fails, in which case none is applied, and the errors
/// of [`pending`].
pub fn migrate(url: &str) -> Result<Vec<String>, OpenError> {
    apply(&Database::parse(url)?)
}

pub(crate) fn apply(database: &Database) -> Result<Vec<String>, OpenError> {
    if let DatabaseTarget::Sqlite(path) = &database.target {
        sqlite::create_file(path)?;
    }
    let mut writer = connect_to_write(&database.target, ConnectionRole::Migrator)
        .map_err(|error| database.connect_error(&error))?;
    if read_pending(&mut writer.conn, &database.target)?.is_empty() {
        return Ok(Vec::new());
    }
    begin_write(&mut writer).map_err(failed)?;
    let conn = &mut writer.conn;
    let applied = apply_locked(conn, &database.target);
    let ended = match applied {
        Ok(_) => commit(conn),
        Err(_) => rollback(conn),
    };
    let applied = applied?;
    ended.map_err(failed)?;
    for name in &applied {
        log::info!("store: applied the migration {name}");
    }
    Ok(applied)
}

fn apply_locked(
    conn: &mut AnyConnection,
    target: &DatabaseTarget,
) -> Result<Vec<String>, OpenError> {
    lock_migrations(conn).map_err(failed)?;
    // Another process may have applied them before this one got the lock.
    let names = pending_in(conn, target)?;
    let outcome = match conn {
        AnyConnection::Sqlite(conn) => conn.run_pending_migrations(SQLITE).map(drop),
        AnyConnection::Postgres(conn) => conn.run_pending_migrations(POSTGRES).map(drop),
    };
    outcome.map_err(|error| OpenError::Migrate { reason: error.to_string() })?;
    if names.iter().any(|name| name.starts_with("0008")) {
        claim_backfill::run(conn).map_err(failed)?;
    }
    Ok(names)
}

/// Returns the names of the pending migrations, read in a transaction of its own.
fn read_pending(
    conn: &mut AnyConnection,
    target: &DatabaseTarget,
) -> Result<Vec<String>, OpenError> {
    let mut names = Ok(Vec::new());
    let read = read(conn, |conn| {
        names = pending_in(conn, target);
        Ok(())
    });
    names.and_then(|names| read.map(|()| names).map_err(failed))
}

/// Returns whether no migration was ever applied.
pub(crate) fn is_empty(database: &Database) -> Result<bool, OpenError> {
    let mut conn = connect(&database.target, ConnectionRole::Reader)
        .map_err(|error| database.connect_error(&error))?;
    read(&mut conn, was_migrated).map(|was| !was).map_err(failed)
}

/// Returns the names of the pending migrations, read in the current transaction.
fn pending_in(conn: &mut AnyConnection, target: &DatabaseTarget) -> Result<Vec<String>, OpenError> {
    let applied = applied(conn).map_err(failed)?;
    let known = all_migrations(target)?;
    let is_known = |version: &String| known.iter().any(|(known, _)| known == version);
    let versions: Vec<String> =
        applied.iter().filter(|version| !is_known(version)).cloned().collect();
    if !versions.is_empty() {
        return Err(OpenError::NewerSchema { versions });
    }
    let pending = known.into_iter().filter(|(version, _)| !applied.contains(version));
    Ok(pending.map(|(_, name)| name).collect())
}

/// Returns whether `names` are the names of all migrations, that is, whether the database was empty.
pub(crate) fn is_complete_set(names: &[String], database: &Database) -> Result<bool, OpenError> {
    Ok(names.len() == all_migrations(&database.target)?.len())
}

/// Returns the versions and names of all migrations in their order.
fn all_migrations(target: &DatabaseTarget) -> Result<Vec<(String, String)>, OpenError> {
    let migrations = match target {
        DatabaseTarget::Sqlite(_) => MigrationSource::<Sqlite>::migrations(&SQLITE).map(named),
        DatabaseTarget::Postgres { .. } => MigrationSource::<Pg>::migrations(&POSTGRES).map(named),
    };
    let mut known = migrations.map_err(|error| OpenError::Migrate { reason: error.to_string() })?;
    known.sort();
    Ok(known)
}

fn named<DB: diesel::backend::Backend>(
    migrations: Vec<Box<dyn Migration<DB>>>,
) -> Vec<(String, String)> {
    migrations
        .iter()
        .map(|migration| (migration.name().version().to_string(), migration.name().to_string()))
        .collect()
}

/// Returns the versions of the applied migrations.
fn applied(conn: &mut AnyConnection) -> QueryResult<Vec<String>> {
    if !was_migrated(conn)? {
        return Ok(Vec::new());
    }
    __diesel_schema_migrations::table
        .select(__diesel_schema_migrations::version)
        .order(__diesel_schema_migrations::version)
        .load(conn)
}

/// Makes other processes that migrate wait until the current transaction ends.
fn lock_migrations(conn: &mut AnyConnection) -> QueryResult<()> {
    match conn {
        // BEGIN IMMEDIATE has locked the database.
        AnyConnection::Sqlite(_) => Ok(()),
        // The number is "registrar" in base 36.
        AnyConnection::Postgres(conn) => {
            conn.batch_execute("SELECT pg_advisory_xact_lock(77303031124851)")
        }
    }
}

/// Returns whether any migration was ever applied.
fn was_migrated(conn: &mut AnyConnection) -> QueryResult<bool> {
    use diesel::dsl::{select, sql};
    match conn {
        AnyConnection::Sqlite(conn) => select(sql::<Bool>(
            "EXISTS (SELECT 1 FROM sqlite_master WHERE name = '__diesel_schema_migrations')",
        ))
        .get_result(conn),
        AnyConnection::Postgres(conn) => {
            select(sql::<Bool>("to_regclass('__diesel_schema_migrations') IS NOT NULL"))
                .get_result(conn)
        }
    }
}

fn failed(error: diesel::result::Error) -> OpenError {
    OpenError::Migrate { reason: format!("{error}{}", pooler_hint(&error)) }
}
