//! Whose a record is, and that user's row, which is written first.

use diesel::sql_types::BigInt;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl};
use registrar_core::aggregate::ReferenceTarget;
use uuid::Uuid;

use super::{CreateRecord, RecordKind};
use crate::clock::now;
use crate::connection::AnyConnection;
use crate::dialect::statement;
use crate::schema::{
    customizations, relationship_transactables, relationship_users, relationships, transactables,
    user_profiles,
};
use crate::types::{SqlTimestamp, SqlUuid};

/// The user that a new record shall belong to, where that is known; of a relationship nobody.
pub(crate) fn owner_of_new(
    conn: &mut AnyConnection,
    record: &CreateRecord,
) -> QueryResult<Option<i64>> {
    let bag = &record.bag;
    if !bag.relationships.is_empty() {
        return Ok(None);
    }
    match (&bag.customizable, bag.relationship_transactables.first()) {
        (_, Some(listed)) => owner_of(conn, RecordKind::Transactable, listed.transactable_id),
        (Some(at), _) => owner_of_customizable(conn, at.resource, at.id),
        (None, None) => Ok(bag.owner.or(record.owner)),
    }
}

/// The user that a record belongs to; nothing where there is no such record. Relationships are
/// nobody's.
pub(crate) fn owner_of(
    conn: &mut AnyConnection,
    kind: RecordKind,
    id: i64,
) -> QueryResult<Option<i64>> {
    macro_rules! user_id {
        ($table:ident) => {
            $table::table.filter($table::id.eq(id)).select($table::user_id).first(conn).optional()
        };
    }
    match kind {
        RecordKind::Transactable => user_id!(transactables),
        RecordKind::RelationshipUser => user_id!(relationship_users),
        RecordKind::Customization => user_id!(customizations),
        RecordKind::RelationshipTransactable => relationship_transactables::table
            .inner_join(transactables::table)
            .filter(relationship_transactables::id.eq(id))
            .select(transactables::user_id)
            .first(conn)
            .optional(),
        RecordKind::Relationship => Ok(None),
    }
}

/// Returns the user who created a relationship, or `None` where nobody did or there is none.
pub(crate) fn creator_of(conn: &mut AnyConnection, id: i64) -> QueryResult<Option<i64>> {
    let creator = relationships::table.filter(relationships::id.eq(id));
    Ok(creator.select(relationships::creator_id).first(conn).optional()?.flatten())
}

/// The user at whose root something stands that a customization can hang on.
fn owner_of_customizable(
    conn: &mut AnyConnection,
    resource: ReferenceTarget,
    id: i64,
) -> QueryResult<Option<i64>> {
    match resource {
        ReferenceTarget::User => Ok(Some(id)),
        ReferenceTarget::Profile => user_profiles::table
            .filter(user_profiles::id.eq(id))
            .select(user_profiles::user_id)
            .first(conn)
            .optional(),
        ReferenceTarget::Transactable => owner_of(conn, RecordKind::Transactable, id),
        ReferenceTarget::Customization => owner_of(conn, RecordKind::Customization, id),
        ReferenceTarget::Relationship => Ok(None),
    }
}

statement! {
    TouchLoaded<'a> -> SqlUuid:
    "UPDATE users SET updated_at = " { at: &'a i64 as SqlTimestamp }
    " WHERE id = " { id: &'a i64 as BigInt }
    " AND updated_at = " { lock_version: &'a i64 as SqlTimestamp }
    " RETURNING uuid"
}

statement! {
    TouchOnSqlite<'a> -> SqlUuid:
    "UPDATE users SET updated_at = max(updated_at + 1, " { at: &'a i64 as SqlTimestamp }
    ") WHERE id = " { id: &'a i64 as BigInt }
    " RETURNING uuid"
}

statement! {
    TouchOnPostgres<'a> -> SqlUuid:
    "UPDATE users SET updated_at = greatest(updated_at + interval '1 microsecond', "
    { at: &'a i64 as SqlTimestamp }
    ") WHERE id = " { id: &'a i64 as BigInt }
    " RETURNING uuid"
}

/// Notes that something of a user's changes, and has the user to itself until the commit; gives the
/// user's UUID. Nothing where there is no such user, or it was changed since it was loaded.
pub(super) fn touch_user(
    conn: &mut AnyConnection,
    id: i64,
    lock_version: Option<i64>,
) -> QueryResult<Option<Uuid>> {
    let id = &id;
    let uuids: Vec<Uuid> = match (conn, &lock_version) {
        (conn, Some(lock_version)) => {
            let at = &now().max(lock_version.saturating_add(1));
            let touch = TouchLoaded { at, id, lock_version };
            match conn {
                AnyConnection::Sqlite(conn) => touch.load(conn)?,
                AnyConnection::Postgres(conn) => touch.load(conn)?,
            }
        }
        (AnyConnection::Sqlite(conn), None) => TouchOnSqlite { at: &now(), id }.load(conn)?,
        (AnyConnection::Postgres(conn), None) => TouchOnPostgres { at: &now(), id }.load(conn)?,
    };
    Ok(uuids.into_iter().next())
}
