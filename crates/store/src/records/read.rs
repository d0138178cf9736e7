//! Reading records by themselves.

use std::collections::HashMap;

use diesel::{
    ExpressionMethods, NullableExpressionMethods, QueryDsl, QueryResult, RunQueryDsl,
    SelectableHelper,
};

use super::{
    RecordBody, RecordKind, StoredRecord, StoredRelationship, StoredRelationshipTransactable,
};
use crate::connection::AnyConnection;
use crate::dialect::id_in;
use crate::error::ReadError;
use crate::read::{Attachments, Pagination, RelationshipUserColumns, relationship_user};
use crate::schema::{
    customizations, relationship_transactables, relationship_users, relationships, transactables,
    users,
};
use crate::store::Store;
use crate::stored::{StoredCustomization, StoredTransactable};

/// Which records to list. All that is given must hold; what a kind of record does not have is not
/// asked for.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct RecordFilter {
    /// The name of their type.
    pub type_name: Option<String>,
    /// The user they belong to; of relationships, who relationships_page them.
    pub user_id: Option<i64>,
    /// The relationship of memberships and of transactables_page in relationships.
    pub relationship_id: Option<i64>,
    /// The key of relationships.
    pub key: Option<String>,
    /// Their ids.
    pub ids: Option<Vec<i64>>,
    /// The forms that created the users they belong to.
    pub owner_forms: Option<Vec<String>>,
}

/// A page of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordPage {
    /// The records, in the order asked for.
    pub records: Vec<StoredRecord>,
    /// How many there are on all pages.
    pub total: i64,
}

impl Store {
    /// The record of a kind with an id.
    ///
    /// # Errors
    /// Those of the database.
    pub fn record(&self, kind: RecordKind, id: i64) -> Result<Option<StoredRecord>, ReadError> {
        self.reading(|conn| load_record(conn, kind, id))
    }

    /// A part of the records that a filter names.
    ///
    /// # Errors
    /// Those of the database.
    pub fn records(
        &self,
        kind: RecordKind,
        filter: &RecordFilter,
        pagination: Pagination,
    ) -> Result<RecordPage, ReadError> {
        self.reading(|conn| load(conn, kind, filter, pagination))
    }

    /// The relationship of a type that has a key, as [`registrar_core::keys::text_key`] makes it.
    ///
    /// # Errors
    /// Those of the database.
    pub fn relationship_by_key(
        &self,
        type_name: &str,
        key: &str,
    ) -> Result<Option<StoredRecord>, ReadError> {
        let filter = RecordFilter {
            type_name: Some(type_name.to_owned()),
            key: Some(key.to_owned()),
            ..RecordFilter::default()
        };
        Ok(self.records(RecordKind::Relationship, &filter, Pagination::FIRST)?.records.pop())
    }
}

/// The record of a kind with an id, within a transaction.
pub(crate) fn load_record(
    conn: &mut AnyConnection,
    kind: RecordKind,
    id: i64,
) -> QueryResult<Option<StoredRecord>> {
    let filter = RecordFilter { ids: Some(vec![id]), ..RecordFilter::default() };
    Ok(load(conn, kind, &filter, Pagination::FIRST)?.records.pop())
}

fn load(
    conn: &mut AnyConnection,
    kind: RecordKind,
    filter: &RecordFilter,
    pagination: Pagination,
) -> QueryResult<RecordPage> {
    match kind {
        RecordKind::Transactable => transactables_page(conn, filter, pagination),
        RecordKind::Relationship => relationships_page(conn, filter, pagination),
        RecordKind::RelationshipUser => relationship_users_page(conn, filter, pagination),
        RecordKind::RelationshipTransactable => {
            relationship_transactables_page(conn, filter, pagination)
        }
        RecordKind::Customization => customizations_page(conn, filter, pagination),
    }
}

/// Counts what a filter names, and loads the part of it that is shown.
macro_rules! page {
    ($conn:ident, $pagination:ident, $table:ident, $select:expr, |$query:ident| $filters:block) => {{
        let filtered = || {
            let mut $query = $table::table.into_boxed();
            $filters
            $query
        };
        let total: i64 = filtered().count().get_result($conn)?;
        let shown = filtered().select($select).limit($pagination.limit).offset($pagination.offset);
        let shown = match $pagination.newest_first {
            false => shown.order($table::id.asc()),
            true => shown.order($table::id.desc()),
        };
        let rows = shown.load($conn)?;
        (rows, total)
    }};
}

/// Narrows a query down where the filter says a value for the column.
macro_rules! narrow {
    ($query:ident, $($column:expr => $value:expr),+ $(,)?) => { $(
        if let Some(value) = $value {
            $query = $query.filter($column.eq(value));
        }
    )+ };
}

/// The same for ids.
macro_rules! narrow_ids {
    ($query:ident, $column:expr, $ids:expr) => {
        if let Some(ids) = $ids {
            $query = $query.filter(id_in($column, ids));
        }
    };
}

/// Narrows a query down to the records of users whom some forms created.
macro_rules! narrow_owner {
    ($query:ident, $column:expr, $forms:expr) => {
        if let Some(forms) = $forms {
            let owners = users::table.filter(users::form_name.eq_any(forms)).select(users::id);
            $query = $query.filter($column.eq_any(owners));
        }
    };
}

/// When users were last changed.
fn lock_versions(
    conn: &mut AnyConnection,
    ids: impl Iterator<Item = i64>,
) -> QueryResult<HashMap<i64, i64>> {
    let ids: Vec<i64> = ids.collect();
    let rows = users::table
        .filter(id_in(users::id, &ids))
        .select((users::id, users::updated_at))
        .load::<(i64, i64)>(conn)?;
    Ok(rows.into_iter().collect())
}

fn records(
    conn: &mut AnyConnection,
    bodies: Vec<(i64, RecordBody)>,
    total: i64,
) -> QueryResult<RecordPage> {
    let lock_versions = lock_versions(conn, bodies.iter().map(|(user_id, _)| *user_id))?;
    let records = bodies.into_iter().map(|(user_id, body)| StoredRecord {
        body,
        user_id: Some(user_id),
        lock_version: lock_versions.get(&user_id).copied().unwrap_or_default(),
    });
    Ok(RecordPage { records: records.collect(), total })
}

type TransactableColumns = (i64, i64, String, Option<String>, Option<String>, String, bool, String);

fn transactables_page(
    conn: &mut AnyConnection,
    filter: &RecordFilter,
    pagination: Pagination,
) -> QueryResult<RecordPage> {
    use transactables as t;
    let columns = (
        t::id,
        t::user_id,
        t::type_name,
        t::name,
        t::description,
        t::currency,
        t::enabled,
        t::properties,
    );
    let (rows, total): (Vec<TransactableColumns>, _) =
        page!(conn, pagination, t, columns, |query| {
            narrow!(query, t::type_name => &filter.type_name, t::user_id => filter.user_id);
            narrow_ids!(query, t::id, &filter.ids);
            narrow_owner!(query, t::user_id, &filter.owner_forms);
        });
    let owners: Vec<i64> = rows.iter().map(|row| row.1).collect();
    let mut attachments = Attachments::load(conn, &owners)?;
    let bodies = rows.into_iter().map(|columns| {
        let (id, user_id, type_name, name, description, currency, enabled, properties) = columns;
        let attached = attachments.take("transactable", id);
        let listing = StoredTransactable {
            id,
            type_name,
            name,
            description,
            currency,
            enabled,
            properties,
            attached,
        };
        (user_id, RecordBody::Transactable(listing))
    });
    let bodies = bodies.collect();
    records(conn, bodies, total)
}

fn relationships_page(
    conn: &mut AnyConnection,
    filter: &RecordFilter,
    pagination: Pagination,
) -> QueryResult<RecordPage> {
    use relationships as t;
    let (rows, total): (Vec<StoredRelationship>, _) =
        page!(conn, pagination, t, StoredRelationship::as_select(), |query| {
            narrow!(
                query,
                t::type_name => &filter.type_name,
                t::creator_id => filter.user_id,
                t::key => &filter.key,
                t::id => filter.relationship_id,
            );
            narrow_ids!(query, t::id, &filter.ids);
            narrow_owner!(query, t::creator_id.assume_not_null(), &filter.owner_forms);
        });
    let records = rows.into_iter().map(|relationship| StoredRecord {
        user_id: relationship.creator_id,
        lock_version: relationship.updated_at,
        body: RecordBody::Relationship(relationship),
    });
    Ok(RecordPage { records: records.collect(), total })
}

/// The relationships of some ids.
pub(crate) fn relationships_of(
    conn: &mut AnyConnection,
    ids: &[i64],
) -> QueryResult<HashMap<i64, StoredRelationship>> {
    let rows = relationships::table
        .filter(id_in(relationships::id, ids))
        .select(StoredRelationship::as_select())
        .load::<StoredRelationship>(conn)?;
    Ok(rows.into_iter().map(|relationship| (relationship.id, relationship)).collect())
}

fn relationship_users_page(
    conn: &mut AnyConnection,
    filter: &RecordFilter,
    pagination: Pagination,
) -> QueryResult<RecordPage> {
    use relationship_users as t;
    let columns = (t::user_id, (t::id, t::type_name, t::relationship_id, t::properties));
    let (rows, total): (Vec<(i64, RelationshipUserColumns)>, _) =
        page!(conn, pagination, t, columns, |query| {
            narrow!(
                query,
                t::type_name => &filter.type_name,
                t::user_id => filter.user_id,
                t::relationship_id => filter.relationship_id,
            );
            narrow_ids!(query, t::id, &filter.ids);
            narrow_owner!(query, t::user_id, &filter.owner_forms);
        });
    let ids: Vec<i64> = rows.iter().map(|(_, (_, _, id, _))| *id).collect();
    let relationships = relationships_of(conn, &ids)?;
    let bodies = rows.into_iter().filter_map(|(user_id, columns)| {
        Some((user_id, RecordBody::RelationshipUser(relationship_user(columns, &relationships)?)))
    });
    let bodies = bodies.collect();
    records(conn, bodies, total)
}

type RelationshipTransactableColumns = (i64, String, i64, i64, String);

fn relationship_transactables_page(
    conn: &mut AnyConnection,
    filter: &RecordFilter,
    pagination: Pagination,
) -> QueryResult<RecordPage> {
    use relationship_transactables as t;
    let columns = (t::id, t::type_name, t::relationship_id, t::transactable_id, t::properties);
    let is_owner_given = filter.user_id.is_some() || filter.owner_forms.is_some();
    let theirs: Option<Vec<i64>> = if is_owner_given {
        let mut query = transactables::table.into_boxed();
        narrow!(query, transactables::user_id => filter.user_id);
        narrow_owner!(query, transactables::user_id, &filter.owner_forms);
        Some(query.select(transactables::id).load(conn)?)
    } else {
        None
    };
    let (rows, total): (Vec<RelationshipTransactableColumns>, _) =
        page!(conn, pagination, t, columns, |query| {
            narrow!(
                query,
                t::type_name => &filter.type_name,
                t::relationship_id => filter.relationship_id,
            );
            narrow_ids!(query, t::id, &filter.ids);
            narrow_ids!(query, t::transactable_id, &theirs);
        });
    let transactables_page: Vec<i64> = rows.iter().map(|row| row.3).collect();
    let owners: HashMap<i64, i64> = transactables::table
        .filter(id_in(transactables::id, &transactables_page))
        .select((transactables::id, transactables::user_id))
        .load::<(i64, i64)>(conn)?
        .into_iter()
        .collect();
    let bodies = rows.into_iter().filter_map(|columns| {
        let user_id = *owners.get(&columns.3)?;
        Some((user_id, RecordBody::RelationshipTransactable(listed_from(columns))))
    });
    let bodies = bodies.collect();
    records(conn, bodies, total)
}

fn listed_from(columns: RelationshipTransactableColumns) -> StoredRelationshipTransactable {
    let (id, type_name, relationship_id, transactable_id, properties) = columns;
    StoredRelationshipTransactable { id, type_name, relationship_id, transactable_id, properties }
}

type CustomizationRowColumns = (i64, i64, String, String, i64, String);

fn customizations_page(
    conn: &mut AnyConnection,
    filter: &RecordFilter,
    pagination: Pagination,
) -> QueryResult<RecordPage> {
    use customizations as t;
    let columns = (t::id, t::user_id, t::type_name, t::owner_kind, t::owner_id, t::properties);
    let (rows, total): (Vec<CustomizationRowColumns>, _) =
        page!(conn, pagination, t, columns, |query| {
            narrow!(query, t::type_name => &filter.type_name, t::user_id => filter.user_id);
            narrow_ids!(query, t::id, &filter.ids);
            narrow_owner!(query, t::user_id, &filter.owner_forms);
        });
    let owners: Vec<i64> = rows.iter().map(|row| row.1).collect();
    let attachments = Attachments::load(conn, &owners)?;
    let bodies = rows.into_iter().map(|columns| {
        let (id, user_id, type_name, owner_kind, owner_id, properties) = columns;
        // Of two on one page one may hang on the other.
        let attached = attachments.clone().take("customization", id);
        let customization = StoredCustomization { id, type_name, properties, attached };
        (user_id, RecordBody::Customization { customization, owner_kind, owner_id })
    });
    let bodies = bodies.collect();
    records(conn, bodies, total)
}
