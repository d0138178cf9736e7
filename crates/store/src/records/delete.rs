//! Records that are deleted by themselves, with what hangs on them and what they alone claim.

use std::collections::HashSet;

use diesel::sql_types::{BigInt, Text};
use diesel::{QueryResult, RunQueryDsl};
use registrar_core::aggregate::Claim;
use uuid::Uuid;

use super::RecordKind;
use super::holdings::{Holdings, Name};
use super::owner::{of_record, touch};
use crate::connection::AnyConnection;
use crate::dialect::{self, statement};
use crate::error::WriteError;
use crate::types::SqlUuid;
use crate::update_sql::execute;
use crate::user_writes::{claims_of, drop_claim};
use crate::write_jobs::WriteResult;

/// Deletes a record.
pub(crate) fn delete(
    conn: &mut AnyConnection,
    kind: RecordKind,
    id: i64,
) -> QueryResult<WriteResult> {
    if kind == RecordKind::Relationship {
        return delete_relationship(conn, id);
    }
    let Some(owner) = of_record(conn, kind, id)? else { return Ok(Err(WriteError::NotFound)) };
    let Some(uuid) = touch(conn, owner, None)? else { return Ok(Err(WriteError::NotFound)) };
    // Now nobody else writes anything of the user: what is loaded is how it stays.
    let name = (kind, id);
    let holdings = Holdings::load(conn, owner)?.filter(|holdings| holdings.has(name));
    let Some(holdings) = holdings else { return Ok(Err(WriteError::NotFound)) };
    give_up(conn, &holdings, &uuid, name)?;
    delete_hanging(conn, &holdings, name)?;
    delete_row(conn, kind, id)?;
    Ok(Ok(id))
}

/// Gives up the claims that are of a record, and of nothing else that its user has.
fn give_up(
    conn: &mut AnyConnection,
    holdings: &Holdings,
    owner: &Uuid,
    name: Name,
) -> QueryResult<()> {
    let is_gone = |claim: &Claim| {
        holdings.may_hold(claim, |way| way.contains(&name))
            && !holdings.may_hold(claim, |way| !way.contains(&name))
    };
    for claim in claims_of(conn, owner)?.iter().filter(|claim| is_gone(claim)) {
        drop_claim(conn, claim, owner)?;
    }
    Ok(())
}

/// Declares statements that delete by one or two columns.
macro_rules! deletes {
    ($($name:ident: $table:literal),+ $(,)?) => { $(
        statement! {
            $name<'a>:
            $table { kind: &'a str as Text }
            " AND owner_id = " { id: &'a i64 as BigInt }
            ""
        }
    )+ };
}

deletes! {
    DeleteAddresses: "DELETE FROM addresses WHERE owner_kind = ",
    DeleteFiles: "DELETE FROM files WHERE owner_kind = ",
    DeleteCustomizations: "DELETE FROM customizations WHERE owner_kind = ",
}

/// Deletes what hangs on a record, down to the leaves.
fn delete_hanging(conn: &mut AnyConnection, holdings: &Holdings, name: Name) -> QueryResult<()> {
    let customizations = holdings.customizations_in(name).into_iter();
    let mut owners: Vec<(&str, i64)> = customizations.map(|id| ("customization", id)).collect();
    if name.0 == RecordKind::Transactable {
        owners.push(("transactable", name.1));
    }
    for (kind, id) in &owners {
        execute!(conn, DeleteAddresses { kind, id })?;
        execute!(conn, DeleteFiles { kind, id })?;
        execute!(conn, DeleteCustomizations { kind, id })?;
    }
    Ok(())
}

macro_rules! delete_by_id {
    ($($name:ident: $text:literal),+ $(,)?) => { $(
        statement! { $name<'a>: $text { id: &'a i64 as BigInt } "" }
    )+ };
}

delete_by_id! {
    DeleteTransactable: "DELETE FROM transactables WHERE id = ",
    DeleteMember: "DELETE FROM relationship_users WHERE id = ",
    DeleteListed: "DELETE FROM relationship_transactables WHERE id = ",
    DeleteCustomization: "DELETE FROM customizations WHERE id = ",
}

/// Deletes the row; what refers to it by a foreign key goes along.
fn delete_row(conn: &mut AnyConnection, kind: RecordKind, id: i64) -> QueryResult<()> {
    let id = &id;
    match kind {
        RecordKind::Transactable => execute!(conn, DeleteTransactable { id }),
        RecordKind::RelationshipUser => execute!(conn, DeleteMember { id }),
        RecordKind::RelationshipTransactable => execute!(conn, DeleteListed { id }),
        RecordKind::Customization => execute!(conn, DeleteCustomization { id }),
        RecordKind::Relationship => Ok(0),
    }
    .map(drop)
}

statement! {
    LockRelationship<'a> -> BigInt:
    "SELECT id FROM relationships WHERE id = " { id: &'a i64 as BigInt } " FOR UPDATE"
}

statement! {
    // Those who hold claims that may be of a relationship's members or listings.
    Holders<'a> -> BigInt:
    "SELECT id FROM users WHERE id IN (SELECT user_id FROM relationship_users \
     WHERE relationship_id = " { members_of: &'a i64 as BigInt }
    " UNION SELECT user_id FROM relationship_transactables r \
     JOIN transactables t ON t.id = r.transactable_id WHERE r.relationship_id = "
    { listed_in: &'a i64 as BigInt }
    ") AND EXISTS (SELECT 1 FROM unique_claims WHERE owner = users.uuid \
     AND (scope LIKE 'user.relationship_users.%' OR scope LIKE "
    { listed: &'a str as Text }
    ")) ORDER BY id"
}

statement! {
    DeleteRelationship<'a> -> SqlUuid:
    "DELETE FROM relationships WHERE id = " { id: &'a i64 as BigInt } " RETURNING uuid"
}

/// Deletes a relationship; the foreign keys take its members and listings out of it.
fn delete_relationship(conn: &mut AnyConnection, id: i64) -> QueryResult<WriteResult> {
    // Users come first here too, so that nobody who joins waits in a circle with this. Who joined
    // before nobody could any more is looked for again.
    let mut known = HashSet::new();
    let mut is_locked = matches!(conn, AnyConnection::Sqlite(_));
    loop {
        for user_id in holders(conn, id)? {
            if known.insert(user_id)
                && let Some(uuid) = touch(conn, user_id, None)?
                && let Some(holdings) = Holdings::load(conn, user_id)?
            {
                give_up(conn, &holdings, &uuid, (RecordKind::Relationship, id))?;
            }
        }
        if is_locked {
            break;
        }
        if let AnyConnection::Postgres(conn) = conn {
            LockRelationship { id: &id }.load::<i64>(conn)?;
        }
        is_locked = true;
    }
    let delete = DeleteRelationship { id: &id };
    let gone: Vec<Uuid> = match conn {
        AnyConnection::Sqlite(conn) => delete.load(conn)?,
        AnyConnection::Postgres(conn) => delete.load(conn)?,
    };
    if gone.is_empty() {
        return Ok(Err(WriteError::NotFound));
    }
    dialect::delete_claims(conn, &gone)?;
    Ok(Ok(id))
}

fn holders(conn: &mut AnyConnection, id: i64) -> QueryResult<Vec<i64>> {
    let listed = "user.relationship_transactables.%";
    let holders = Holders { members_of: &id, listed_in: &id, listed };
    match conn {
        AnyConnection::Sqlite(conn) => holders.load(conn),
        AnyConnection::Postgres(conn) => holders.load(conn),
    }
}
