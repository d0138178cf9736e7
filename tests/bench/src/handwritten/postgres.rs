//! Writes to PostgreSQL: one prepared statement per table and batch.

use std::collections::HashSet;

use diesel::pg::Pg;
use diesel::sql_types::{Array, BigInt, Integer, Text};
use diesel::{Connection, PgConnection, QueryResult, RunQueryDsl};
use uuid::Uuid;

use super::seller::{Outcome, Seller};
use super::statement::{Json, Uid, statement};

statement! {
    // Returns the 1-based positions of claims that other users hold.
    InsertClaims<'a> on Pg, PgConnection, gives BigInt:
    "WITH asked AS (SELECT * FROM unnest(" { scopes: &'a [&'a str] as Array<Text> }
    ", " { value_keys: &'a [&'a str] as Array<Text> }
    ", " { owners: &'a [&'a Uuid] as Array<Uid> }
    ") WITH ORDINALITY AS t (scope, value_key, owner, place)), \
     won AS (INSERT INTO unique_claims (scope, value_key, owner) \
     SELECT scope, value_key, owner FROM asked ON CONFLICT DO NOTHING \
     RETURNING scope, value_key) \
     SELECT place FROM asked LEFT JOIN won USING (scope, value_key) WHERE won.scope IS NULL"
}

statement! {
    DropClaims<'a> on Pg, PgConnection:
    "DELETE FROM unique_claims WHERE owner = ANY(" { owners: &'a [&'a Uuid] as Array<Uid> } ")"
}

statement! {
    InsertUsers<'a> on Pg, PgConnection, gives BigInt:
    "WITH asked AS (SELECT nextval('users_id_seq') AS id, t.* FROM unnest("
    { uuids: &'a [&'a Uuid] as Array<Uid> }
    ", " { emails: &'a [&'a str] as Array<Text> }
    ", " { first_names: &'a [&'a str] as Array<Text> }
    ", " { last_names: &'a [&'a str] as Array<Text> }
    ") WITH ORDINALITY AS t (uuid, email, first_name, last_name, place)), \
     made AS (INSERT INTO users (id, uuid, email, first_name, last_name, featured, \
     public_profile, form_name, form_version, created_at, updated_at) \
     SELECT id, uuid, email, first_name, last_name, false, true, \
     'marketplace_seller', 'by hand', now(), now() FROM asked) \
     SELECT id FROM asked ORDER BY place"
}

statement! {
    InsertPasswords<'a> on Pg, PgConnection:
    "INSERT INTO password_credentials (user_id, phc, created_at) \
     SELECT user_id, phc, now() FROM unnest(" { user_ids: &'a [i64] as Array<BigInt> }
    ", " { phcs: &'a [&'a str] as Array<Text> }
    ") AS t (user_id, phc)"
}

statement! {
    InsertProfiles<'a> on Pg, PgConnection:
    "INSERT INTO user_profiles (user_id, position, type_name, enabled, properties) \
     SELECT user_id, 0, 'seller', true, properties FROM unnest("
    { user_ids: &'a [i64] as Array<BigInt> }
    ", " { properties: &'a [&'a str] as Array<Json> }
    ") AS t (user_id, properties)"
}

statement! {
    InsertTransactables<'a> on Pg, PgConnection:
    "INSERT INTO transactables (user_id, position, type_name, name, currency, enabled, properties) \
     SELECT user_id, position, 'boat', name, currency, true, properties FROM unnest("
    { user_ids: &'a [i64] as Array<BigInt> }
    ", " { positions: &'a [i32] as Array<Integer> }
    ", " { names: &'a [&'a str] as Array<Text> }
    ", " { currencies: &'a [&'a str] as Array<Text> }
    ", " { properties: &'a [&'a str] as Array<Json> }
    ") AS t (user_id, position, name, currency, properties)"
}

statement! {
    InsertAudits<'a> on Pg, PgConnection:
    "INSERT INTO audit_events (created_at, action, kind, record_id, user_id, token_id, \
     form_name, form_version) SELECT now(), 'create', 'user', id, id, 1, 'marketplace_seller', \
     'by hand' FROM unnest(" { user_ids: &'a [i64] as Array<BigInt> }
    ") AS t (id)"
}

/// A claim, with the position of its seller in the batch and its own position in the seller.
struct Claim<'a> {
    scope: &'static str,
    value_key: &'a str,
    seller: usize,
    index: usize,
}

/// Writes a batch in one transaction.
pub(super) fn write(conn: &mut PgConnection, sellers: &[&Seller]) -> QueryResult<Vec<Outcome>> {
    let mut outcomes: Vec<Option<Outcome>> = Vec::new();
    outcomes.resize_with(sellers.len(), || None);
    let mut claims = Vec::with_capacity(sellers.len() * 4);
    let mut seen = HashSet::with_capacity(sellers.len() * 4);
    for (seller, itself) in sellers.iter().enumerate() {
        // Conflicts within a batch are resolved after the first of them is stored or rejected.
        if itself.claims().any(|claim| seen.contains(&claim)) {
            outcomes[seller] = Some(Outcome::Deferred);
            continue;
        }
        seen.extend(itself.claims());
        claims.extend(itself.claims().enumerate().map(|(index, (scope, value_key))| Claim {
            scope,
            value_key,
            seller,
            index,
        }));
    }
    // A consistent lock order prevents deadlocks between writers.
    claims.sort_unstable_by_key(|claim| (claim.scope, claim.value_key));

    conn.transaction(|conn| {
        claim(conn, sellers, &claims, &mut outcomes)?;
        let won: Vec<usize> = (0..sellers.len()).filter(|&i| outcomes[i].is_none()).collect();
        if !won.is_empty() {
            let winners: Vec<&Seller> = won.iter().map(|&place| sellers[place]).collect();
            for (place, id) in won.into_iter().zip(insert(conn, &winners)?) {
                outcomes[place] = Some(Outcome::Stored(id));
            }
        }
        Ok(outcomes.into_iter().map(|outcome| outcome.unwrap_or(Outcome::Failed)).collect())
    })
}

/// Inserts the claims, and releases those of sellers that did not get all of theirs.
fn claim(
    conn: &mut PgConnection,
    sellers: &[&Seller],
    claims: &[Claim<'_>],
    outcomes: &mut [Option<Outcome>],
) -> QueryResult<()> {
    let scopes: Vec<&str> = claims.iter().map(|claim| claim.scope).collect();
    let value_keys: Vec<&str> = claims.iter().map(|claim| claim.value_key).collect();
    let owners: Vec<&Uuid> = claims.iter().map(|claim| &sellers[claim.seller].uuid).collect();
    let insert = InsertClaims { scopes: &scopes, value_keys: &value_keys, owners: &owners };
    let lost: Vec<i64> = insert.load(conn)?;
    if lost.is_empty() {
        return Ok(());
    }
    let mut losers = Vec::new();
    for place in lost.into_iter().filter_map(|place| usize::try_from(place - 1).ok()) {
        let Claim { seller, index, .. } = claims[place];
        match &mut outcomes[seller] {
            Some(Outcome::Taken(taken)) => taken.push(index),
            outcome => {
                *outcome = Some(Outcome::Taken(vec![index]));
                losers.push(&sellers[seller].uuid);
            }
        }
    }
    DropClaims { owners: &losers }.execute(conn).map(drop)
}

/// Inserts the rows of accepted sellers and returns their ids.
fn insert(conn: &mut PgConnection, sellers: &[&Seller]) -> QueryResult<Vec<i64>> {
    fn column<'a, T: ?Sized>(
        sellers: &[&'a Seller],
        of: impl Fn(&'a Seller) -> &'a T,
    ) -> Vec<&'a T> {
        sellers.iter().map(|seller| of(seller)).collect()
    }
    let ids: Vec<i64> = InsertUsers {
        uuids: &column(sellers, |seller| &seller.uuid),
        emails: &column(sellers, |seller| seller.email.as_str()),
        first_names: &column(sellers, |seller| seller.first_name.as_str()),
        last_names: &column(sellers, |seller| seller.last_name.as_str()),
    }
    .load(conn)?;

    let with_password =
        || ids.iter().zip(sellers).filter_map(|(id, s)| Some((*id, s.phc.as_deref()?)));
    let (user_ids, phcs): (Vec<i64>, Vec<&str>) = with_password().unzip();
    if !phcs.is_empty() {
        InsertPasswords { user_ids: &user_ids, phcs: &phcs }.execute(conn)?;
    }
    InsertAudits { user_ids: &ids }.execute(conn)?;
    let properties = column(sellers, |seller| seller.profile.as_str());
    InsertProfiles { user_ids: &ids, properties: &properties }.execute(conn)?;

    let (mut user_ids, mut positions) = (Vec::new(), Vec::new());
    let (mut names, mut currencies, mut properties) = (Vec::new(), Vec::new(), Vec::new());
    for (id, seller) in ids.iter().zip(sellers) {
        for (boat, position) in seller.boats.iter().zip(0..) {
            user_ids.push(*id);
            positions.push(position);
            names.push(boat.name.as_str());
            currencies.push(boat.currency);
            properties.push(boat.properties.as_str());
        }
    }
    if !names.is_empty() {
        InsertTransactables {
            user_ids: &user_ids,
            positions: &positions,
            names: &names,
            currencies: &currencies,
            properties: &properties,
        }
        .execute(conn)?;
    }
    Ok(ids)
}
