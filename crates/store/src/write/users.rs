//! Deletes users, and prepares the rows of stored ones.

use diesel::QueryResult;
use diesel::dsl::max;
use diesel::sql_types::BigInt;
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use registrar_core::aggregate::{NewEntity, Records};
use uuid::Uuid;

use super::relationship_keys;
use super::requests::WriteResult;
use super::row_batch::RowBatch;
use crate::connection::AnyConnection;
use crate::error::WriteError;
use crate::sql::types::SqlUuid;
use crate::sql::{load, statement};
use crate::tables::counters::{IdCounts, PerTable, ReservedIds, reserve_ids};
use crate::tables::idempotency_records::delete_responses_of_user;
use crate::tables::unique_claims::delete_claims_of_owners;

/// Returns an empty batch for the records of a stored user, and the ids of the new ones.
pub(super) fn row_batch<'a>(
    conn: &mut AnyConnection,
    entity: &'a NewEntity,
    user_id: i64,
    at: i64,
) -> QueryResult<(RowBatch<'a>, ReservedIds)> {
    let mut counts = IdCounts::default();
    let records = entity.records();
    counts.add_records(&records);
    let ids = reserve_ids(conn, &counts)?;
    let positions = next_positions(conn, &records, user_id, &counts)?;
    let relationship_ids = relationship_keys::find_or_create(conn, [records])?;
    Ok((RowBatch::new(at, relationship_ids).with_positions(positions), ids))
}

/// Returns the positions after those of the stored rows, in the tables that get new ones.
fn next_positions(
    conn: &mut AnyConnection,
    records: &Records<'_>,
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
    let relationship_id = records.relationship_transactables.first().map(|new| new.relationship_id);
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
