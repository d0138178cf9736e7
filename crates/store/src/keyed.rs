//! Relationships that memberships name by their key: found, or made where they may be.
//!
//! The database decides who makes one: of several at the same time one does, and the others find it.

use std::collections::{BTreeMap, HashMap};

use diesel::sql_types::{BigInt, Text};
use diesel::{QueryResult, RunQueryDsl};
use registrar_core::aggregate::{NewUser, RelationshipLink};
use uuid::Uuid;

use crate::batch::now;
use crate::changed::execute;
use crate::connection::AnyConnection;
use crate::dialect::{self, Lock, statement};
use crate::plan::Counts;
use crate::types::{JsonDoc, Micros, Uid};

/// The ids of relationships by type and key.
#[derive(Debug, Default)]
pub(crate) struct Keyed(HashMap<(String, String), i64>);

impl Keyed {
    /// The id of one that was found or made.
    pub(crate) fn id(&self, type_name: &str, key: &str) -> QueryResult<i64> {
        let known = self.0.get(&(type_name.to_owned(), key.to_owned()));
        known.copied().ok_or(diesel::result::Error::NotFound)
    }
}

statement! {
    Make<'a>:
    "INSERT INTO relationships (id, type_name, properties, created_at, uuid, key, updated_at) \
     VALUES (" { id: i64 as BigInt }
    ", " { type_name: &'a str as Text }
    ", " { properties: &'a str as JsonDoc }
    ", " { created_at: i64 as Micros }
    ", " { uuid: &'a Uuid as Uid }
    ", " { key: &'a str as Text }
    ", " { updated_at: i64 as Micros }
    ") ON CONFLICT (type_name, key) WHERE key IS NOT NULL DO NOTHING"
}

/// Finds the relationships that users name by their key, and makes those that are missing and may
/// be made. One that must be there is: its reference was looked up.
pub(crate) fn find_or_make<'a>(
    conn: &mut AnyConnection,
    users: impl IntoIterator<Item = &'a NewUser>,
) -> QueryResult<Keyed> {
    // Sorted, so that two writers never wait for each other.
    let mut wanted: BTreeMap<(&str, &str), Option<&str>> = BTreeMap::new();
    for member in users.into_iter().flat_map(|user| &user.relationship_users) {
        if let RelationshipLink::Keyed { type_name, key, make } = &member.relationship {
            let properties = wanted.entry((type_name, key)).or_default();
            *properties = properties.or(make.as_deref());
        }
    }
    let mut keyed = Keyed::default();
    for ((type_name, key), make) in wanted {
        let mut found = dialect::relationship_by_key(conn, (type_name, key), Lock::Kept)?;
        if let (None, Some(properties)) = (found, make) {
            make_one(conn, type_name, key, properties)?;
            found = dialect::relationship_by_key(conn, (type_name, key), Lock::Kept)?;
        }
        let name = (type_name.to_owned(), key.to_owned());
        keyed.0.extend(found.map(|id| (name, id)));
    }
    Ok(keyed)
}

fn make_one(
    conn: &mut AnyConnection,
    type_name: &str,
    key: &str,
    properties: &str,
) -> QueryResult<()> {
    let counts = Counts { relationships: 1, ..Counts::default() };
    let Some(id) = dialect::reserve_ids(conn, &counts)?.relationships.next() else {
        return Err(diesel::result::Error::NotFound);
    };
    let (uuid, at) = (&Uuid::now_v7(), now());
    let make = Make { id, type_name, properties, created_at: at, uuid, key, updated_at: at };
    execute!(conn, make).map(drop)
}
