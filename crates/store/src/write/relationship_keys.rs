//! Relationships that relationship users name by their key: found, or created if the form allows it.
//!
//! A unique index decides which of several concurrent transactions creates one; the others find it.

use std::collections::{BTreeMap, HashMap};

use diesel::QueryResult;
use diesel::sql_types::{BigInt, Text};
use registrar_core::aggregate::{Records, RelationshipLink};
use uuid::Uuid;

use crate::clock::now;
use crate::connection::AnyConnection;
use crate::read::references::{RowLock, relationship_by_key};
use crate::sql::types::{SqlJson, SqlTimestamp, SqlUuid};
use crate::sql::{execute, statement};
use crate::tables::counters::{IdCounts, next_id, reserve_ids};

/// Maximum number of attempts to create a relationship that others create and delete meanwhile.
const MAX_ATTEMPTS: usize = 10;

/// The ids of relationships by type and key.
#[derive(Debug, Default)]
pub(super) struct RelationshipIds(HashMap<(String, String), i64>);

impl RelationshipIds {
    /// Returns the id of a relationship that was found or created.
    pub(super) fn id(&self, type_name: &str, key: &str) -> QueryResult<i64> {
        let known = self.0.get(&(type_name.to_owned(), key.to_owned()));
        known.copied().ok_or(diesel::result::Error::NotFound)
    }
}

statement! {
    InsertRelationshipByKey<'a>:
    "INSERT INTO relationships (id, type_name, properties, created_at, uuid, key, updated_at) \
     VALUES (" { id: i64 as BigInt }
    ", " { type_name: &'a str as Text }
    ", " { properties: &'a str as SqlJson }
    ", " { created_at: i64 as SqlTimestamp }
    ", " { uuid: &'a Uuid as SqlUuid }
    ", " { key: &'a str as Text }
    ", " { updated_at: i64 as SqlTimestamp }
    ") ON CONFLICT (type_name, key) WHERE key IS NOT NULL DO NOTHING"
}

/// Finds the relationships that records name by their key, and creates missing ones if the form allows it.
/// The references to all others were checked before.
pub(super) fn find_or_create<'a>(
    conn: &mut AnyConnection,
    records: impl IntoIterator<Item = Records<'a>>,
) -> QueryResult<RelationshipIds> {
    // Sorted, so that two writers do not deadlock.
    let mut wanted: BTreeMap<(&str, &str), Option<&str>> = BTreeMap::new();
    for member in records.into_iter().flat_map(|records| records.relationship_users) {
        if let RelationshipLink::Keyed { type_name, key, make } = &member.relationship {
            let properties = wanted.entry((type_name, key)).or_default();
            *properties = properties.or(make.as_deref());
        }
    }
    let mut ids = RelationshipIds::default();
    for ((type_name, key), make) in wanted {
        let mut found = relationship_by_key(conn, (type_name, key), RowLock::KeyShare)?;
        if let Some(properties) = make {
            // Another transaction may create the relationship first, and a third one delete it again.
            for _ in 0..MAX_ATTEMPTS {
                if found.is_some() {
                    break;
                }
                create_by_key(conn, type_name, key, properties)?;
                found = relationship_by_key(conn, (type_name, key), RowLock::KeyShare)?;
            }
        }
        let name = (type_name.to_owned(), key.to_owned());
        ids.0.extend(found.map(|id| (name, id)));
    }
    Ok(ids)
}

fn create_by_key(
    conn: &mut AnyConnection,
    type_name: &str,
    key: &str,
    properties: &str,
) -> QueryResult<()> {
    let counts = IdCounts { relationships: 1, ..IdCounts::default() };
    let id = next_id(&mut reserve_ids(conn, &counts)?.relationships)?;
    let (uuid, at) = (&Uuid::now_v7(), now());
    let make = InsertRelationshipByKey {
        id,
        type_name,
        properties,
        created_at: at,
        uuid,
        key,
        updated_at: at,
    };
    execute!(conn, make).map(drop)
}
