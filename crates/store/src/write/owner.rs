//! Owners of records.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl};
use registrar_core::aggregate::NewEntity;
use registrar_core::record_kind::RecordKind;

use super::requests::CreateRequest;
use crate::connection::AnyConnection;
use crate::tables::schema::{
    customizations, relationship_transactables, relationship_users, relationships, transactables,
    user_profiles,
};

/// Returns the user that a new record will belong to, or `None` if it is unknown or the record is a
/// relationship.
pub(super) fn owner_of_new(
    conn: &mut AnyConnection,
    request: &CreateRequest,
) -> QueryResult<Option<i64>> {
    match &request.aggregate.entity {
        NewEntity::Relationship { .. } => Ok(None),
        NewEntity::RelationshipTransactable(new) => {
            owner_of(conn, RecordKind::Transactable, new.transactable_id)
        }
        NewEntity::Customization { parent: Some(at), .. } => owner_of(conn, at.resource, at.id),
        _ => Ok(request.named_owner()),
    }
}

/// Returns the user that a record belongs to, or `None` if the record does not exist or is of a kind
/// without owners of their own.
pub(super) fn owner_of(
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
        RecordKind::User => Ok(Some(id)),
        RecordKind::Profile => user_id!(user_profiles),
        RecordKind::Transactable => user_id!(transactables),
        RecordKind::RelationshipUser => user_id!(relationship_users),
        RecordKind::Customization => user_id!(customizations),
        RecordKind::RelationshipTransactable => relationship_transactables::table
            .inner_join(transactables::table)
            .filter(relationship_transactables::id.eq(id))
            .select(transactables::user_id)
            .first(conn)
            .optional(),
        RecordKind::Relationship
        | RecordKind::Address
        | RecordKind::Image
        | RecordKind::Attachment
        | RecordKind::Session => Ok(None),
    }
}

/// Returns the user that created a relationship, or `None` if it is unknown or there is no such
/// relationship.
pub(super) fn creator_of(conn: &mut AnyConnection, id: i64) -> QueryResult<Option<i64>> {
    let creator = relationships::table.filter(relationships::id.eq(id));
    Ok(creator.select(relationships::creator_id).first(conn).optional()?.flatten())
}
