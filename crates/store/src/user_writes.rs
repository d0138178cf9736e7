//! Updates and deletes users.

use std::collections::HashSet;

use diesel::dsl::max;
use diesel::sql_types::{BigInt, Text};
use diesel::{ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl};
use registrar_core::aggregate::{Claim, NewUser};
use uuid::Uuid;

use crate::claims::{Candidate, missing_references};
use crate::clock::now;
use crate::connection::AnyConnection;
use crate::dialect::{self, ClaimInsert, statement};
use crate::error::{CreateError, Refusal, WriteError};
use crate::idempotency;
use crate::plan::{IdCounts, PerTable, ReservedIds, RowBatch};
use crate::relationship_keys;
use crate::requests::UpdateUser;
use crate::tokens;
use crate::types::SqlUuid;
use crate::update_sql::{execute, update_user, upsert_password};
use crate::write_jobs::WriteResult;

pub(crate) fn update(conn: &mut AnyConnection, record: &UpdateUser) -> QueryResult<WriteResult> {
    let UpdateUser { id, uuid, lock_version, changed, .. } = record;
    let user = &changed.user;
    // It grows even where the clock does not.
    let at = now().max(lock_version.saturating_add(1));
    if !update_user(conn, user, *id, (*lock_version, at))? {
        return Ok(Err(WriteError::Conflict));
    }
    let giving = Giving { is_own: &|_| true, gives_up: &|claim| changed.released.releases(claim) };
    let refusals = refusals(conn, user, giving, uuid)?;
    if !refusals.is_empty() {
        return Ok(Err(CreateError::Refused(refusals).into()));
    }
    if let Some(phc) = &record.password_hash {
        upsert_password(conn, *id, phc, at)?;
        tokens::end_sessions(conn, *id, record.actor.token)?;
    }
    let mut counts = IdCounts::default();
    counts.add_records(user);
    let has_new = counts.any();
    let mut ids =
        if has_new { dialect::reserve_ids(conn, &counts)? } else { ReservedIds::default() };
    let first = if has_new { next_positions(conn, *id, &counts)? } else { PerTable::default() };
    let mut rows = RowBatch::after(at, first);
    rows.relationship_ids = relationship_keys::find_or_create(conn, [user])?;
    rows.add_records(user, *id, &mut ids)?;
    rows.insert(conn)?;
    let was_there = rows.updated.write(conn)?;
    Ok(if was_there { Ok(*id) } else { Err(WriteError::Conflict) })
}

statement! {
    ClaimsOf<'a> -> (Text, Text):
    "SELECT scope, value_key FROM unique_claims WHERE owner = " { owner: &'a Uuid as SqlUuid } ""
}

statement! {
    DropClaim<'a>:
    "DELETE FROM unique_claims WHERE scope = " { scope: &'a str as Text }
    " AND value_key = " { value_key: &'a str as Text }
    " AND owner = " { owner: &'a Uuid as SqlUuid }
    ""
}

/// Whose the claims are that an owner holds already.
#[derive(Clone, Copy)]
pub(crate) struct Giving<'g> {
    /// Whether one is of what is being written: then it is no clash.
    pub(crate) is_own: &'g dyn Fn(&Claim) -> bool,
    /// Whether one is given up.
    pub(crate) gives_up: &'g dyn Fn(&Claim) -> bool,
}

/// All claims of an owner.
pub(crate) fn claims_of(conn: &mut AnyConnection, owner: &Uuid) -> QueryResult<HashSet<Claim>> {
    let find = ClaimsOf { owner };
    let held: Vec<(String, String)> = match conn {
        AnyConnection::Sqlite(conn) => find.load(conn)?,
        AnyConnection::Postgres(conn) => find.load(conn)?,
    };
    let claim = |(scope, value_key): (String, _)| Claim { scope: scope.into(), value_key };
    Ok(held.into_iter().map(claim).collect())
}

/// Gives up a claim.
pub(crate) fn drop_claim(conn: &mut AnyConnection, claim: &Claim, owner: &Uuid) -> QueryResult<()> {
    let Claim { scope, value_key } = claim;
    execute!(conn, DropClaim { scope, value_key, owner }).map(drop)
}

/// Makes the claims that the owner does not hold yet and gives up those of what is gone. What the
/// database has against it: claims in their order, then references in theirs.
pub(crate) fn refusals(
    conn: &mut AnyConnection,
    user: &NewUser,
    giving: Giving<'_>,
    owner: &Uuid,
) -> QueryResult<Vec<Refusal>> {
    let held = claims_of(conn, owner)?;
    let is_others = |claim: &Claim| held.contains(claim) && !(giving.is_own)(claim);
    let claims = user.claims.iter().enumerate();
    let mut taken: Vec<usize> =
        claims.filter(|(_, claim)| is_others(claim)).map(|(index, _)| index).collect();
    let new = user.claims.iter().enumerate().filter(|(_, claim)| !held.contains(claim));
    let mut new: Vec<(usize, &Claim)> = new.collect();
    new.sort_by_key(|(_, claim)| *claim);
    let claims: Vec<ClaimInsert<'_>> =
        new.iter().map(|(_, claim)| ClaimInsert { claim, owner }).collect();
    let lost = if claims.is_empty() { Vec::new() } else { dialect::insert_claims(conn, &claims)? };
    taken.extend(lost.into_iter().map(|index| new[index].0));
    taken.sort_unstable();

    for claim in held.iter().filter(|claim| (giving.gives_up)(claim)) {
        drop_claim(conn, claim, owner)?;
    }

    let candidate =
        Candidate { uuid: *owner, claims: &[], references: &user.references, was_deferred: false };
    let mut missing = missing_references(conn, &[candidate])?.pop().unwrap_or_default();
    let mut refusals: Vec<Refusal> =
        taken.into_iter().map(|claim| Refusal::Taken { claim }).collect();
    refusals.append(&mut missing);
    Ok(refusals)
}

/// The places after those of a user's rows, in the tables that get new ones.
pub(crate) fn next_positions(
    conn: &mut AnyConnection,
    user_id: i64,
    counts: &IdCounts,
) -> QueryResult<PerTable<i32>> {
    use crate::schema::{
        addresses, customizations, files, relationship_users, transactables, user_profiles,
    };
    macro_rules! after {
        ($table:ident, $count:expr) => {
            if $count == 0 {
                0
            } else {
                let rows = $table::table.filter($table::user_id.eq(user_id));
                let last: Option<i32> = rows.select(max($table::position)).first(conn)?;
                last.map_or(0, |last| last.saturating_add(1))
            }
        };
    }
    Ok(PerTable {
        profiles: after!(user_profiles, counts.profiles),
        transactables: after!(transactables, counts.transactables),
        relationship_users: after!(relationship_users, counts.relationship_users),
        customizations: after!(customizations, counts.customizations),
        addresses: after!(addresses, counts.addresses),
        files: after!(files, counts.files),
        ..PerTable::default()
    })
}

statement! {
    DeleteUser<'a> -> SqlUuid:
    "DELETE FROM users WHERE id = " { id: &'a i64 as BigInt } " RETURNING uuid"
}

/// Deletes a user; the foreign keys take what hangs on it along.
pub(crate) fn delete(conn: &mut AnyConnection, id: i64) -> QueryResult<WriteResult> {
    let delete = DeleteUser { id: &id };
    let gone: Vec<Uuid> = match conn {
        AnyConnection::Sqlite(conn) => delete.load(conn)?,
        AnyConnection::Postgres(conn) => delete.load(conn)?,
    };
    if gone.is_empty() {
        return Ok(Err(WriteError::NotFound));
    }
    dialect::delete_claims(conn, &gone)?;
    idempotency::delete_of_user(conn, id)?;
    Ok(Ok(id))
}
