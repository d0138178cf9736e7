//! Records that are made and changed by themselves.

use diesel::dsl::max;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use diesel::{ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl};
use registrar_core::aggregate::{
    Claim, NewRelationship, NewRelationshipTransactable, NewUser, Reference, ReferenceKey,
    ReferenceTarget,
};
use uuid::Uuid;

use super::holdings::Holdings;
use super::owner::{of_new, of_record, touch};
use super::{CreateRecord, UpdateRecord};
use crate::claims::{Candidate, missing_references};
use crate::clock::now;
use crate::connection::AnyConnection;
use crate::dialect::{self, is_unique_violation, statement};
use crate::error::{CreateError, Refusal, WriteError};
use crate::plan::{IdCounts, OwnerRef, PerTable, ReservedIds, RowBatch};
use crate::relationship_keys;
use crate::schema::relationship_transactables;
use crate::types::{SqlJson, SqlTimestamp, SqlUuid};
use crate::update_sql::execute;
use crate::user_writes::{Giving, next_positions, refusals};
use crate::write_jobs::WriteResult;

fn refused(refusals: Vec<Refusal>) -> QueryResult<WriteResult> {
    Ok(Err(CreateError::Refused(refusals).into()))
}

/// Makes a record; gives its id.
pub(crate) fn create(conn: &mut AnyConnection, record: &CreateRecord) -> QueryResult<WriteResult> {
    let bag = &record.bag;
    if let Some(relationship) = bag.relationships.first() {
        return create_relationship(conn, bag, relationship, bag.owner.or(record.owner));
    }
    let owner = of_new(conn, record)?;
    let uuid = owner.map(|owner| touch(conn, owner, None)).transpose()?.flatten();
    let Some((owner, uuid)) = owner.zip(uuid) else {
        // Somebody who is named and not there is a reference that leads nowhere.
        let missing = missing(conn, &bag.references)?;
        return refused(if missing.is_empty() { vec![Refusal::MissingOwner] } else { missing });
    };
    // What a customization hangs on must be of the user that the submission names.
    if let Some(at) = bag.customizable
        && bag.owner.is_some_and(|said| said != owner)
    {
        let is_it =
            |it: &Reference| it.resource == at.resource && it.value == ReferenceKey::Id(at.id);
        let reference = bag.references.iter().rposition(is_it).unwrap_or_default();
        return refused(vec![Refusal::Missing { reference }]);
    }
    // What the user holds already is of another record.
    let giving = Giving { is_own: &|_| false, gives_up: &|_| false };
    let refusals = refusals(conn, bag, giving, &uuid)?;
    if !refusals.is_empty() {
        return refused(refusals);
    }
    match bag.relationship_transactables.first() {
        Some(listed) => insert_listed(conn, listed).map(Ok),
        None => Ok(Ok(write_rows(conn, bag, owner)?.0)),
    }
}

/// The references that lead nowhere.
fn missing(conn: &mut AnyConnection, references: &[Reference]) -> QueryResult<Vec<Refusal>> {
    let candidate = Candidate { uuid: Uuid::nil(), claims: &[], references, was_deferred: false };
    Ok(missing_references(conn, &[candidate])?.pop().unwrap_or_default())
}

/// Writes the rows of a bag; gives the id of its record, and whether all rows were there that
/// change.
fn write_rows(conn: &mut AnyConnection, bag: &NewUser, owner: i64) -> QueryResult<(i64, bool)> {
    let mut counts = IdCounts::default();
    counts.add_records(bag);
    let has_new = counts.any();
    let mut ids =
        if has_new { dialect::reserve_ids(conn, &counts)? } else { ReservedIds::default() };
    let first = if has_new { next_positions(conn, owner, &counts)? } else { PerTable::default() };
    let mut rows = RowBatch::after(now(), first);
    rows.relationship_ids = relationship_keys::find_or_create(conn, [bag])?;
    let hangs_on = match bag.customizable {
        Some(at) => OwnerRef { user_id: owner, kind: kind_of(at.resource), id: at.id },
        None => OwnerRef { user_id: owner, kind: "user", id: owner },
    };
    rows.add_records_at(bag, hangs_on, &mut ids)?;
    rows.insert(conn)?;
    let was_there = rows.updated.write(conn)?;
    Ok((rows.id_of_record().unwrap_or_default(), was_there))
}

fn kind_of(resource: ReferenceTarget) -> &'static str {
    match resource {
        ReferenceTarget::Profile => "profile",
        ReferenceTarget::Transactable => "transactable",
        ReferenceTarget::Customization => "customization",
        ReferenceTarget::User | ReferenceTarget::Relationship => "user",
    }
}

statement! {
    InsertListed<'a>:
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

fn insert_listed(
    conn: &mut AnyConnection,
    listed: &NewRelationshipTransactable,
) -> QueryResult<i64> {
    use relationship_transactables as t;
    let &NewRelationshipTransactable { relationship_id, transactable_id, .. } = listed;
    let NewRelationshipTransactable { type_name, properties, .. } = listed;
    let others = t::table.filter(t::relationship_id.eq(relationship_id));
    let last: Option<i32> = others.select(max(t::position)).first(conn)?;
    let position = last.map_or(0, |last| last.saturating_add(1));
    let id = dialect::reserve_relationship_transactable_id(conn)?;
    execute!(
        conn,
        InsertListed { id, relationship_id, transactable_id, position, type_name, properties }
    )?;
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
    let giving = Giving { is_own: &|_| false, gives_up: &|_| false };
    let refusals = refusals(conn, bag, giving, uuid)?;
    if !refusals.is_empty() {
        return refused(refusals);
    }
    let counts = IdCounts { relationships: 1, ..IdCounts::default() };
    let Some(id) = dialect::reserve_ids(conn, &counts)?.relationships.next() else {
        return Err(diesel::result::Error::NotFound);
    };
    let at = now();
    let NewRelationship { type_name, properties, .. } = relationship;
    let key = relationship.key.as_ref().map(|claim| claim.value_key.as_str());
    let insert =
        InsertRelationship { id, type_name, creator_id, properties, at, uuid, key, updated_at: at };
    unless_key_taken(execute!(conn, insert), bag, relationship, |_| Ok(Ok(id)))
}

/// A key can be taken by a relationship that was made by it, and claims nothing.
fn unless_key_taken(
    written: QueryResult<usize>,
    bag: &NewUser,
    relationship: &NewRelationship,
    then: impl FnOnce(usize) -> QueryResult<WriteResult>,
) -> QueryResult<WriteResult> {
    match written {
        Err(error) if is_unique_violation(&error) => {
            let is_key = |claim: &Claim| Some(claim) == relationship.key.as_ref();
            let claim = bag.claims.iter().position(is_key).unwrap_or_default();
            refused(vec![Refusal::Taken { claim }])
        }
        Err(error) => Err(error),
        Ok(touched) => then(touched),
    }
}

/// Changes a record.
pub(crate) fn update(conn: &mut AnyConnection, record: &UpdateRecord) -> QueryResult<WriteResult> {
    let UpdateRecord { kind, id, lock_version, changed, .. } = record;
    let bag = &changed.user;
    if let Some(relationship) = bag.relationships.first() {
        return update_relationship(conn, record, relationship);
    }
    let Some(owner) = of_record(conn, *kind, *id)? else {
        return Ok(Err(WriteError::NotFound));
    };
    let Some(uuid) = touch(conn, owner, Some(*lock_version))? else {
        return Ok(Err(WriteError::Conflict));
    };
    let Some(holdings) = Holdings::load(conn, owner)? else {
        return Ok(Err(WriteError::NotFound));
    };
    let name = (*kind, *id);
    let giving = Giving {
        is_own: &|claim| holdings.may_hold(claim, |way| way.contains(&name)),
        gives_up: &|claim| {
            changed.released.releases(claim)
                && !holdings.may_hold(claim, |way| !way.contains(&name))
        },
    };
    let refusals = refusals(conn, bag, giving, &uuid)?;
    if !refusals.is_empty() {
        return refused(refusals);
    }
    let was_there = match bag.relationship_transactables.first() {
        Some(listed) => update_listed(conn, listed, *id)?,
        None => write_rows(conn, bag, owner)?.1,
    };
    Ok(if was_there { Ok(*id) } else { Err(WriteError::Conflict) })
}

statement! {
    UpdateListed<'a>:
    "UPDATE relationship_transactables SET relationship_id = "
    { relationship_id: i64 as BigInt }
    ", properties = " { properties: &'a str as SqlJson }
    " WHERE id = " { id: i64 as BigInt }
    ""
}

fn update_listed(
    conn: &mut AnyConnection,
    listed: &NewRelationshipTransactable,
    id: i64,
) -> QueryResult<bool> {
    let NewRelationshipTransactable { relationship_id, properties, .. } = listed;
    let relationship_id = *relationship_id;
    Ok(execute!(conn, UpdateListed { relationship_id, properties, id })? > 0)
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
    record: &UpdateRecord,
    relationship: &NewRelationship,
) -> QueryResult<WriteResult> {
    let UpdateRecord { id, lock_version, changed, .. } = record;
    let at = &now().max(lock_version.saturating_add(1));
    let touch = TouchRelationship { at, id, lock_version };
    let uuids: Vec<Uuid> = match conn {
        AnyConnection::Sqlite(conn) => touch.load(conn)?,
        AnyConnection::Postgres(conn) => touch.load(conn)?,
    };
    let Some(uuid) = uuids.first() else { return Ok(Err(WriteError::Conflict)) };
    let bag = &changed.user;
    let giving = Giving { is_own: &|_| true, gives_up: &|claim| changed.released.releases(claim) };
    let refusals = refusals(conn, bag, giving, uuid)?;
    if !refusals.is_empty() {
        return refused(refusals);
    }
    let key = relationship.key.as_ref().map(|claim| claim.value_key.as_str());
    let update = UpdateRelationship { properties: &relationship.properties, key, id };
    unless_key_taken(execute!(conn, update), bag, relationship, |_| Ok(Ok(*id)))
}
