//! Creates records, and updates users and records.

use diesel::QueryResult;
use diesel::sql_types::BigInt;
use registrar_core::aggregate::{
    Aggregate, NewClaim, NewCustomization, NewEntity, NewRelationship, Reference, ReferenceKey,
};
use registrar_core::record_kind::RecordKind;
use uuid::Uuid;

use super::claims::{StoredClaims, update_claims};
use super::owner::{owner_of, owner_of_new};
use super::requests::{CreateRequest, UpdateRequest, WriteResult};
use super::row_batch::RowBatch;
use super::users::row_batch;
use crate::clock::now;
use crate::connection::{AnyConnection, is_unique_violation};
use crate::error::{CreateError, Refusal, WriteError};
use crate::read::references::{RowLock, missing_references};
use crate::sql::types::{SqlTimestamp, SqlUuid};
use crate::sql::{load, statement};
use crate::tables::api_tokens::end_sessions;
use crate::tables::password_credentials::upsert_password;
use crate::tables::unique_claims::{StoredClaim, claims_of_owner, claims_of_record};
use crate::tables::users::{next_version, touch_user};

fn refused(refusals: Vec<Refusal>) -> QueryResult<WriteResult> {
    Ok(Err(CreateError::Refused(refusals).into()))
}

/// Creates a record and returns its id. Users are created in batches.
pub(super) fn create(
    conn: &mut AnyConnection,
    request: &CreateRequest,
) -> QueryResult<WriteResult> {
    let aggregate = &request.aggregate;
    if let NewEntity::Relationship { creator, relationship } = &aggregate.entity {
        return create_relationship(conn, request, *creator, relationship);
    }
    let owner = owner_of_new(conn, request)?;
    let uuid = owner.map(|owner| touch_user(conn, owner, None)).transpose()?.flatten();
    let Some((owner, uuid)) = owner.zip(uuid) else {
        let missing = missing(conn, &aggregate.references)?;
        return refused(if missing.is_empty() { vec![Refusal::MissingOwner] } else { missing });
    };
    // The record that a customization belongs to must be owned by the user that was sent.
    if let NewEntity::Customization { owner: Some(sent), parent: Some(at), .. } = aggregate.entity
        && sent != owner
    {
        let is_parent =
            |it: &Reference| it.resource == at.resource && it.value == ReferenceKey::Id(at.id);
        let reference = aggregate.references.iter().rposition(is_parent).unwrap_or_default();
        return refused(vec![Refusal::Missing { reference }]);
    }
    let refusals = update_claims(conn, &uuid, aggregate, StoredClaims::default())?;
    if !refusals.is_empty() {
        return refused(refusals);
    }
    let (rows, _) = write_rows(conn, aggregate, (owner, uuid), now())?;
    Ok(rows.new_record_id().ok_or(CreateError::Internal.into()))
}

fn missing(conn: &mut AnyConnection, references: &[Reference]) -> QueryResult<Vec<Refusal>> {
    let missing = missing_references(conn, &[references], RowLock::KeyShare)?;
    Ok(missing.into_iter().flatten().collect())
}

/// Writes the rows of a stored user or of a record of it, and returns whether all updated rows exist.
fn write_rows<'a>(
    conn: &mut AnyConnection,
    aggregate: &'a Aggregate,
    (user_id, uuid): (i64, Uuid),
    at: i64,
) -> QueryResult<(RowBatch<'a>, bool)> {
    let (mut rows, mut ids) = row_batch(conn, &aggregate.entity, user_id, at)?;
    rows.add_to_user(aggregate, (user_id, uuid), &mut ids)?;
    let all_exist = rows.write(conn)?;
    Ok((rows, all_exist))
}

fn create_relationship(
    conn: &mut AnyConnection,
    request: &CreateRequest,
    creator: Option<i64>,
    relationship: &NewRelationship,
) -> QueryResult<WriteResult> {
    if let (None, Some(id)) = (creator, request.default_owner) {
        let (resource, value) = (RecordKind::User, ReferenceKey::Id(id));
        if !missing(conn, &[Reference { resource, value }])?.is_empty() {
            return refused(vec![Refusal::MissingOwner]);
        }
    }
    let uuid = Uuid::now_v7();
    let refusals = update_claims(conn, &uuid, &request.aggregate, StoredClaims::default())?;
    if !refusals.is_empty() {
        return refused(refusals);
    }
    let identity = (uuid, creator.or(request.default_owner));
    write_relationship(conn, (&request.aggregate, relationship), identity, now())
}

/// Writes the row of a relationship and returns its id.
fn write_relationship(
    conn: &mut AnyConnection,
    (aggregate, relationship): (&Aggregate, &NewRelationship),
    (uuid, creator_id): (Uuid, Option<i64>),
    at: i64,
) -> QueryResult<WriteResult> {
    let (mut rows, mut ids) = row_batch(conn, &aggregate.entity, 0, at)?;
    rows.add_relationship(relationship, uuid, creator_id, &mut ids)?;
    match rows.write(conn) {
        Ok(_) => Ok(rows.new_record_id().or(relationship.id).ok_or(WriteError::NotFound)),
        // The key may belong to a relationship that was created by its key and has no claim.
        Err(error) if is_unique_violation(&error) => {
            let is_key = |new: &NewClaim| Some(&new.claim) == relationship.key.as_ref();
            let claim = aggregate.claims.iter().position(is_key).unwrap_or_default();
            refused(vec![Refusal::Taken { claim }])
        }
        Err(error) => Err(error),
    }
}

/// Updates a user or record and returns its id.
pub(super) fn update(
    conn: &mut AnyConnection,
    request: &UpdateRequest,
) -> QueryResult<WriteResult> {
    let UpdateRequest { id, lock_version, changed, .. } = request;
    let aggregate = &changed.aggregate;
    if let NewEntity::Relationship { relationship, .. } = &aggregate.entity {
        return update_relationship(conn, request, relationship);
    }
    let kind = aggregate.entity.kind();
    let Some(owner) = owner_of(conn, kind, *id)? else {
        return Ok(Err(WriteError::NotFound));
    };
    let at = next_version(*lock_version);
    let Some(uuid) = touch_user(conn, owner, Some((*lock_version, at)))? else {
        return Ok(Err(WriteError::Conflict));
    };
    let held = held_claims(conn, &uuid, *id, &aggregate.entity)?;
    let stored = StoredClaims { held, released: Some(&changed.released) };
    let refusals = update_claims(conn, &uuid, aggregate, stored)?;
    if !refusals.is_empty() {
        return refused(refusals);
    }
    if let Some(phc) = &request.password_hash {
        upsert_password(conn, owner, phc, at)?;
        end_sessions(conn, owner, request.actor.token)?;
    }
    let (_, all_exist) = write_rows(conn, aggregate, (owner, uuid), at)?;
    Ok(if all_exist { Ok(*id) } else { Err(WriteError::Conflict) })
}

/// Returns the claims of a stored user, or of a stored record and of those nested in it.
fn held_claims(
    conn: &mut AnyConnection,
    uuid: &Uuid,
    id: i64,
    entity: &NewEntity,
) -> QueryResult<Vec<StoredClaim>> {
    let kind = entity.kind();
    if kind == RecordKind::User {
        return claims_of_owner(conn, uuid);
    }
    let mut held = claims_of_record(conn, uuid, kind, id)?;
    let records = entity.records();
    let transactables = records.transactables.iter().map(|it| &it.attached.customizations);
    let customizations = records.customizations.iter().map(|it| &it.attached.customizations);
    for nested in transactables.chain(customizations) {
        add_claims_of(conn, uuid, nested, &mut held)?;
    }
    Ok(held)
}

/// Adds the claims of stored customizations and of those nested in them.
fn add_claims_of(
    conn: &mut AnyConnection,
    owner: &Uuid,
    customizations: &[NewCustomization],
    held: &mut Vec<StoredClaim>,
) -> QueryResult<()> {
    for customization in customizations {
        if let Some(id) = customization.id {
            held.append(&mut claims_of_record(conn, owner, RecordKind::Customization, id)?);
        }
        add_claims_of(conn, owner, &customization.attached.customizations, held)?;
    }
    Ok(())
}

statement! {
    TouchRelationship<'a> -> SqlUuid:
    "UPDATE relationships SET updated_at = " { at: &'a i64 as SqlTimestamp }
    " WHERE id = " { id: &'a i64 as BigInt }
    " AND updated_at = " { lock_version: &'a i64 as SqlTimestamp }
    " RETURNING uuid"
}

fn update_relationship(
    conn: &mut AnyConnection,
    request: &UpdateRequest,
    relationship: &NewRelationship,
) -> QueryResult<WriteResult> {
    let UpdateRequest { id, lock_version, changed, .. } = request;
    let at = next_version(*lock_version);
    let uuids = load!(conn, TouchRelationship { at: &at, id, lock_version } => Uuid)?;
    let Some(uuid) = uuids.first() else { return Ok(Err(WriteError::Conflict)) };
    let stored =
        StoredClaims { held: claims_of_owner(conn, uuid)?, released: Some(&changed.released) };
    let refusals = update_claims(conn, uuid, &changed.aggregate, stored)?;
    if !refusals.is_empty() {
        return refused(refusals);
    }
    write_relationship(conn, (&changed.aggregate, relationship), (*uuid, None), at)
}
