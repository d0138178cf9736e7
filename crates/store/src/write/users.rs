//! Updates and deletes users.

use diesel::QueryResult;
use diesel::dsl::max;
use diesel::sql_types::BigInt;
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use registrar_core::aggregate::NewUser;
use uuid::Uuid;

use super::claims::{StoredClaims, update_claims};
use super::relationship_keys;
use super::requests::{UpdateUser, WriteResult};
use super::row_batch::RowBatch;
use crate::connection::AnyConnection;
use crate::error::{CreateError, WriteError};
use crate::sql::types::SqlUuid;
use crate::sql::{load, statement};
use crate::tables::api_tokens::end_sessions;
use crate::tables::counters::{IdCounts, PerTable, ReservedIds, reserve_ids};
use crate::tables::idempotency_records::delete_responses_of_user;
use crate::tables::password_credentials::upsert_password;
use crate::tables::unique_claims::{claims_of_owner, delete_claims_of_owners};
use crate::tables::users::{next_version, touch_user};

/// Updates a user and returns its id.
pub(super) fn update(conn: &mut AnyConnection, request: &UpdateUser) -> QueryResult<WriteResult> {
    let UpdateUser { id, uuid, lock_version, changed, .. } = request;
    let user = &changed.user;
    let at = next_version(*lock_version);
    if touch_user(conn, *id, Some((*lock_version, at)))?.is_none() {
        return Ok(Err(WriteError::Conflict));
    }
    let held = claims_of_owner(conn, uuid)?;
    let stored = StoredClaims { held, released: Some(&changed.released) };
    let refusals = update_claims(conn, uuid, user, stored)?;
    if !refusals.is_empty() {
        return Ok(Err(CreateError::Refused(refusals).into()));
    }
    if let Some(phc) = &request.password_hash {
        upsert_password(conn, *id, phc, at)?;
        end_sessions(conn, *id, request.actor.token)?;
    }
    let (mut rows, mut ids) = row_batch(conn, user, *id, at)?;
    rows.add_stored_user(user, (*id, *uuid), &mut ids)?;
    Ok(if rows.write(conn)? { Ok(*id) } else { Err(WriteError::Conflict) })
}

/// Returns an empty batch for the records of a stored user, and the ids of the new ones.
pub(super) fn row_batch<'a>(
    conn: &mut AnyConnection,
    user: &'a NewUser,
    user_id: i64,
    at: i64,
) -> QueryResult<(RowBatch<'a>, ReservedIds)> {
    let mut counts = IdCounts::default();
    counts.add_records(user);
    let ids = reserve_ids(conn, &counts)?;
    let positions = next_positions(conn, user, user_id, &counts)?;
    let relationship_ids = relationship_keys::find_or_create(conn, [user])?;
    Ok((RowBatch::new(at, relationship_ids).with_positions(positions), ids))
}

/// Returns the positions after those of the stored rows, in the tables that get new ones.
fn next_positions(
    conn: &mut AnyConnection,
    user: &NewUser,
    user_id: i64,
    counts: &IdCounts,
) -> QueryResult<PerTable<i32>> {
    use crate::tables::schema::{
        addresses, customizations, files, relationship_transactables, relationship_users,
        transactables, user_profiles,
    };
    macro_rules! after {
        ($table:ident, $count:expr, $column:ident = $id:expr) => {
            if $count == 0 {
                0
            } else {
                let rows = $table::table.filter($table::$column.eq($id));
                let last: Option<i32> = rows.select(max($table::position)).first(conn)?;
                last.map_or(0, |last| last.saturating_add(1))
            }
        };
    }
    let relationship_id = user.relationship_transactables.first().map(|new| new.relationship_id);
    Ok(PerTable {
        profiles: after!(user_profiles, counts.profiles, user_id = user_id),
        transactables: after!(transactables, counts.transactables, user_id = user_id),
        relationship_users: after!(
            relationship_users,
            counts.relationship_users,
            user_id = user_id
        ),
        relationship_transactables: after!(
            relationship_transactables,
            counts.relationship_transactables,
            relationship_id = relationship_id.unwrap_or_default()
        ),
        customizations: after!(customizations, counts.customizations, user_id = user_id),
        addresses: after!(addresses, counts.addresses, user_id = user_id),
        files: after!(files, counts.files, user_id = user_id),
        ..PerTable::default()
    })
}

statement! {
    DeleteUser<'a> -> SqlUuid:
    "DELETE FROM users WHERE id = " { id: &'a i64 as BigInt } " RETURNING uuid"
}

/// Deletes a user; foreign keys delete its records.
pub(super) fn delete(conn: &mut AnyConnection, id: i64) -> QueryResult<WriteResult> {
    let deleted = load!(conn, DeleteUser { id: &id } => Uuid)?;
    if deleted.is_empty() {
        return Ok(Err(WriteError::NotFound));
    }
    delete_claims_of_owners(conn, &deleted)?;
    delete_responses_of_user(conn, id)?;
    Ok(Ok(id))
}
