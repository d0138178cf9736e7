//! The counters, or sequences, of ids, which are reserved for a whole transaction at once.
//!
//! They are reserved after the claims are decided, so that rejected submissions leave no gaps. The ids
//! of a user's new records follow their order in the submission, depth first.

use std::vec;

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::Error;
use diesel::sql_types::{Array, BigInt};
use diesel::{PgConnection, QueryResult, RunQueryDsl};
use registrar_core::aggregate::{Attachments, NewCustomization, Records, RelationshipLink};
use registrar_core::record_kind::RecordKind;

use crate::connection::AnyConnection;
use crate::sql::statement;

/// A value for each table with reserved ids.
#[derive(Debug, Default, Clone)]
pub(crate) struct PerTable<T> {
    pub(crate) users: T,
    pub(crate) profiles: T,
    pub(crate) transactables: T,
    pub(crate) relationships: T,
    pub(crate) relationship_users: T,
    pub(crate) relationship_transactables: T,
    pub(crate) customizations: T,
    pub(crate) addresses: T,
    pub(crate) files: T,
}

/// Numbers of ids to reserve.
pub(crate) type IdCounts = PerTable<i64>;

/// Reserved ids, ascending.
pub(crate) type ReservedIds = PerTable<vec::IntoIter<i64>>;

impl<T> PerTable<T> {
    /// Returns the value of the table of a kind of record, or `None` if it is not stored.
    pub(crate) fn of(&self, kind: RecordKind) -> Option<&T> {
        Some(match kind {
            RecordKind::User => &self.users,
            RecordKind::Profile => &self.profiles,
            RecordKind::Transactable => &self.transactables,
            RecordKind::Relationship => &self.relationships,
            RecordKind::RelationshipUser => &self.relationship_users,
            RecordKind::RelationshipTransactable => &self.relationship_transactables,
            RecordKind::Customization => &self.customizations,
            RecordKind::Address => &self.addresses,
            RecordKind::Image | RecordKind::Attachment => &self.files,
            RecordKind::Session => return None,
        })
    }
}

impl IdCounts {
    /// Adds the rows of a new user with these records.
    pub(crate) fn add_user(&mut self, records: &Records<'_>) {
        self.users += 1;
        self.add_records(records);
    }

    /// Adds the rows of those of the records that are new.
    pub(crate) fn add_records(&mut self, records: &Records<'_>) {
        self.profiles += count(records.profiles, |profile| profile.id);
        self.transactables += count(records.transactables, |transactable| transactable.id);
        self.relationship_users += count(records.relationship_users, |member| member.id);
        self.relationships += count(records.relationships, |relationship| relationship.id);
        self.relationship_transactables += count(records.relationship_transactables, |it| it.id);
        for member in records.relationship_users {
            if let RelationshipLink::New { .. } = member.relationship {
                self.relationships += 1;
            }
        }
        for profile in records.profiles {
            self.add_attached(&profile.attached);
        }
        for transactable in records.transactables {
            self.add_attached(&transactable.attached);
        }
        self.add_customizations(records.customizations);
    }

    /// Returns whether all numbers are 0.
    pub(crate) fn is_empty(&self) -> bool {
        self.users
            + self.profiles
            + self.transactables
            + self.relationships
            + self.relationship_users
            + self.relationship_transactables
            + self.customizations
            + self.addresses
            + self.files
            == 0
    }

    fn add_attached(&mut self, attached: &Attachments) {
        self.addresses += count(&attached.addresses, |address| address.id);
        self.files += count(&attached.files, |file| file.id);
        self.add_customizations(&attached.customizations);
    }

    fn add_customizations(&mut self, customizations: &[NewCustomization]) {
        self.customizations += count(customizations, |customization| customization.id);
        for customization in customizations {
            self.add_attached(&customization.attached);
        }
    }
}

/// Returns the number of items without an id.
fn count<T>(items: &[T], id: impl Fn(&T) -> Option<i64>) -> i64 {
    let new = items.iter().filter(|item| id(item).is_none()).count();
    i64::try_from(new).unwrap_or(i64::MAX)
}

/// Returns how many new records of its kind precede a new one among these in the order of their ids.
/// `path` has the kind and index of each record around it, then its own.
pub(crate) fn preceding_records(records: &Records<'_>, path: &[(RecordKind, usize)]) -> i64 {
    let Some((&(kind, index), nested)) = path.split_first() else { return 0 };
    match (kind, nested) {
        (RecordKind::Profile, []) => count_first(records.profiles, index, |it| it.id),
        (RecordKind::Transactable, []) => count_first(records.transactables, index, |it| it.id),
        (RecordKind::RelationshipUser, []) => {
            count_first(records.relationship_users, index, |it| it.id)
        }
        (RecordKind::RelationshipTransactable, []) => {
            count_first(records.relationship_transactables, index, |it| it.id)
        }
        _ => preceding_customizations(records, path),
    }
}

/// Customizations belong to profiles, transactables, the user and other customizations, in this order.
fn preceding_customizations(records: &Records<'_>, path: &[(RecordKind, usize)]) -> i64 {
    let Some((&(kind, index), nested)) = path.split_first() else { return 0 };
    let profiles = records.profiles.iter().map(|profile| &profile.attached);
    let transactables = records.transactables.iter().map(|transactable| &transactable.attached);
    let (preceding, nested) = match kind {
        RecordKind::Profile => (index, nested),
        RecordKind::Transactable => (records.profiles.len() + index, nested),
        _ => (records.profiles.len() + records.transactables.len(), path),
    };
    let mut all = profiles.chain(transactables);
    let mut counts = IdCounts::default();
    all.by_ref().take(preceding).for_each(|attached| counts.add_attached(attached));
    let mut list = match kind {
        RecordKind::Profile | RecordKind::Transactable => {
            all.next().map_or(&[][..], |attached| &attached.customizations)
        }
        _ => records.customizations,
    };
    for (depth, &(_, index)) in nested.iter().enumerate() {
        counts.add_customizations(list.get(..index).unwrap_or_default());
        let Some(around) = list.get(index).filter(|_| depth + 1 < nested.len()) else { break };
        counts.customizations += i64::from(around.id.is_none());
        list = &around.attached.customizations;
    }
    counts.customizations
}

/// Returns the number of items without an id among the first ones.
fn count_first<T>(items: &[T], len: usize, id: impl Fn(&T) -> Option<i64>) -> i64 {
    count(items.get(..len).unwrap_or(items), id)
}

/// Returns the next reserved id. Fewer ids than rows are a bug in [`IdCounts`].
pub(crate) fn next_id(ids: &mut vec::IntoIter<i64>) -> QueryResult<i64> {
    ids.next().ok_or_else(|| Error::QueryBuilderError("more rows than ids".into()))
}

statement! {
    IncrementCounters<'a> ->
        (BigInt, BigInt, BigInt, BigInt, BigInt, BigInt, BigInt, BigInt, BigInt):
    "UPDATE counters SET users = users + " { users: &'a i64 as BigInt }
    ", user_profiles = user_profiles + " { profiles: &'a i64 as BigInt }
    ", transactables = transactables + " { transactables: &'a i64 as BigInt }
    ", relationships = relationships + " { relationships: &'a i64 as BigInt }
    ", relationship_users = relationship_users + " { relationship_users: &'a i64 as BigInt }
    ", relationship_transactables = relationship_transactables + "
    { relationship_transactables: &'a i64 as BigInt }
    ", customizations = customizations + " { customizations: &'a i64 as BigInt }
    ", addresses = addresses + " { addresses: &'a i64 as BigInt }
    ", files = files + " { files: &'a i64 as BigInt }
    " RETURNING users, user_profiles, transactables, relationships, relationship_users, \
     relationship_transactables, customizations, addresses, files"
}

type LastIds = (i64, i64, i64, i64, i64, i64, i64, i64, i64);

statement! {
    ReadCounters<'a> ->
        (BigInt, BigInt, BigInt, BigInt, BigInt, BigInt, BigInt, BigInt, BigInt):
    "SELECT users, user_profiles, transactables, relationships, relationship_users, \
     relationship_transactables, customizations, addresses, files FROM counters WHERE only_row = "
    { only_row: &'a i64 as BigInt }
    ""
}

/// Returns the last id of each table, or `None` on PostgreSQL, where other connections reserve ids
/// meanwhile.
pub(crate) fn last_ids(conn: &mut AnyConnection) -> QueryResult<Option<IdCounts>> {
    let AnyConnection::Sqlite(conn) = conn else { return Ok(None) };
    let ids: LastIds = ReadCounters { only_row: &1 }.get_result(conn)?;
    Ok(Some(PerTable {
        users: ids.0,
        profiles: ids.1,
        transactables: ids.2,
        relationships: ids.3,
        relationship_users: ids.4,
        relationship_transactables: ids.5,
        customizations: ids.6,
        addresses: ids.7,
        files: ids.8,
    }))
}

/// Takes ids from the sequences that are needed: each costs as much as a claim. There are few different
/// texts of this statement, and a connection prepares each once.
struct NextIds<'a>([(&'static str, &'a i64); 9]);

impl QueryId for NextIds<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for NextIds<'_> {
    type SqlType = (
        Array<BigInt>,
        Array<BigInt>,
        Array<BigInt>,
        Array<BigInt>,
        Array<BigInt>,
        Array<BigInt>,
        Array<BigInt>,
        Array<BigInt>,
        Array<BigInt>,
    );
}

impl RunQueryDsl<PgConnection> for NextIds<'_> {}

impl QueryFragment<Pg> for NextIds<'_> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        pass.push_sql("SELECT ");
        for (index, (sequence, count)) in self.0.iter().enumerate() {
            if index > 0 {
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

/// Reserves ids in each table. They start at 1 on both databases.
pub(crate) fn reserve_ids(conn: &mut AnyConnection, counts: &IdCounts) -> QueryResult<ReservedIds> {
    if counts.is_empty() {
        return Ok(ReservedIds::default());
    }
    let PerTable {
        users,
        profiles,
        transactables,
        relationships,
        relationship_users,
        relationship_transactables,
        customizations,
        addresses,
        files,
    } = counts;
    let ids = match conn {
        AnyConnection::Sqlite(conn) => {
            let last: LastIds = IncrementCounters {
                users,
                profiles,
                transactables,
                relationships,
                relationship_users,
                relationship_transactables,
                customizations,
                addresses,
                files,
            }
            .get_result(conn)?;
            let up_to = |last: i64, count: &i64| (last - count + 1..=last).collect::<Vec<i64>>();
            (
                up_to(last.0, users),
                up_to(last.1, profiles),
                up_to(last.2, transactables),
                up_to(last.3, relationships),
                up_to(last.4, relationship_users),
                up_to(last.5, relationship_transactables),
                up_to(last.6, customizations),
                up_to(last.7, addresses),
                up_to(last.8, files),
            )
        }
        AnyConnection::Postgres(conn) => NextIds([
            ("users_id_seq", users),
            ("user_profiles_id_seq", profiles),
            ("transactables_id_seq", transactables),
            ("relationships_id_seq", relationships),
            ("relationship_users_id_seq", relationship_users),
            ("relationship_transactables_id_seq", relationship_transactables),
            ("customizations_id_seq", customizations),
            ("addresses_id_seq", addresses),
            ("files_id_seq", files),
        ])
        .get_result(conn)?,
    };
    Ok(PerTable {
        users: ids.0.into_iter(),
        profiles: ids.1.into_iter(),
        transactables: ids.2.into_iter(),
        relationships: ids.3.into_iter(),
        relationship_users: ids.4.into_iter(),
        relationship_transactables: ids.5.into_iter(),
        customizations: ids.6.into_iter(),
        addresses: ids.7.into_iter(),
        files: ids.8.into_iter(),
    })
}
