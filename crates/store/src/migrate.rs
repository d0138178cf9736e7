//! The migrations: which there are, which a database has, and applying those it lacks.

use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::sqlite::Sqlite;
use diesel::{QueryDsl, QueryResult, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::connection::AnyConnection;
use crate::dialect::{self, Role};
use crate::error::OpenError;
use crate::settings::{Database, Target};

const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

diesel::table! {
    __diesel_schema_migrations (version) {
        version -> Text,
    }
}

/// The names of the migrations that the database at `url` lacks, in their order. It changes
/// nothing, and makes no database.
///
/// # Errors
/// [`OpenError::NewerSchema`] when the database has migrations this program does not know;
/// otherwise those of an URL that names no database, or of a database that lets nobody in.
pub fn pending(url: &str) -> Result<Vec<String>, OpenError> {
    lacking(&Database::parse(url)?)
}

/// The same, of a database whose URL is read already.
pub(crate) fn lacking(database: &Database) -> Result<Vec<String>, OpenError> {
    if let Target::Sqlite(path) = &database.target
        && !path.exists()
    {
        return Ok(known(&database.target)?.into_iter().map(|(_, name)| name).collect());
    }
    let mut conn = dialect::connect(&database.target, Role::Reader)
        .map_err(|error| database.refused(&error))?;
    missing_alone(&mut conn, &database.target)
}

/// Applies the migrations that the database at `url` lacks; makes the file of a SQLite database
/// where there is none. Gives the names of those it applied. Of two that migrate at once, one
/// does it.
///
/// # Errors
/// [`OpenError::Migrate`] when a migration fails (none of them is applied then), and those of
/// [`pending`].
pub fn migrate(url: &str) -> Result<Vec<String>, OpenError> {
    apply(&Database::parse(url)?)
}

pub(crate) fn apply(database: &Database) -> Result<Vec<String>, OpenError> {
    dialect::create_file(&database.target)?;
    let mut writer = dialect::connect_to_write(&database.target, Role::Migrator)
        .map_err(|error| database.refused(&error))?;
    if missing_alone(&mut writer.conn, &database.target)?.is_empty() {
        return Ok(Vec::new());
    }
    dialect::begin_write(&mut writer).map_err(failed)?;
    let conn = &mut writer.conn;
    let applied = apply_locked(conn, &database.target);
    let ended = match applied {
        Ok(_) => dialect::commit(conn),
        Err(_) => dialect::rollback(conn),
    };
    let applied = applied?;
    ended.map_err(failed)?;
    for name in &applied {
        log::info!("store: applied the migration {name}");
    }
    Ok(applied)
}

fn apply_locked(conn: &mut AnyConnection, target: &Target) -> Result<Vec<String>, OpenError> {
    dialect::lock_migrations(conn).map_err(failed)?;
    // Somebody else may have applied them while we waited for the lock.
    let names = missing(conn, target)?;
    let outcome = match conn {
        AnyConnection::Sqlite(conn) => conn.run_pending_migrations(SQLITE).map(drop),
        AnyConnection::Postgres(conn) => conn.run_pending_migrations(POSTGRES).map(drop),
    };
    outcome.map_err(|error| OpenError::Migrate { reason: error.to_string() })?;
    Ok(names)
}

/// The names of the migrations a database lacks, read in a transaction of its own.
fn missing_alone(conn: &mut AnyConnection, target: &Target) -> Result<Vec<String>, OpenError> {
    let mut names = Ok(Vec::new());
    let read = dialect::read(conn, |conn| {
        names = missing(conn, target);
        Ok(())
    });
    names.and_then(|names| read.map(|()| names).map_err(failed))
}

/// Returns whether a database has no tables of Registrar's.
pub(crate) fn is_empty(database: &Database) -> Result<bool, OpenError> {
    let mut conn = dialect::connect(&database.target, Role::Reader)
        .map_err(|error| database.refused(&error))?;
    dialect::read(&mut conn, dialect::was_migrated).map(|was| !was).map_err(failed)
}

/// The names of the migrations a database lacks, within a transaction.
pub(crate) fn missing(conn: &mut AnyConnection, target: &Target) -> Result<Vec<String>, OpenError> {
    let applied = applied(conn).map_err(failed)?;
    let known = known(target)?;
    let is_known = |version: &String| known.iter().any(|(known, _)| known == version);
    let versions: Vec<String> =
        applied.iter().filter(|version| !is_known(version)).cloned().collect();
    if !versions.is_empty() {
        return Err(OpenError::NewerSchema { versions });
    }
    let lacks = |version: &String| !applied.contains(version);
    Ok(known.into_iter().filter(|(version, _)| lacks(version)).map(|(_, name)| name).collect())
}

/// Returns whether these are the names of all migrations, so that the database had no tables.
pub(crate) fn is_all(names: &[String], database: &Database) -> Result<bool, OpenError> {
    Ok(names.len() == known(&database.target)?.len())
}

/// The versions and names of all migrations, in their order.
fn known(target: &Target) -> Result<Vec<(String, String)>, OpenError> {
    let listed = match target {
        Target::Sqlite(_) => MigrationSource::<Sqlite>::migrations(&SQLITE).map(named),
        Target::Postgres { .. } => MigrationSource::<Pg>::migrations(&POSTGRES).map(named),
    };
    let mut known = listed.map_err(|error| OpenError::Migrate { reason: error.to_string() })?;
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

/// The versions of the migrations a database has.
fn applied(conn: &mut AnyConnection) -> QueryResult<Vec<String>> {
    if !dialect::was_migrated(conn)? {
        return Ok(Vec::new());
    }
    __diesel_schema_migrations::table
        .select(__diesel_schema_migrations::version)
        .order(__diesel_schema_migrations::version)
        .load(conn)
}

fn failed(error: diesel::result::Error) -> OpenError {
    OpenError::Migrate { reason: format!("{error}{}", dialect::pooler_hint(&error)) }
}
