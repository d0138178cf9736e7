//! Creates and updates records.

use diesel::dsl::max;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use diesel::{ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl};
use registrar_core::aggregate::{
    ClaimHolder, NewClaim, NewCustomization, NewRelationship, NewRelationshipTransactable, NewUser,
    Reference, ReferenceKey, ReferenceTarget,
};
use registrar_core::types::TypeKind;
use uuid::Uuid;

use super::owner::{owner_of, owner_of_new, touch_user};
use super::{CreateRecord, UpdateRecord};
use crate::claims::{StoredClaims, update_claims};
use crate::clock::now;
use crate::connection::AnyConnection;
use crate::dialect::{is_unique_violation, statement};
use crate::error::{CreateError, Refusal, WriteError};
use crate::ids::{IdCounts, next_id, reserve_ids};
use crate::plan::{OwnerRef, RowBatch};
use crate::references::{RowLock, missing_references};
use crate::relationship_keys;
use crate::schema::relationship_transactables;
use crate::types::{SqlJson, SqlTimestamp, SqlUuid};
use crate::unique_claims::{
    StoredClaim, claims_of_owner, claims_of_record, kind_name, set_record_ids,
};
use crate::update_sql::{execute, load};
use crate::user_writes::next_positions;
use crate::write_jobs::WriteResult;

fn refused(refusals: Vec<Refusal>) -> QueryResult<WriteResult> {
    Ok(Err(CreateError::Refused(refusals).into()))
}

/// Creates a record and returns its id.
pub(crate) fn create(conn: &mut AnyConnection, request: &CreateRecord) -> QueryResult<WriteResult> {
    let bag = &request.bag;
    if let Some(relationship) = bag.relationships.first() {
        return create_relationship(conn, bag, relationship, bag.owner.or(request.owner));
    }
    let owner = owner_of_new(conn, request)?;
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
    match bag.relationship_transactables.first() {
        Some(new) => insert_relationship_transactable(conn, bag, new).map(Ok),
        None => Ok(Ok(write_rows(conn, bag, owner)?.0)),
    }
}

fn missing(conn: &mut AnyConnection, references: &[Reference]) -> QueryResult<Vec<Refusal>> {
    let missing = missing_references(conn, &[references], RowLock::KeyShare)?;
    Ok(missing.into_iter().flatten().collect())
}

/// Writes the rows of a record. Returns its id if it is new, and whether all updated rows exist.
fn write_rows(conn: &mut AnyConnection, bag: &NewUser, owner: i64) -> QueryResult<(i64, bool)> {
    let mut counts = IdCounts::default();
    counts.add_records(bag);
    let mut ids = reserve_ids(conn, &counts)?;
    let first = next_positions(conn, owner, &counts)?;
    let mut rows = RowBatch::after(now(), first);
    rows.relationship_ids = relationship_keys::find_or_create(conn, [bag])?;
    let attached_to = match bag.customizable {
        Some(at) => OwnerRef { user_id: owner, kind: owner_kind(at.resource), id: at.id },
        None => OwnerRef { user_id: owner, kind: "user", id: owner },
    };
    rows.add_records_at(bag, attached_to, &mut ids)?;
    rows.insert(conn)?;
    let all_exist = rows.updated.write(conn)?;
    Ok((rows.first_new_id().unwrap_or_default(), all_exist))
}

fn owner_kind(resource: ReferenceTarget) -> &'static str {
    match resource {
        ReferenceTarget::Profile => kind_name(TypeKind::Profile),
        ReferenceTarget::Transactable => kind_name(TypeKind::Transactable),
        ReferenceTarget::Customization => kind_name(TypeKind::Customization),
        ReferenceTarget::User | ReferenceTarget::Relationship => "user",
    }
}

statement! {
    InsertRelationshipTransactable<'a>:
    "INSERT INTO relationship_transactables \
     (id, relationship_id, transactable_id, position, type_name, properties) VALUES ("
    { id: i64 as BigInt }
    ", " { relationship_id: i64 as BigInt }
    ", " { transactable_id: i64 as BigInt }
    ", " { position: i32 as Integer }
    ", " { type_name: &'a str as Text }
    ", " { properties: &'a str as SqlJson }
    ")"
}

fn insert_relationship_transactable(
    conn: &mut AnyConnection,
    bag: &NewUser,
    new: &NewRelationshipTransactable,
) -> QueryResult<i64> {
    use relationship_transactables as t;
    let &NewRelationshipTransactable { relationship_id, transactable_id, .. } = new;
    let NewRelationshipTransactable { type_name, properties, .. } = new;
    let others = t::table.filter(t::relationship_id.eq(relationship_id));
    let last: Option<i32> = others.select(max(t::position)).first(conn)?;
    let position = last.map_or(0, |last| last.saturating_add(1));
    let counts = IdCounts { relationship_transactables: 1, ..IdCounts::default() };
    let id = next_id(&mut reserve_ids(conn, &counts)?.relationship_transactables)?;
    execute!(
        conn,
        InsertRelationshipTransactable {
            id,
            relationship_id,
            transactable_id,
            position,
            type_name,
            properties
        }
    )?;
    let new = bag.claims.iter().filter(|new| matches!(new.holder, ClaimHolder::New(_)));
    set_record_ids(conn, &new.map(|new| (&new.claim, id)).collect::<Vec<_>>())?;
    Ok(id)
}

statement! {
    InsertRelationship<'a>:
    "INSERT INTO relationships \
     (id, type_name, creator_id, properties, created_at, uuid, key, updated_at) VALUES ("
    { id: i64 as BigInt }
    ", " { type_name: &'a str as Text }
    ", " { creator_id: Option<i64> as Nullable<BigInt> }
    ", " { properties: &'a str as SqlJson }
    ", " { at: i64 as SqlTimestamp }
    ", " { uuid: &'a Uuid as SqlUuid }
    ", " { key: Option<&'a str> as Nullable<Text> }
    ", " { updated_at: i64 as SqlTimestamp }
    ")"
}

fn create_relationship(
    conn: &mut AnyConnection,
    bag: &NewUser,
    relationship: &NewRelationship,
    creator_id: Option<i64>,
) -> QueryResult<WriteResult> {
    if let (None, Some(id)) = (bag.owner, creator_id) {
        let (resource, value) = (ReferenceTarget::User, ReferenceKey::Id(id));
        if !missing(conn, &[Reference { resource, value }])?.is_empty() {
            return refused(vec![Refusal::MissingOwner]);
        }
    }
    let uuid = &Uuid::now_v7();
    let refusals = update_claims(conn, uuid, bag, StoredClaims::default())?;
    if !refusals.is_empty() {
        return refused(refusals);
    }
    let counts = IdCounts { relationships: 1, ..IdCounts::default() };
    let id = next_id(&mut reserve_ids(conn, &counts)?.relationships)?;
    let at = now();
    let NewRelationship { type_name, properties, .. } = relationship;
    let key = relationship.key.as_ref().map(|claim| claim.value_key.as_str());
    let insert =
        InsertRelationship { id, type_name, creator_id, properties, at, uuid, key, updated_at: at };
    unless_key_taken(execute!(conn, insert), bag, relationship, |_| Ok(Ok(id)))
}

/// Converts a violation of the unique index on type and key. A relationship that was created by its key
/// has no claim.
fn unless_key_taken(
    written: QueryResult<usize>,
    bag: &NewUser,
    relationship: &NewRelationship,
    then: impl FnOnce(usize) -> QueryResult<WriteResult>,
) -> QueryResult<WriteResult> {
    match written {
        Err(error) if is_unique_violation(&error) => {
            let is_key = |new: &NewClaim| Some(&new.claim) == relationship.key.as_ref();
            let claim = bag.claims.iter().position(is_key).unwrap_or_default();
            refused(vec![Refusal::Taken { claim }])
        }
        Err(error) => Err(error),
        Ok(touched) => then(touched),
    }
}

/// Updates a record.
pub(crate) fn update(conn: &mut AnyConnection, request: &UpdateRecord) -> QueryResult<WriteResult> {
    let UpdateRecord { kind, id, lock_version, changed, .. } = request;
    let bag = &changed.user;
    if let Some(relationship) = bag.relationships.first() {
        return update_relationship(conn, request, relationship);
    }
    let Some(owner) = owner_of(conn, *kind, *id)? else {
        return Ok(Err(WriteError::NotFound));
    };
    let Some(uuid) = touch_user(conn, owner, Some(*lock_version))? else {
        return Ok(Err(WriteError::Conflict));
    };
    let mut held = claims_of_record(conn, kind.type_kind(), *id)?;
    let transactables = bag.transactables.iter().map(|it| &it.attached.customizations);
    let customizations = bag.customizations.iter().map(|it| &it.attached.customizations);
    for nested in transactables.chain(customizations) {
        add_claims_of(conn, nested, &mut held)?;
    }
    let stored = StoredClaims { held, released: Some(&changed.released) };
    let refusals = update_claims(conn, &uuid, bag, stored)?;
    if !refusals.is_empty() {
        return refused(refusals);
    }
    let all_exist = match bag.relationship_transactables.first() {
        Some(new) => update_relationship_transactable(conn, new, *id)?,
        None => write_rows(conn, bag, owner)?.1,
    };
    Ok(if all_exist { Ok(*id) } else { Err(WriteError::Conflict) })
}

/// Adds the claims of stored customizations and of those nested in them.
fn add_claims_of(
    conn: &mut AnyConnection,
    customizations: &[NewCustomization],
    held: &mut Vec<StoredClaim>,
) -> QueryResult<()> {
    for customization in customizations {
        if let Some(id) = customization.id {
            held.append(&mut claims_of_record(conn, TypeKind::Customization, id)?);
        }
        add_claims_of(conn, &customization.attached.customizations, held)?;
    }
    Ok(())
}

statement! {
    UpdateRelationshipTransactable<'a>:
    "UPDATE relationship_transactables SET relationship_id = "
    { relationship_id: i64 as BigInt }
    ", properties = " { properties: &'a str as SqlJson }
    " WHERE id = " { id: i64 as BigInt }
    ""
}

fn update_relationship_transactable(
    conn: &mut AnyConnection,
    new: &NewRelationshipTransactable,
    id: i64,
) -> QueryResult<bool> {
    let NewRelationshipTransactable { relationship_id, properties, .. } = new;
    let relationship_id = *relationship_id;
    Ok(execute!(conn, UpdateRelationshipTransactable { relationship_id, properties, id })? > 0)
}

statement! {
    TouchRelationship<'a> -> SqlUuid:
    "UPDATE relationships SET updated_at = " { at: &'a i64 as SqlTimestamp }
    " WHERE id = " { id: &'a i64 as BigInt }
    " AND updated_at = " { lock_version: &'a i64 as SqlTimestamp }
    " RETURNING uuid"
}

statement! {
    UpdateRelationship<'a>:
    "UPDATE relationships SET properties = " { properties: &'a str as SqlJson }
    ", key = " { key: Option<&'a str> as Nullable<Text> }
    " WHERE id = " { id: &'a i64 as BigInt }
    ""
}

fn update_relationship(
    conn: &mut AnyConnection,
    request: &UpdateRecord,
    relationship: &NewRelationship,
) -> QueryResult<WriteResult> {
    let UpdateRecord { id, lock_version, changed, .. } = request;
    let at = &now().max(lock_version.saturating_add(1));
    let touch = TouchRelationship { at, id, lock_version };
    let uuids = load!(conn, touch => Uuid)?;
    let Some(uuid) = uuids.first() else { return Ok(Err(WriteError::Conflict)) };
    let bag = &changed.user;
    let stored =
        StoredClaims { held: claims_of_owner(conn, uuid)?, released: Some(&changed.released) };
    let refusals = update_claims(conn, uuid, bag, stored)?;
    if !refusals.is_empty() {
        return refused(refusals);
    }
    let key = relationship.key.as_ref().map(|claim| claim.value_key.as_str());
    let update = UpdateRelationship { properties: &relationship.properties, key, id };
    unless_key_taken(execute!(conn, update), bag, relationship, |_| Ok(Ok(*id)))
}
