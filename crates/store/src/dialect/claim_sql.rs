//! What the writer asks of the database before it writes rows: who wins which claim, and which ids
//! the winners get.
//!
//! Each is one cached statement for a whole batch on PostgreSQL, and cached statements for single
//! values on SQLite, where there is no round trip to save. Deciding with the answers is
//! [`crate::claims`]'s work.

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Text};
use diesel::{PgConnection, QueryResult, RunQueryDsl};
use registrar_core::aggregate::Claim;
use uuid::Uuid;

use super::statement;
use crate::connection::AnyConnection;
use crate::plan::{IdCounts, PerTable, ReservedIds};
use crate::types::SqlUuid;

/// A claim and who makes it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClaimInsert<'a> {
    pub(crate) claim: &'a Claim,
    pub(crate) owner: &'a Uuid,
}

statement! {
    InsertClaim<'a>:
    "INSERT INTO unique_claims (scope, value_key, owner) VALUES (" { scope: &'a str as Text }
    ", " { value_key: &'a str as Text }
    ", " { owner: &'a Uuid as SqlUuid }
    ") ON CONFLICT DO NOTHING"
}

statement! {
    // The rows go in in the order given: sorted, so that two writers never wait for each other.
    // It gives the places (from 1) of the claims that were conflicts: most often none.
    InsertClaims<'a> -> BigInt:
    "WITH input AS (SELECT * FROM unnest(" { scopes: &'a [&'a str] as Array<Text> }
    ", " { value_keys: &'a [&'a str] as Array<Text> }
    ", " { owners: &'a [&'a Uuid] as Array<SqlUuid> }
    ") WITH ORDINALITY AS t (scope, value_key, owner, place)), \
     inserted AS (INSERT INTO unique_claims (scope, value_key, owner) \
     SELECT scope, value_key, owner FROM input ON CONFLICT DO NOTHING \
     RETURNING scope, value_key) \
     SELECT place FROM input LEFT JOIN inserted USING (scope, value_key) WHERE inserted.scope IS NULL"
}

/// Makes claims, which must be sorted and no two alike. Gives the indices of those that somebody
/// else holds.
pub(crate) fn insert_claims(
    conn: &mut AnyConnection,
    claims: &[ClaimInsert<'_>],
) -> QueryResult<Vec<usize>> {
    match conn {
        AnyConnection::Sqlite(conn) => {
            let mut conflicts = Vec::new();
            for (place, ClaimInsert { claim, owner }) in claims.iter().enumerate() {
                let insert =
                    InsertClaim { scope: &claim.scope, value_key: &claim.value_key, owner };
                if insert.execute(conn)? == 0 {
                    conflicts.push(place);
                }
            }
            Ok(conflicts)
        }
        AnyConnection::Postgres(conn) => {
            let scopes: Vec<&str> = claims.iter().map(|insert| &*insert.claim.scope).collect();
            let value_keys: Vec<&str> =
                claims.iter().map(|insert| insert.claim.value_key.as_str()).collect();
            let owners: Vec<&Uuid> = claims.iter().map(|insert| insert.owner).collect();
            let insert = InsertClaims { scopes: &scopes, value_keys: &value_keys, owners: &owners };
            insert.load::<i64>(conn).map(to_indices)
        }
    }
}

statement! {
    FindClaim<'a> -> BigInt:
    "SELECT 1 FROM unique_claims WHERE scope = " { scope: &'a str as Text }
    " AND value_key = " { value_key: &'a str as Text }
    ""
}

statement! {
    FindClaims<'a> -> BigInt:
    "SELECT place FROM unnest(" { scopes: &'a [&'a str] as Array<Text> }
    ", " { value_keys: &'a [&'a str] as Array<Text> }
    ") WITH ORDINALITY AS input (scope, value_key, place) \
     JOIN unique_claims USING (scope, value_key)"
}

/// The indices of the claims that somebody holds already. It makes none.
pub(crate) fn claims_that_exist(
    conn: &mut AnyConnection,
    claims: &[&Claim],
) -> QueryResult<Vec<usize>> {
    match conn {
        AnyConnection::Sqlite(conn) => {
            let mut found = Vec::new();
            for (place, claim) in claims.iter().enumerate() {
                let find = FindClaim { scope: &claim.scope, value_key: &claim.value_key };
                if !find.load::<i64>(conn)?.is_empty() {
                    found.push(place);
                }
            }
            Ok(found)
        }
        AnyConnection::Postgres(conn) => {
            let scopes: Vec<&str> = claims.iter().map(|claim| &*claim.scope).collect();
            let value_keys: Vec<&str> = claims.iter().map(|claim| &*claim.value_key).collect();
            let find = FindClaims { scopes: &scopes, value_keys: &value_keys };
            find.load::<i64>(conn).map(to_indices)
        }
    }
}

/// PostgreSQL's places count from 1.
fn to_indices(places: Vec<i64>) -> Vec<usize> {
    places.into_iter().filter_map(|place| usize::try_from(place - 1).ok()).collect()
}

statement! {
    DeleteOwnerClaims<'a>:
    "DELETE FROM unique_claims WHERE owner = " { owner: &'a Uuid as SqlUuid } ""
}

statement! {
    DeleteOwnersClaims<'a>:
    "DELETE FROM unique_claims WHERE owner = ANY(" { owners: &'a [Uuid] as Array<SqlUuid> } ")"
}

/// Gives up all claims of these owners.
pub(crate) fn delete_claims(conn: &mut AnyConnection, owners: &[Uuid]) -> QueryResult<()> {
    match conn {
        AnyConnection::Sqlite(conn) => {
            for owner in owners {
                DeleteOwnerClaims { owner }.execute(conn)?;
            }
        }
        AnyConnection::Postgres(conn) => {
            DeleteOwnersClaims { owners }.execute(conn)?;
        }
    }
    Ok(())
}

statement! {
    IncrementCounters<'a> -> (BigInt, BigInt, BigInt, BigInt, BigInt, BigInt, BigInt, BigInt):
    "UPDATE counters SET users = users + " { users: &'a i64 as BigInt }
    ", user_profiles = user_profiles + " { profiles: &'a i64 as BigInt }
    ", transactables = transactables + " { transactables: &'a i64 as BigInt }
    ", relationships = relationships + " { relationships: &'a i64 as BigInt }
    ", relationship_users = relationship_users + " { relationship_users: &'a i64 as BigInt }
    ", customizations = customizations + " { customizations: &'a i64 as BigInt }
    ", addresses = addresses + " { addresses: &'a i64 as BigInt }
    ", files = files + " { files: &'a i64 as BigInt }
    " RETURNING users, user_profiles, transactables, relationships, relationship_users, \
     customizations, addresses, files"
}

type IdArrays = (
    Array<BigInt>,
    Array<BigInt>,
    Array<BigInt>,
    Array<BigInt>,
    Array<BigInt>,
    Array<BigInt>,
    Array<BigInt>,
    Array<BigInt>,
);

/// Asks only the sequences that are needed: each costs as much as a claim. There are few different
/// texts of it, and a connection prepares each of them once.
struct NextIds<'a>([(&'static str, &'a i64); 8]);

impl QueryId for NextIds<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for NextIds<'_> {
    type SqlType = IdArrays;
}

impl RunQueryDsl<PgConnection> for NextIds<'_> {}

impl QueryFragment<Pg> for NextIds<'_> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        pass.push_sql("SELECT ");
        for (place, (sequence, count)) in self.0.iter().enumerate() {
            if place > 0 {
                pass.push_sql(", ");
            }
            match **count {
                0 => pass.push_sql("ARRAY[]::bigint[]"),
                1 => {
                    pass.push_sql("ARRAY[nextval('");
                    pass.push_sql(sequence);
                    pass.push_sql("')]");
                }
                _ => {
                    pass.push_sql("ARRAY(SELECT nextval('");
                    pass.push_sql(sequence);
                    pass.push_sql("') FROM generate_series(1, ");
                    pass.push_bind_param::<BigInt, i64>(count)?;
                    pass.push_sql("))");
                }
            }
        }
        Ok(())
    }
}

statement! {
    IncrementRelationshipTransactables<'a> -> BigInt:
    "UPDATE counters SET relationship_transactables = relationship_transactables + "
    { count: &'a i64 as BigInt }
    " RETURNING relationship_transactables"
}

/// The next id of a listing in a relationship, which none of a batch of users needs.
pub(crate) fn reserve_relationship_transactable_id(conn: &mut AnyConnection) -> QueryResult<i64> {
    match conn {
        AnyConnection::Sqlite(conn) => {
            IncrementRelationshipTransactables { count: &1 }.get_result(conn)
        }
        AnyConnection::Postgres(conn) => {
            diesel::dsl::sql::<BigInt>("SELECT nextval('relationship_transactables_id_seq')")
                .get_result(conn)
        }
    }
}

/// As many new ids in each table as are input for, ascending. They start at 1 on both databases.
pub(crate) fn reserve_ids(conn: &mut AnyConnection, counts: &IdCounts) -> QueryResult<ReservedIds> {
    let PerTable {
        users,
        profiles,
        transactables,
        relationships,
        relationship_users,
        customizations,
        addresses,
        files,
    } = counts;
    let lists = match conn {
        AnyConnection::Sqlite(conn) => {
            // What is returned is the last id of each table.
            let last = IncrementCounters {
                users,
                profiles,
                transactables,
                relationships,
                relationship_users,
                customizations,
                addresses,
                files,
            }
            .get_result::<(i64, i64, i64, i64, i64, i64, i64, i64)>(conn)?;
            let up_to = |last: i64, count: &i64| (last - count + 1..=last).collect::<Vec<i64>>();
            (
                up_to(last.0, users),
                up_to(last.1, profiles),
                up_to(last.2, transactables),
                up_to(last.3, relationships),
                up_to(last.4, relationship_users),
                up_to(last.5, customizations),
                up_to(last.6, addresses),
                up_to(last.7, files),
            )
        }
        AnyConnection::Postgres(conn) => NextIds([
            ("users_id_seq", users),
            ("user_profiles_id_seq", profiles),
            ("transactables_id_seq", transactables),
            ("relationships_id_seq", relationships),
            ("relationship_users_id_seq", relationship_users),
            ("customizations_id_seq", customizations),
            ("addresses_id_seq", addresses),
            ("files_id_seq", files),
        ])
        .get_result(conn)?,
    };
    Ok(PerTable {
        users: lists.0.into_iter(),
        profiles: lists.1.into_iter(),
        transactables: lists.2.into_iter(),
        relationships: lists.3.into_iter(),
        relationship_users: lists.4.into_iter(),
        customizations: lists.5.into_iter(),
        addresses: lists.6.into_iter(),
        files: lists.7.into_iter(),
    })
}
