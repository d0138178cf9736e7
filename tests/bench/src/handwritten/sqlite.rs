//! Writes to SQLite: single rows in one immediate transaction, with prepared statements.

use std::time::{SystemTime, UNIX_EPOCH};

use diesel::sql_types::{BigInt, Integer, Text};
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, RunQueryDsl, SqliteConnection};
use uuid::Uuid;

use super::seller::{Outcome, Seller};
use super::statement::{Uid, statement};

statement! {
    InsertClaim<'a> on Sqlite, SqliteConnection:
    "INSERT INTO unique_claims (scope, value_key, owner) VALUES (" { scope: &'a str as Text }
    ", " { value_key: &'a str as Text }
    ", " { owner: &'a Uuid as Uid }
    ") ON CONFLICT DO NOTHING"
}

statement! {
    DropClaims<'a> on Sqlite, SqliteConnection:
    "DELETE FROM unique_claims WHERE owner = " { owner: &'a Uuid as Uid } ""
}

statement! {
    // The immediate transaction excludes other writers, so that no one else can take the next id.
    LastUser<'a> on Sqlite, SqliteConnection, gives BigInt:
    "SELECT coalesce(max(id), " { none: &'a i64 as BigInt } ") FROM users"
}

statement! {
    InsertUser<'a> on Sqlite, SqliteConnection:
    "INSERT INTO users (featured, public_profile, form_name, form_version, \
     id, uuid, email, first_name, last_name, created_at, updated_at) \
     VALUES (0, 1, 'marketplace_seller', 'by hand', " { id: &'a i64 as BigInt }
    ", " { uuid: &'a Uuid as Uid }
    ", " { email: &'a str as Text }
    ", " { first_name: &'a str as Text }
    ", " { last_name: &'a str as Text }
    ", " { created_at: &'a i64 as BigInt }
    ", " { updated_at: &'a i64 as BigInt }
    ")"
}

statement! {
    InsertPassword<'a> on Sqlite, SqliteConnection:
    "INSERT INTO password_credentials (user_id, phc, created_at) VALUES ("
    { user_id: &'a i64 as BigInt }
    ", " { phc: &'a str as Text }
    ", " { created_at: &'a i64 as BigInt }
    ")"
}

statement! {
    InsertProfile<'a> on Sqlite, SqliteConnection:
    "INSERT INTO user_profiles (position, type_name, enabled, user_id, properties) \
     VALUES (0, 'seller', 1, " { user_id: &'a i64 as BigInt }
    ", " { properties: &'a str as Text }
    ")"
}

statement! {
    InsertTransactable<'a> on Sqlite, SqliteConnection:
    "INSERT INTO transactables (type_name, enabled, user_id, position, name, currency, properties) \
     VALUES ('boat', 1, " { user_id: &'a i64 as BigInt }
    ", " { position: &'a i32 as Integer }
    ", " { name: &'a str as Text }
    ", " { currency: &'a str as Text }
    ", " { properties: &'a str as Text }
    ")"
}

statement! {
    InsertAudit<'a> on Sqlite, SqliteConnection:
    "INSERT INTO audit_events (action, kind, token_id, form_name, form_version, created_at, \
     record_id, user_id) VALUES ('create', 'user', 1, 'marketplace_seller', 'by hand', "
    { created_at: &'a i64 as BigInt }
    ", " { record_id: &'a i64 as BigInt }
    ", " { user_id: &'a i64 as BigInt }
    ")"
}

/// Writes a batch sequentially in one transaction.
pub(super) fn write(conn: &mut SqliteConnection, sellers: &[&Seller]) -> QueryResult<Vec<Outcome>> {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX);
    conn.immediate_transaction(|conn| {
        let mut id: i64 = LastUser { none: &0 }.get_result(conn)?;
        let mut outcomes = Vec::with_capacity(sellers.len());
        for seller in sellers {
            let mut taken = Vec::new();
            for (index, (scope, value_key)) in seller.claims().enumerate() {
                let claim = InsertClaim { scope, value_key, owner: &seller.uuid };
                if claim.execute(conn)? == 0 {
                    taken.push(index);
                }
            }
            if !taken.is_empty() {
                DropClaims { owner: &seller.uuid }.execute(conn)?;
                outcomes.push(Outcome::Taken(taken));
                continue;
            }
            id += 1;
            insert(conn, seller, id, now)?;
            outcomes.push(Outcome::Stored(id));
        }
        Ok(outcomes)
    })
}

fn insert(conn: &mut SqliteConnection, seller: &Seller, id: i64, now: i64) -> QueryResult<()> {
    InsertUser {
        id: &id,
        uuid: &seller.uuid,
        email: &seller.email,
        first_name: &seller.first_name,
        last_name: &seller.last_name,
        created_at: &now,
        updated_at: &now,
    }
    .execute(conn)?;
    if let Some(phc) = &seller.phc {
        InsertPassword { user_id: &id, phc, created_at: &now }.execute(conn)?;
    }
    InsertAudit { created_at: &now, record_id: &id, user_id: &id }.execute(conn)?;
    InsertProfile { user_id: &id, properties: &seller.profile }.execute(conn)?;
    for (boat, position) in seller.boats.iter().zip(0..) {
        InsertTransactable {
            user_id: &id,
            position: &position,
            name: &boat.name,
            currency: boat.currency,
            properties: &boat.properties,
        }
        .execute(conn)?;
    }
    Ok(())
}
