//! Deletes records with their attachments and claims.

use diesel::sql_types::{BigInt, Text};
use diesel::{QueryResult, RunQueryDsl};
use registrar_core::record_kind::RecordKind;
use uuid::Uuid;

use super::owner::owner_of;
use super::requests::WriteResult;
use super::users;
use crate::connection::AnyConnection;
use crate::error::WriteError;
use crate::sql::types::SqlUuid;
use crate::sql::{execute, load, statement};
use crate::tables::unique_claims::{delete_claims_of_owners, delete_claims_of_record};
use crate::tables::users::touch_user;

/// Deletes a user or a record and returns its id.
pub(super) fn delete(
    conn: &mut AnyConnection,
    kind: RecordKind,
    id: i64,
) -> QueryResult<WriteResult> {
    match kind {
        RecordKind::User => return users::delete(conn, id),
        RecordKind::Relationship => return delete_relationship(conn, id),
        _ => {}
    }
    let Some(owner) = owner_of(conn, kind, id)? else { return Ok(Err(WriteError::NotFound)) };
    let Some(uuid) = touch_user(conn, owner, None)? else { return Ok(Err(WriteError::NotFound)) };
    if let RecordKind::Transactable | RecordKind::Customization = kind {
        delete_attachments(conn, (owner, &uuid), kind.record_name(), id)?;
    }
    if kind == RecordKind::Transactable {
        let in_relationships = InRelationships { transactable_id: &id };
        for id in load!(conn, in_relationships => i64)? {
            delete_claims_of_record(conn, &uuid, RecordKind::RelationshipTransactable, id)?;
        }
    }
    delete_claims_of_record(conn, &uuid, kind, id)?;
    // Foreign keys delete the rows that refer to the record.
    let id = &id;
    let deleted = match kind {
        RecordKind::Transactable => execute!(conn, DeleteTransactable { id }),
        RecordKind::RelationshipUser => execute!(conn, DeleteRelationshipUser { id }),
        RecordKind::RelationshipTransactable => {
            execute!(conn, DeleteRelationshipTransactable { id })
        }
        RecordKind::Customization => execute!(conn, DeleteCustomization { id }),
        RecordKind::User
        | RecordKind::Profile
        | RecordKind::Relationship
        | RecordKind::Address
        | RecordKind::Image
        | RecordKind::Attachment
        | RecordKind::Session => Ok(0),
    };
    Ok(if deleted? == 0 { Err(WriteError::NotFound) } else { Ok(*id) })
}

/// Declares statements with one id as their parameter.
macro_rules! by_id {
    ($($name:ident($id:ident) $(-> $returns:ty)?: $text:literal $end:literal),+ $(,)?) => { $(
        statement! { $name<'a> $(-> $returns)?: $text { $id: &'a i64 as BigInt } $end }
    )+ };
}

by_id! {
    DeleteTransactable(id): "DELETE FROM transactables WHERE id = " "",
    DeleteRelationshipUser(id): "DELETE FROM relationship_users WHERE id = " "",
    DeleteRelationshipTransactable(id): "DELETE FROM relationship_transactables WHERE id = " "",
    DeleteCustomization(id): "DELETE FROM customizations WHERE id = " "",
    DeleteRelationship(id) -> SqlUuid: "DELETE FROM relationships WHERE id = " " RETURNING uuid",
    LockRelationship(id) -> BigInt: "SELECT id FROM relationships WHERE id = " " FOR UPDATE",
    InRelationships(transactable_id) -> BigInt:
        "SELECT id FROM relationship_transactables WHERE transactable_id = " "",
    UsersOf(relationship_id) -> (BigInt, SqlUuid):
        "SELECT r.id, u.uuid FROM relationship_users r JOIN users u ON u.id = r.user_id \
         WHERE r.relationship_id = " "",
    LockUsersOf(relationship_id) -> (BigInt, SqlUuid):
        "SELECT r.id, u.uuid FROM relationship_users r JOIN users u ON u.id = r.user_id \
         WHERE r.relationship_id = " " ORDER BY r.id FOR UPDATE OF r",
    TransactablesOf(relationship_id) -> (BigInt, SqlUuid):
        "SELECT r.id, u.uuid FROM relationship_transactables r \
         JOIN transactables t ON t.id = r.transactable_id JOIN users u ON u.id = t.user_id \
         WHERE r.relationship_id = " "",
    LockTransactablesOf(relationship_id) -> (BigInt, SqlUuid):
        "SELECT r.id, u.uuid FROM relationship_transactables r \
         JOIN transactables t ON t.id = r.transactable_id JOIN users u ON u.id = t.user_id \
         WHERE r.relationship_id = " " ORDER BY r.id FOR UPDATE OF r",
}

statement! {
    NestedCustomizations<'a> -> BigInt:
    "WITH RECURSIVE nested (id) AS (SELECT id FROM customizations WHERE user_id = "
    { user_id: &'a i64 as BigInt }
    " AND owner_kind = " { owner_kind: &'a str as Text }
    " AND owner_id = " { owner_id: &'a i64 as BigInt }
    " UNION ALL SELECT c.id FROM customizations c JOIN nested ON c.owner_id = nested.id \
     WHERE c.owner_kind = 'customization' AND c.user_id = " { same_user_id: &'a i64 as BigInt }
    ") SELECT id FROM nested"
}

/// Declares statements that delete the rows attached to an owner.
macro_rules! of_owner {
    ($($name:ident: $table:literal),+ $(,)?) => { $(
        statement! {
            $name<'a>:
            $table { user_id: &'a i64 as BigInt }
            " AND owner_kind = " { owner_kind: &'a str as Text }
            " AND owner_id = " { owner_id: &'a i64 as BigInt }
            ""
        }
    )+ };
}

of_owner! {
    DeleteAddresses: "DELETE FROM addresses WHERE user_id = ",
    DeleteFiles: "DELETE FROM files WHERE user_id = ",
    DeleteCustomizations: "DELETE FROM customizations WHERE user_id = ",
}

/// Deletes the addresses, files and customizations of an owner, and those of its customizations.
fn delete_attachments(
    conn: &mut AnyConnection,
    (user_id, uuid): (i64, &Uuid),
    owner_kind: &str,
    owner_id: i64,
) -> QueryResult<()> {
    let user_id = &user_id;
    let nested =
        NestedCustomizations { user_id, owner_kind, owner_id: &owner_id, same_user_id: user_id };
    let nested = load!(conn, nested => i64)?;
    for id in &nested {
        delete_claims_of_record(conn, uuid, RecordKind::Customization, *id)?;
    }
    let owners = nested.iter().map(|id| ("customization", id));
    for (owner_kind, owner_id) in owners.chain([(owner_kind, &owner_id)]) {
        execute!(conn, DeleteAddresses { user_id, owner_kind, owner_id })?;
        execute!(conn, DeleteFiles { user_id, owner_kind, owner_id })?;
        execute!(conn, DeleteCustomizations { user_id, owner_kind, owner_id })?;
    }
    Ok(())
}

/// The id of a record, and the UUID of its owner.
type OwnedId = (i64, Uuid);

/// Deletes a relationship. Its users and transactables are locked before their claims are deleted, so
/// that no concurrent update adds claims to them.
fn delete_relationship(conn: &mut AnyConnection, id: i64) -> QueryResult<WriteResult> {
    let (id, relationship_id) = (&id, &id);
    let (users, transactables): (Vec<OwnedId>, Vec<OwnedId>) = match conn {
        AnyConnection::Sqlite(conn) => {
            let users = UsersOf { relationship_id }.load(conn)?;
            (users, TransactablesOf { relationship_id }.load(conn)?)
        }
        AnyConnection::Postgres(conn) => {
            LockRelationship { id }.load::<i64>(conn)?;
            let users = LockUsersOf { relationship_id }.load(conn)?;
            (users, LockTransactablesOf { relationship_id }.load(conn)?)
        }
    };
    for (id, owner) in users {
        delete_claims_of_record(conn, &owner, RecordKind::RelationshipUser, id)?;
    }
    for (id, owner) in transactables {
        delete_claims_of_record(conn, &owner, RecordKind::RelationshipTransactable, id)?;
    }
    let deleted = load!(conn, DeleteRelationship { id } => Uuid)?;
    if deleted.is_empty() {
        return Ok(Err(WriteError::NotFound));
    }
    delete_claims_of_owners(conn, &deleted)?;
    Ok(Ok(*id))
}
