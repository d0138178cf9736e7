//! Creates and updates records.

use diesel::QueryResult;
use diesel::sql_types::BigInt;
use registrar_core::aggregate::{NewClaim, NewCustomization, NewUser, Reference, ReferenceKey};
use registrar_core::record_kind::RecordKind;
use uuid::Uuid;

use super::claims::{StoredClaims, update_claims};
use super::owner::{owner_of, owner_of_new};
use super::requests::{CreateRecord, UpdateRecord, WriteResult};
use super::row_batch::RowBatch;
use super::users::row_batch;
use crate::clock::now;
use crate::connection::{AnyConnection, is_unique_violation};
use crate::error::{CreateError, Refusal, WriteError};
use crate::read::references::{RowLock, missing_references};
use crate::sql::types::{SqlTimestamp, SqlUuid};
use crate::sql::{load, statement};
use crate::tables::owner_ref::OwnerRef;
use crate::tables::unique_claims::{StoredClaim, claims_of_owner, claims_of_record};
use crate::tables::users::{next_version, touch_user};

fn refused(refusals: Vec<Refusal>) -> QueryResult<WriteResult> {
    Ok(Err(CreateError::Refused(refusals).into()))
}

/// Creates a record and returns its id.
pub(super) fn create(conn: &mut AnyConnection, request: &CreateRecord) -> QueryResult<WriteResult> {
    let bag = &request.bag;
    if !bag.relationships.is_empty() {
        return create_relationship(conn, bag, bag.owner.or(request.owner));
    }
    let owner = owner_of_new(conn, bag, request.owner)?;
    let uuid = owner.map(|owner| touch_user(conn, owner, None)).transpose()?.flatten();
    let Some((owner, uuid)) = owner.zip(uuid) else {
        let missing = missing(conn, &bag.references)?;
        return refused(if missing.is_empty() { vec![Refusal::MissingOwner] } else { missing });
    };
    // The record that a customization belongs to must be owned by the user that was sent.
    if let Some(at) = bag.customizable
        && bag.owner.is_some_and(|sent| sent != owner)
    {
        let is_customizable =
            |it: &Reference| it.resource == at.resource && it.value == ReferenceKey::Id(at.id);
        let reference = bag.references.iter().rposition(is_customizable).unwrap_or_default();
        return refused(vec![Refusal::Missing { reference }]);
    }
    let refusals = update_claims(conn, &uuid, bag, StoredClaims::default())?;
    if !refusals.is_empty() {
        return refused(refusals);
    }
    let (rows, _) = write_rows(conn, bag, owner)?;
    Ok(rows.new_record_id().ok_or(CreateError::Internal.into()))
}

fn missing(conn: &mut AnyConnection, references: &[Reference]) -> QueryResult<Vec<Refusal>> {
    let missing = missing_references(conn, &[references], RowLock::KeyShare)?;
    Ok(missing.into_iter().flatten().collect())
}

/// Writes the rows of a record and returns whether all updated rows exist.
fn write_rows<'a>(
    conn: &mut AnyConnection,
    bag: &'a NewUser,
    user_id: i64,
) -> QueryResult<(RowBatch<'a>, bool)> {
    let (mut rows, mut ids) = row_batch(conn, bag, user_id, now())?;
    let parent = bag.customizable.filter(|at| at.resource != RecordKind::User);
    let owner =
        parent.map_or(OwnerRef::user(user_id), |at| OwnerRef::record(user_id, at.resource, at.id));
    rows.add_records(bag, owner, &mut ids)?;
    let all_exist = rows.write(conn)?;
    Ok((rows, all_exist))
}

fn create_relationship(
    conn: &mut AnyConnection,
    bag: &NewUser,
    creator_id: Option<i64>,
) -> QueryResult<WriteResult> {
    if let (None, Some(id)) = (bag.owner, creator_id) {
        let (resource, value) = (RecordKind::User, ReferenceKey::Id(id));
        if !missing(conn, &[Reference { resource, value }])?.is_empty() {
            return refused(vec![Refusal::MissingOwner]);
        }
    }
    let uuid = Uuid::now_v7();
    let refusals = update_claims(conn, &uuid, bag, StoredClaims::default())?;
    if !refusals.is_empty() {
        return refused(refusals);
    }
    write_relationship(conn, bag, (uuid, creator_id), now())
}

/// Writes the row of a relationship and returns its id.
fn write_relationship(
    conn: &mut AnyConnection,
    bag: &NewUser,
    (uuid, creator_id): (Uuid, Option<i64>),
    at: i64,
) -> QueryResult<WriteResult> {
    let (mut rows, mut ids) = row_batch(conn, bag, 0, at)?;
    rows.add_relationships(bag, uuid, creator_id, &mut ids)?;
    match rows.write(conn) {
        Ok(_) => {
            let stored_id = bag.relationships.first().and_then(|relationship| relationship.id);
            Ok(rows.new_record_id().or(stored_id).ok_or(WriteError::NotFound))
        }
        // The key may belong to a relationship that was created by its key and has no claim.
        Err(error) if is_unique_violation(&error) => {
            let key = bag.relationships.first().and_then(|relationship| relationship.key.as_ref());
            let is_key = |new: &NewClaim| Some(&new.claim) == key;
            let claim = bag.claims.iter().position(is_key).unwrap_or_default();
            refused(vec![Refusal::Taken { claim }])
        }
        Err(error) => Err(error),
    }
}

/// Updates a record and returns its id.
pub(super) fn update(conn: &mut AnyConnection, request: &UpdateRecord) -> QueryResult<WriteResult> {
    let UpdateRecord { kind, id, lock_version, changed, .. } = request;
    let bag = &changed.user;
    if !bag.relationships.is_empty() {
        return update_relationship(conn, request);
    }
    let Some(owner) = owner_of(conn, *kind, *id)? else {
        return Ok(Err(WriteError::NotFound));
    };
    let at = next_version(*lock_version);
    let Some(uuid) = touch_user(conn, owner, Some((*lock_version, at)))? else {
        return Ok(Err(WriteError::Conflict));
    };
    let mut held = claims_of_record(conn, &uuid, *kind, *id)?;
    let transactables = bag.transactables.iter().map(|it| &it.attached.customizations);
    let customizations = bag.customizations.iter().map(|it| &it.attached.customizations);
    for nested in transactables.chain(customizations) {
        add_claims_of(conn, &uuid, nested, &mut held)?;
    }
    let stored = StoredClaims { held, released: Some(&changed.released) };
    let refusals = update_claims(conn, &uuid, bag, stored)?;
    if !refusals.is_empty() {
        return refused(refusals);
    }
    let (_, all_exist) = write_rows(conn, bag, owner)?;
    Ok(if all_exist { Ok(*id) } else { Err(WriteError::Conflict) })
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
    request: &UpdateRecord,
) -> QueryResult<WriteResult> {
    let UpdateRecord { id, lock_version, changed, .. } = request;
    let at = next_version(*lock_version);
    let uuids = load!(conn, TouchRelationship { at: &at, id, lock_version } => Uuid)?;
    let Some(uuid) = uuids.first() else { return Ok(Err(WriteError::Conflict)) };
    let stored =
        StoredClaims { held: claims_of_owner(conn, uuid)?, released: Some(&changed.released) };
    let refusals = update_claims(conn, uuid, &changed.user, stored)?;
    if !refusals.is_empty() {
        return refused(refusals);
    }
    write_relationship(conn, &changed.user, (*uuid, None), at)
}
