//! Updates and deletes users.

use diesel::dsl::max;
use diesel::sql_types::BigInt;
use diesel::{ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl};
use uuid::Uuid;

use crate::claims::{StoredClaims, update_claims};
use crate::clock::now;
use crate::connection::AnyConnection;
use crate::dialect::statement;
use crate::error::{CreateError, WriteError};
use crate::idempotency;
use crate::ids::{IdCounts, PerTable, reserve_ids};
use crate::plan::RowBatch;
use crate::relationship_keys;
use crate::requests::UpdateUser;
use crate::tokens;
use crate::types::SqlUuid;
use crate::unique_claims::{claims_of_owner, delete_claims_of_owners};
use crate::update_sql::{update_user, upsert_password};
use crate::write_jobs::WriteResult;

pub(crate) fn update(conn: &mut AnyConnection, record: &UpdateUser) -> QueryResult<WriteResult> {
    let UpdateUser { id, uuid, lock_version, changed, .. } = record;
    let user = &changed.user;
    // It grows even where the clock does not.
    let at = now().max(lock_version.saturating_add(1));
    if !update_user(conn, user, *id, (*lock_version, at))? {
        return Ok(Err(WriteError::Conflict));
    }
    let held = claims_of_owner(conn, uuid)?;
    let stored = StoredClaims { held, released: Some(&changed.released) };
    let refusals = update_claims(conn, uuid, user, stored)?;
    if !refusals.is_empty() {
        return Ok(Err(CreateError::Refused(refusals).into()));
    }
    if let Some(phc) = &record.password_hash {
        upsert_password(conn, *id, phc, at)?;
        tokens::end_sessions(conn, *id, record.actor.token)?;
    }
    let mut counts = IdCounts::default();
    counts.add_records(user);
    let mut ids = reserve_ids(conn, &counts)?;
    let first = next_positions(conn, *id, &counts)?;
    let mut rows = RowBatch::after(at, first);
    rows.relationship_ids = relationship_keys::find_or_create(conn, [user])?;
    rows.add_records(user, *id, &mut ids)?;
    rows.insert(conn)?;
    let was_there = rows.updated.write(conn)?;
    Ok(if was_there { Ok(*id) } else { Err(WriteError::Conflict) })
}

/// The places after those of a user's rows, in the tables that get new ones.
pub(crate) fn next_positions(
    conn: &mut AnyConnection,
    user_id: i64,
    counts: &IdCounts,
) -> QueryResult<PerTable<i32>> {
    use crate::schema::{
        addresses, customizations, files, relationship_users, transactables, user_profiles,
    };
    macro_rules! after {
        ($table:ident, $count:expr) => {
            if $count == 0 {
                0
            } else {
                let rows = $table::table.filter($table::user_id.eq(user_id));
                let last: Option<i32> = rows.select(max($table::position)).first(conn)?;
                last.map_or(0, |last| last.saturating_add(1))
            }
        };
    }
    Ok(PerTable {
        profiles: after!(user_profiles, counts.profiles),
        transactables: after!(transactables, counts.transactables),
        relationship_users: after!(relationship_users, counts.relationship_users),
        customizations: after!(customizations, counts.customizations),
        addresses: after!(addresses, counts.addresses),
        files: after!(files, counts.files),
        ..PerTable::default()
    })
}

statement! {
    DeleteUser<'a> -> SqlUuid:
    "DELETE FROM users WHERE id = " { id: &'a i64 as BigInt } " RETURNING uuid"
}

/// Deletes a user; the foreign keys take what hangs on it along.
pub(crate) fn delete(conn: &mut AnyConnection, id: i64) -> QueryResult<WriteResult> {
    let delete = DeleteUser { id: &id };
    let gone: Vec<Uuid> = match conn {
        AnyConnection::Sqlite(conn) => delete.load(conn)?,
        AnyConnection::Postgres(conn) => delete.load(conn)?,
    };
    if gone.is_empty() {
        return Ok(Err(WriteError::NotFound));
    }
    delete_claims_of_owners(conn, &gone)?;
    idempotency::delete_of_user(conn, id)?;
    Ok(Ok(id))
}
