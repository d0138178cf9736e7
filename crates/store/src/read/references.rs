//! Checks that the rows exist that submissions refer to.
//!
//! On PostgreSQL the rows can be locked, so that they are not deleted before the commit; on SQLite
//! there is only one writer.

use std::collections::{BTreeSet, HashSet};

use diesel::{
    ExpressionMethods, JoinOnDsl, NullableExpressionMethods, OptionalExtension, QueryDsl,
    QueryResult, RunQueryDsl,
};
use registrar_core::aggregate::{Claim, Reference, ReferenceKey};
use registrar_core::record_kind::RecordKind;

use crate::connection::AnyConnection;
use crate::error::Refusal;
use crate::tables::schema::{
    addresses, customizations, files, relationship_transactables, relationship_users,
    relationships, transactables, unique_claims, user_profiles, users,
};
use crate::tables::unique_claims::existing_claims;

/// Lock on the rows that are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowLock {
    KeyShare,
    None,
}

/// Returns the values that exist in a column: one query for all on PostgreSQL, one for each on SQLite.
macro_rules! existing {
    ($conn:ident, $from:expr, $column:expr, $selected:expr, $keys:ident, $lock:ident) => {
        match $conn {
            AnyConnection::Sqlite(conn) => {
                let mut found = Vec::new();
                for &key in $keys {
                    let query = $from.filter($column.eq(key)).select($selected);
                    found.append(&mut query.limit(1).load(conn)?);
                }
                Ok(found)
            }
            AnyConnection::Postgres(conn) => {
                let found = $from.filter($column.eq_any($keys)).select($selected);
                match $lock {
                    RowLock::KeyShare => found.for_key_share().load(conn),
                    RowLock::None => found.load(conn),
                }
            }
        }
    };
}

/// Returns those of the ids that exist.
pub(crate) fn existing_ids(
    conn: &mut AnyConnection,
    target: RecordKind,
    ids: &[i64],
    lock: RowLock,
) -> QueryResult<Vec<i64>> {
    macro_rules! ids {
        ($table:ident) => {
            existing!(conn, $table::table, $table::id, $table::id, ids, lock)
        };
    }
    match target {
        RecordKind::User => ids!(users),
        RecordKind::Relationship => ids!(relationships),
        RecordKind::Transactable => ids!(transactables),
        RecordKind::Profile => ids!(user_profiles),
        RecordKind::Customization => ids!(customizations),
        RecordKind::RelationshipUser => ids!(relationship_users),
        RecordKind::RelationshipTransactable => ids!(relationship_transactables),
        RecordKind::Address => ids!(addresses),
        RecordKind::Image | RecordKind::Attachment => ids!(files),
        RecordKind::Session => Ok(Vec::new()),
    }
}

/// Returns the id of the relationship with a type and key.
pub(crate) fn relationship_by_key(
    conn: &mut AnyConnection,
    (type_name, key): (&str, &str),
    lock: RowLock,
) -> QueryResult<Option<i64>> {
    let query = relationships::table
        .filter(relationships::type_name.eq(type_name))
        .filter(relationships::key.eq(key))
        .select(relationships::id);
    match conn {
        AnyConnection::Sqlite(conn) => query.first(conn),
        AnyConnection::Postgres(conn) => match lock {
            RowLock::KeyShare => query.for_key_share().first(conn),
            RowLock::None => query.first(conn),
        },
    }
    .optional()
}

fn existing_external_ids(
    conn: &mut AnyConnection,
    ids: &[&str],
    lock: RowLock,
) -> QueryResult<Vec<String>> {
    let selected = || users::external_id.assume_not_null();
    existing!(conn, users::table, users::external_id, selected(), ids, lock)
}

fn existing_email_keys(
    conn: &mut AnyConnection,
    keys: &[&str],
    lock: RowLock,
) -> QueryResult<Vec<String>> {
    use unique_claims::value_key;
    let selected = || users::email_key.assume_not_null();
    let found: QueryResult<Vec<String>> =
        existing!(conn, users::table, users::email_key, selected(), keys, lock);
    let claimed: QueryResult<Vec<String>> =
        existing!(conn, claimed_emails(), value_key, value_key, keys, lock);
    Ok([found?, claimed?].concat())
}

/// Returns the users that are found by the claim of their e-mail address.
#[diesel::dsl::auto_type]
fn claimed_emails() -> _ {
    let scope: &'static str = Claim::OF_EMAIL;
    let owner = users::table.on(users::uuid.eq(unique_claims::owner));
    unique_claims::table
        .inner_join(owner)
        .filter(unique_claims::scope.eq(scope))
        .filter(users::email_key.is_null())
        .filter(users::email.is_not_null())
}

/// Returns the reasons for which claims and references would be rejected now. Writes and locks nothing.
pub(crate) fn preview_refusals(
    conn: &mut AnyConnection,
    claims: &[Claim],
    references: &[Reference],
) -> QueryResult<Vec<Refusal>> {
    let taken = existing_claims(conn, &claims.iter().collect::<Vec<_>>())?;
    let missing = missing_references(conn, &[references], RowLock::None)?;
    let taken = taken.into_iter().map(|claim| Refusal::Taken { claim });
    Ok(taken.chain(missing.into_iter().flatten()).collect())
}

/// Returns the missing references of each submission.
pub(crate) fn missing_references(
    conn: &mut AnyConnection,
    submissions: &[&[Reference]],
    lock: RowLock,
) -> QueryResult<Vec<Vec<Refusal>>> {
    let mut missing = vec![Vec::new(); submissions.len()];
    let wanted: HashSet<&Reference> = submissions.iter().copied().flatten().collect();
    if wanted.is_empty() {
        return Ok(missing);
    }
    let found = existing_references(conn, &wanted, lock)?;
    for (references, missing) in submissions.iter().zip(&mut missing) {
        for (reference, wanted) in references.iter().enumerate() {
            if !found.contains(wanted) {
                missing.push(Refusal::Missing { reference });
            }
        }
    }
    Ok(missing)
}

/// Returns the references to existing rows, with one query for each kind that occurs.
fn existing_references(
    conn: &mut AnyConnection,
    wanted: &HashSet<&Reference>,
    lock: RowLock,
) -> QueryResult<HashSet<Reference>> {
    use RecordKind::{Customization, Profile, Relationship, Transactable, User};

    let mut found = HashSet::new();
    for resource in [User, Relationship, Transactable, Profile, Customization] {
        let ids = wanted.iter().filter(|reference| reference.resource == resource);
        let ids: BTreeSet<i64> = ids
            .filter_map(|reference| match reference.value {
                ReferenceKey::Id(id) => Some(id),
                _ => None,
            })
            .collect();
        if !ids.is_empty() {
            let ids = existing_ids(conn, resource, &Vec::from_iter(ids), lock)?;
            let ids = ids.into_iter().map(ReferenceKey::Id);
            found.extend(ids.map(|value| Reference { resource, value }));
        }
    }
    let (mut external_ids, mut email_keys) = (BTreeSet::new(), BTreeSet::new());
    for reference in wanted.iter().filter(|reference| reference.resource == User) {
        match &reference.value {
            ReferenceKey::ExternalId(id) => external_ids.insert(id.as_str()),
            ReferenceKey::EmailKey(key) => email_keys.insert(key.as_str()),
            _ => false,
        };
    }
    let user = |value| Reference { resource: User, value };
    if !external_ids.is_empty() {
        let ids = existing_external_ids(conn, &Vec::from_iter(external_ids), lock)?;
        found.extend(ids.into_iter().map(ReferenceKey::ExternalId).map(user));
    }
    if !email_keys.is_empty() {
        let keys = existing_email_keys(conn, &Vec::from_iter(email_keys), lock)?;
        found.extend(keys.into_iter().map(ReferenceKey::EmailKey).map(user));
    }
    for reference in wanted {
        if let ReferenceKey::Key { type_name, key } = &reference.value
            && relationship_by_key(conn, (type_name, key), lock)?.is_some()
        {
            found.insert((*reference).clone());
        }
    }
    Ok(found)
}
