//! Reads of records without their users.

use registrar_core::record_kind::RecordKind;
use std::collections::HashMap;

use diesel::{ExpressionMethods, NullableExpressionMethods, QueryDsl, QueryResult, RunQueryDsl};

use super::attachments::Attachments;
use super::filter::{Pagination, RecordFilter};
use crate::connection::AnyConnection;
use crate::sql::id_in;
use crate::tables::customizations::StoredCustomization;
use crate::tables::relationship_transactables::StoredRelationshipTransactable;
use crate::tables::relationship_users::StoredRelationshipUser;
use crate::tables::relationships::StoredRelationship;
use crate::tables::schema::{
    customizations, relationship_transactables, relationship_users, relationships, transactables,
    users,
};
use crate::tables::transactables::StoredTransactable;

/// A record with its nested records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// The record.
    pub body: RecordBody,
    /// Id of the owner; for a relationship, of the creator, if known.
    pub user_id: Option<i64>,
    /// The `updated_at` of the owner, or of the relationship, for [`crate::UpdateRequest`].
    pub lock_version: i64,
}

/// A record by its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordBody {
    /// A transactable.
    Transactable(StoredTransactable),
    /// A relationship.
    Relationship(StoredRelationship),
    /// The membership of a user in a relationship.
    RelationshipUser(StoredRelationshipUser),
    /// A transactable in a relationship.
    RelationshipTransactable(StoredRelationshipTransactable),
    /// A customization.
    Customization {
        /// The customization.
        customization: StoredCustomization,
        /// Kind of the record that it belongs to: `user`, `profile`, `transactable` or `customization`.
        owner_kind: String,
        /// Id of that record.
        owner_id: i64,
    },
}

impl StoredRecord {
    /// Returns the kind of the record.
    #[must_use]
    pub fn kind(&self) -> RecordKind {
        match self.body {
            RecordBody::Transactable(_) => RecordKind::Transactable,
            RecordBody::Relationship(_) => RecordKind::Relationship,
            RecordBody::RelationshipUser(_) => RecordKind::RelationshipUser,
            RecordBody::RelationshipTransactable(_) => RecordKind::RelationshipTransactable,
            RecordBody::Customization { .. } => RecordKind::Customization,
        }
    }

    /// Returns the id of the record.
    #[must_use]
    pub fn id(&self) -> i64 {
        match &self.body {
            RecordBody::Transactable(transactable) => transactable.id,
            RecordBody::Relationship(relationship) => relationship.id,
            RecordBody::RelationshipUser(member) => member.id,
            RecordBody::RelationshipTransactable(transactable) => transactable.id,
            RecordBody::Customization { customization, .. } => customization.id,
        }
    }
}

/// A page of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordPage {
    /// The records in the requested order.
    pub records: Vec<StoredRecord>,
    /// Number of records on all pages.
    pub total: i64,
}

/// Returns the record of a kind with an id, or `None` if there is none.
pub(crate) fn load_record(
    conn: &mut AnyConnection,
    kind: RecordKind,
    id: i64,
) -> QueryResult<Option<StoredRecord>> {
    let filter = RecordFilter { ids: Some(vec![id]), ..RecordFilter::default() };
    Ok(list_records(conn, kind, &filter, Pagination::FIRST)?.records.pop())
}

/// Returns the records that match a filter; none of a kind that is not read on its own.
pub(crate) fn list_records(
    conn: &mut AnyConnection,
    kind: RecordKind,
    filter: &RecordFilter,
    pagination: Pagination,
) -> QueryResult<RecordPage> {
    match kind {
        RecordKind::Transactable => transactables(conn, filter, pagination),
        RecordKind::Relationship => relationships(conn, filter, pagination),
        RecordKind::RelationshipUser => relationship_users(conn, filter, pagination),
        RecordKind::RelationshipTransactable => {
            relationship_transactables(conn, filter, pagination)
        }
        RecordKind::Customization => customizations(conn, filter, pagination),
        RecordKind::User
        | RecordKind::Profile
        | RecordKind::Address
        | RecordKind::Image
        | RecordKind::Attachment
        | RecordKind::Session => Ok(RecordPage { records: Vec::new(), total: 0 }),
    }
}

/// Counts the rows that match the filters and loads a page of them.
macro_rules! page {
    ($conn:ident, $pagination:ident, $table:ident, $select:expr, |$query:ident| $filters:block) => {{
        let filtered = || {
            let mut $query = $table::table.into_boxed();
            $filters
            $query
        };
        let total: i64 = filtered().count().get_result($conn)?;
        let page = filtered().select($select).limit($pagination.limit).offset($pagination.offset);
        let page = match $pagination.newest_first {
            false => page.order($table::id.asc()),
            true => page.order($table::id.desc()),
        };
        (page.load($conn)?, total)
    }};
}

/// Adds the conditions whose values the filter has.
macro_rules! filter_eq {
    ($query:ident, $($column:expr => $value:expr),+ $(,)?) => { $(
        if let Some(value) = $value {
            $query = $query.filter($column.eq(value));
        }
    )+ };
}

/// Adds a condition on ids if the filter has some.
macro_rules! filter_ids {
    ($query:ident, $column:expr, $ids:expr) => {
        if let Some(ids) = $ids {
            $query = $query.filter(id_in($column, ids));
        }
    };
}

/// Adds the condition that the owner was created by one of the forms.
macro_rules! filter_owner_forms {
    ($query:ident, $column:expr, $forms:expr) => {
        if let Some(forms) = $forms {
            let owners = users::table.filter(users::form_name.eq_any(forms)).select(users::id);
            $query = $query.filter($column.eq_any(owners));
        }
    };
}

/// Returns a page of records with the lock versions of their owners.
fn with_lock_versions(
    conn: &mut AnyConnection,
    bodies: Vec<(i64, RecordBody)>,
    total: i64,
) -> QueryResult<RecordPage> {
    let ids: Vec<i64> = bodies.iter().map(|(user_id, _)| *user_id).collect();
    let versions: HashMap<i64, i64> = users::table
        .filter(id_in(users::id, &ids))
        .select((users::id, users::updated_at))
        .load::<(i64, i64)>(conn)?
        .into_iter()
        .collect();
    let records = bodies.into_iter().map(|(user_id, body)| StoredRecord {
        body,
        user_id: Some(user_id),
        lock_version: versions.get(&user_id).copied().unwrap_or_default(),
    });
    Ok(RecordPage { records: records.collect(), total })
}

fn transactables(
    conn: &mut AnyConnection,
    filter: &RecordFilter,
    pagination: Pagination,
) -> QueryResult<RecordPage> {
    use transactables as t;
    let columns = (t::user_id, StoredTransactable::COLUMNS);
    let (rows, total) = page!(conn, pagination, t, columns, |query| {
        filter_eq!(query, t::type_name => &filter.type_name, t::user_id => filter.user_id);
        filter_ids!(query, t::id, &filter.ids);
        filter_owner_forms!(query, t::user_id, &filter.owner_forms);
    });
    let rows: Vec<(i64, (i64, _, _, _, _, _, _))> = rows;
    let (users, ids): (Vec<i64>, Vec<i64>) = rows.iter().map(|(user, row)| (*user, row.0)).unzip();
    let mut attachments = Attachments::of_records(conn, &users, "transactable", &ids)?;
    let bodies = rows.into_iter().map(|(user_id, columns)| {
        let attached = attachments.take("transactable", columns.0);
        (user_id, RecordBody::Transactable(StoredTransactable::new(columns, attached)))
    });
    let bodies = bodies.collect();
    with_lock_versions(conn, bodies, total)
}

fn relationships(
    conn: &mut AnyConnection,
    filter: &RecordFilter,
    pagination: Pagination,
) -> QueryResult<RecordPage> {
    use relationships as t;
    let (rows, total) = page!(conn, pagination, t, StoredRelationship::COLUMNS, |query| {
        filter_eq!(
            query,
            t::type_name => &filter.type_name,
            t::creator_id => filter.user_id,
            t::key => &filter.key,
            t::id => filter.relationship_id,
        );
        filter_ids!(query, t::id, &filter.ids);
        filter_owner_forms!(query, t::creator_id.assume_not_null(), &filter.owner_forms);
    });
    let rows: Vec<(i64, _, _, _, _, _, _, _)> = rows;
    let records = rows.into_iter().map(StoredRelationship::new).map(|relationship| StoredRecord {
        user_id: relationship.creator_id,
        lock_version: relationship.updated_at,
        body: RecordBody::Relationship(relationship),
    });
    Ok(RecordPage { records: records.collect(), total })
}

/// Returns relationships by their ids.
pub(super) fn load_relationships(
    conn: &mut AnyConnection,
    ids: &[i64],
) -> QueryResult<HashMap<i64, StoredRelationship>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(i64, _, _, _, _, _, _, _)> = relationships::table
        .filter(id_in(relationships::id, ids))
        .select(StoredRelationship::COLUMNS)
        .load(conn)?;
    Ok(rows.into_iter().map(StoredRelationship::new).map(|it| (it.id, it)).collect())
}

fn relationship_users(
    conn: &mut AnyConnection,
    filter: &RecordFilter,
    pagination: Pagination,
) -> QueryResult<RecordPage> {
    use relationship_users as t;
    let columns = (t::user_id, StoredRelationshipUser::COLUMNS);
    let (rows, total) = page!(conn, pagination, t, columns, |query| {
        filter_eq!(
            query,
            t::type_name => &filter.type_name,
            t::user_id => filter.user_id,
            t::relationship_id => filter.relationship_id,
        );
        filter_ids!(query, t::id, &filter.ids);
        filter_owner_forms!(query, t::user_id, &filter.owner_forms);
    });
    let rows: Vec<(i64, (i64, String, i64, String))> = rows;
    let ids: Vec<i64> = rows.iter().map(|(_, columns)| columns.2).collect();
    let relationships = load_relationships(conn, &ids)?;
    let bodies = rows.into_iter().filter_map(|(user_id, columns)| {
        let relationship = relationships.get(&columns.2)?.clone();
        let member = StoredRelationshipUser::new(columns, relationship);
        Some((user_id, RecordBody::RelationshipUser(member)))
    });
    let bodies = bodies.collect();
    with_lock_versions(conn, bodies, total)
}

fn relationship_transactables(
    conn: &mut AnyConnection,
    filter: &RecordFilter,
    pagination: Pagination,
) -> QueryResult<RecordPage> {
    use relationship_transactables as t;
    let is_owner_given = filter.user_id.is_some() || filter.owner_forms.is_some();
    let of_owner: Option<Vec<i64>> = if is_owner_given {
        let mut query = transactables::table.into_boxed();
        filter_eq!(query, transactables::user_id => filter.user_id);
        filter_owner_forms!(query, transactables::user_id, &filter.owner_forms);
        Some(query.select(transactables::id).load(conn)?)
    } else {
        None
    };
    let columns = StoredRelationshipTransactable::COLUMNS;
    let (rows, total) = page!(conn, pagination, t, columns, |query| {
        filter_eq!(
            query,
            t::type_name => &filter.type_name,
            t::relationship_id => filter.relationship_id,
        );
        filter_ids!(query, t::id, &filter.ids);
        filter_ids!(query, t::transactable_id, &of_owner);
    });
    let rows: Vec<(i64, String, i64, i64, String)> = rows;
    let transactables: Vec<i64> = rows.iter().map(|row| row.2).collect();
    let owners: HashMap<i64, i64> = transactables::table
        .filter(id_in(transactables::id, &transactables))
        .select((transactables::id, transactables::user_id))
        .load::<(i64, i64)>(conn)?
        .into_iter()
        .collect();
    let bodies = rows.into_iter().filter_map(|columns| {
        let transactable = StoredRelationshipTransactable::new(columns);
        let user_id = *owners.get(&transactable.transactable_id)?;
        Some((user_id, RecordBody::RelationshipTransactable(transactable)))
    });
    let bodies = bodies.collect();
    with_lock_versions(conn, bodies, total)
}

/// Id of the user, and kind and id of the record that a customization belongs to.
type OwnerColumns = (i64, String, i64);

fn customizations(
    conn: &mut AnyConnection,
    filter: &RecordFilter,
    pagination: Pagination,
) -> QueryResult<RecordPage> {
    use customizations as t;
    let columns = ((t::user_id, t::owner_kind, t::owner_id), StoredCustomization::COLUMNS);
    let (rows, total) = page!(conn, pagination, t, columns, |query| {
        filter_eq!(query, t::type_name => &filter.type_name, t::user_id => filter.user_id);
        filter_ids!(query, t::id, &filter.ids);
        filter_owner_forms!(query, t::user_id, &filter.owner_forms);
    });
    let rows: Vec<(OwnerColumns, (i64, _, _))> = rows;
    let (users, ids): (Vec<i64>, Vec<i64>) =
        rows.iter().map(|(owner, row)| (owner.0, row.0)).unzip();
    let attachments = Attachments::of_records(conn, &users, "customization", &ids)?;
    let bodies = rows.into_iter().map(|((user_id, owner_kind, owner_id), columns)| {
        // A customization on the page may belong to another one on it.
        let attached = attachments.clone().take("customization", columns.0);
        let customization = StoredCustomization::new(columns, attached);
        (user_id, RecordBody::Customization { customization, owner_kind, owner_id })
    });
    let bodies = bodies.collect();
    with_lock_versions(conn, bodies, total)
}
