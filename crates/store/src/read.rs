//! Reads of users: one query for each table, for any number of users.
//!
//! Reads have their own connections, see one snapshot of the database, and never wait for the writer.

use std::collections::HashMap;

use diesel::sql_types::{BigInt, Text};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, NullableExpressionMethods, OptionalExtension,
    QueryDsl, QueryResult, RunQueryDsl, SelectableHelper,
};
use registrar_core::aggregate::{Claim, Reference};

use crate::connection::{AnyConnection, MultiBackend};
use crate::dialect::{id_in, property_is, statement};
use crate::error::{ReadError, Refusal};
use crate::records::{StoredRelationship, relationships_of};
use crate::references::preview_refusals;
use crate::schema::{
    addresses, customizations, files, password_credentials, relationship_users, transactables,
    unique_claims, user_profiles, users,
};
use crate::store::Store;
use crate::stored::{
    StoredAddress, StoredAttached, StoredCustomization, StoredFile, StoredProfile,
    StoredRelationshipUser, StoredTransactable, StoredUser, UserColumns,
};

/// Filter for users; all given conditions must hold.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct UserFilter {
    /// The id.
    pub id: Option<i64>,
    /// Id of the only user that the caller may read.
    pub restricted_to: Option<i64>,
    /// The canonical key of the e-mail address.
    pub email_key: Option<String>,
    /// The external id.
    pub external_id: Option<String>,
    /// Names and values (as text) of properties. Not indexed: scans all users.
    pub properties: Vec<(String, String)>,
    /// Names of the forms that created the users.
    pub form_names: Option<Vec<String>>,
    /// Id of a relationship that the users belong to.
    pub relationship_id: Option<i64>,
}

/// The part of a list to return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pagination {
    /// Whether the list is ordered by descending id.
    pub newest_first: bool,
    /// Number of entries to skip.
    pub offset: i64,
    /// Maximum number of entries to return.
    pub limit: i64,
}

impl Pagination {
    /// The entry with the lowest id.
    pub const FIRST: Self = Self { newest_first: false, offset: 0, limit: 1 };
}

/// A page of users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPage {
    /// The users in the requested order.
    pub users: Vec<StoredUser>,
    /// Number of users on all pages.
    pub total: i64,
}

impl Store {
    /// Returns the user with an id, or `None` if there is none.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read.
    pub fn user(&self, id: i64) -> Result<Option<StoredUser>, ReadError> {
        self.reading(|conn| load_user(conn, id))
    }

    /// Returns a page of the users that match a filter, by ascending id. The first page is 1.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read.
    pub fn users(
        &self,
        filter: &UserFilter,
        page: u32,
        per_page: u32,
    ) -> Result<UserPage, ReadError> {
        let offset = i64::from(page.saturating_sub(1)) * i64::from(per_page);
        self.list_users(filter, Pagination { newest_first: false, offset, limit: per_page.into() })
    }

    /// Returns the users that match a filter.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read.
    pub fn list_users(
        &self,
        filter: &UserFilter,
        pagination: Pagination,
    ) -> Result<UserPage, ReadError> {
        self.reading(|conn| {
            let total = filtered_users(filter).count().get_result(conn)?;
            let query = filtered_users(filter).select(UserColumns::as_select());
            let query = match pagination.newest_first {
                false => query.order(users::id.asc()),
                true => query.order(users::id.desc()),
            };
            let rows = query.limit(pagination.limit).offset(pagination.offset).load(conn)?;
            Ok(UserPage { users: load_nested(conn, rows)?, total })
        })
    }

    /// Returns the reasons for which claims and references would be rejected now, without writing
    /// anything.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read.
    pub fn refusals(
        &self,
        claims: &[Claim],
        references: &[Reference],
    ) -> Result<Vec<Refusal>, ReadError> {
        self.reading(|conn| preview_refusals(conn, claims, references))
    }

    /// Returns the user that holds a claim, or `None` if there is none.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read.
    pub fn user_by_claim(
        &self,
        scope: &str,
        value_key: &str,
    ) -> Result<Option<StoredUser>, ReadError> {
        self.reading(|conn| {
            let find = FindHolder { scope, value_key };
            let found: Vec<i64> = match conn {
                AnyConnection::Sqlite(conn) => find.load(conn)?,
                AnyConnection::Postgres(conn) => find.load(conn)?,
            };
            found.first().map_or(Ok(None), |id| load_user(conn, *id))
        })
    }

    /// Returns the hash of a user's password in PHC string format, or `None` if it has no password.
    ///
    /// # Errors
    /// Returns an error if the database cannot be read.
    pub fn credentials(&self, user_id: i64) -> Result<Option<String>, ReadError> {
        self.reading(|conn| {
            password_credentials::table
                .filter(password_credentials::user_id.eq(user_id))
                .select(password_credentials::phc)
                .first(conn)
                .optional()
        })
    }
}

statement! {
    FindHolder<'a> -> BigInt:
    "SELECT users.id FROM unique_claims JOIN users ON users.uuid = unique_claims.owner WHERE scope = "
    { scope: &'a str as Text }
    " AND value_key = " { value_key: &'a str as Text }
    ""
}

/// Returns the user with an id, read in the current transaction.
pub(crate) fn load_user(conn: &mut AnyConnection, id: i64) -> QueryResult<Option<StoredUser>> {
    let row = users::table
        .filter(users::id.eq(id))
        .select(UserColumns::as_select())
        .first(conn)
        .optional()?;
    Ok(load_nested(conn, row.into_iter().collect())?.pop())
}

fn filtered_users(filter: &UserFilter) -> users::BoxedQuery<'_, MultiBackend> {
    let mut query = users::table.into_boxed();
    if let Some(id) = filter.id {
        query = query.filter(users::id.eq(id));
    }
    if let Some(id) = filter.restricted_to {
        query = query.filter(users::id.eq(id));
    }
    if let Some(key) = &filter.email_key {
        // Users whose address is unique are found by its claim and have no key.
        let owner = unique_claims::table
            .filter(unique_claims::scope.eq(Claim::OF_EMAIL))
            .filter(unique_claims::value_key.eq(key))
            .select(unique_claims::owner)
            .single_value();
        let claims_it = users::uuid.nullable().eq(owner);
        let has_no_key = users::email_key.is_null().and(users::email.is_not_null());
        query = query.filter(users::email_key.eq(key).or(claims_it.and(has_no_key)));
    }
    if let Some(id) = &filter.external_id {
        query = query.filter(users::external_id.eq(id));
    }
    for (name, text) in &filter.properties {
        query = query.filter(property_is(name, text));
    }
    if let Some(forms) = &filter.form_names {
        query = query.filter(users::form_name.eq_any(forms));
    }
    if let Some(id) = filter.relationship_id {
        let members = relationship_users::table
            .filter(relationship_users::relationship_id.eq(id))
            .select(relationship_users::user_id);
        query = query.filter(users::id.eq_any(members));
    }
    query
}

/// Addresses, files and customizations by the kind and id of their owner.
#[derive(Default, Clone)]
pub(crate) struct Attachments {
    addresses: HashMap<(String, i64), Vec<StoredAddress>>,
    files: HashMap<(String, i64), Vec<StoredFile>>,
    customizations: HashMap<(String, i64), Vec<CustomizationColumns>>,
}

/// A customization without its attachments.
#[derive(Clone)]
struct CustomizationColumns {
    id: i64,
    type_name: String,
    properties: String,
}

/// Groups rows by key, keeping their order.
fn group_by_key<K: std::hash::Hash + Eq, V>(
    rows: impl Iterator<Item = (K, V)>,
) -> HashMap<K, Vec<V>> {
    let mut groups = HashMap::new();
    for (key, row) in rows {
        groups.entry(key).or_insert_with(Vec::new).push(row);
    }
    groups
}

impl Attachments {
    /// Loads all attachments of these users and of their records.
    pub(crate) fn load(conn: &mut AnyConnection, ids: &[i64]) -> QueryResult<Self> {
        let addresses = addresses::table
            .filter(id_in(addresses::user_id, ids))
            .order((addresses::position, addresses::id))
            .select(((addresses::owner_kind, addresses::owner_id), StoredAddress::as_select()))
            .load::<((String, i64), StoredAddress)>(conn)?;
        let files = files::table
            .filter(id_in(files::user_id, ids))
            .order((files::position, files::id))
            .select(((files::owner_kind, files::owner_id), StoredFile::as_select()))
            .load::<((String, i64), StoredFile)>(conn)?;
        let customizations = customizations::table
            .filter(id_in(customizations::user_id, ids))
            .order((customizations::position, customizations::id))
            .select((
                (customizations::owner_kind, customizations::owner_id),
                (customizations::id, customizations::type_name, customizations::properties),
            ))
            .load::<((String, i64), (i64, String, String))>(conn)?;
        let customizations = customizations.into_iter().map(|(owner, columns)| {
            let (id, type_name, properties) = columns;
            (owner, CustomizationColumns { id, type_name, properties })
        });
        Ok(Self {
            addresses: group_by_key(addresses.into_iter()),
            files: group_by_key(files.into_iter()),
            customizations: group_by_key(customizations),
        })
    }

    /// Removes and returns the attachments of an owner, with those of its customizations.
    pub(crate) fn take(&mut self, kind: &str, id: i64) -> StoredAttached {
        let owner = (kind.to_owned(), id);
        let addresses = self.addresses.remove(&owner).unwrap_or_default();
        let files = self.files.remove(&owner).unwrap_or_default();
        let customizations = self.customizations.remove(&owner).unwrap_or_default();
        let customizations = customizations
            .into_iter()
            .map(|CustomizationColumns { id, type_name, properties }| StoredCustomization {
                id,
                type_name,
                properties,
                attached: self.take("customization", id),
            })
            .collect();
        StoredAttached { addresses, files, customizations }
    }
}

/// Loads the nested records of users.
fn load_nested(conn: &mut AnyConnection, rows: Vec<UserColumns>) -> QueryResult<Vec<StoredUser>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let mut attachments = Attachments::load(conn, &ids)?;
    let mut profiles = profiles(conn, &ids, &mut attachments)?;
    let mut transactables = transactables(conn, &ids, &mut attachments)?;
    let mut relationship_users = relationship_users(conn, &ids)?;
    Ok(rows
        .into_iter()
        .map(|columns| StoredUser {
            profiles: profiles.remove(&columns.id).unwrap_or_default(),
            relationship_users: relationship_users.remove(&columns.id).unwrap_or_default(),
            transactables: transactables.remove(&columns.id).unwrap_or_default(),
            customizations: attachments.take("user", columns.id).customizations,
            columns,
        })
        .collect())
}

fn profiles(
    conn: &mut AnyConnection,
    ids: &[i64],
    attachments: &mut Attachments,
) -> QueryResult<HashMap<i64, Vec<StoredProfile>>> {
    use user_profiles as t;
    let rows = t::table
        .filter(id_in(t::user_id, ids))
        .order((t::position, t::id))
        .select((t::user_id, t::id, t::type_name, t::enabled, t::properties))
        .load::<(i64, i64, String, bool, String)>(conn)?;
    Ok(group_by_key(rows.into_iter().map(|(user_id, id, type_name, enabled, properties)| {
        let attached = attachments.take("profile", id);
        (user_id, StoredProfile { id, type_name, enabled, properties, attached })
    })))
}

fn transactables(
    conn: &mut AnyConnection,
    ids: &[i64],
    attachments: &mut Attachments,
) -> QueryResult<HashMap<i64, Vec<StoredTransactable>>> {
    use transactables as t;
    type Columns = (i64, String, Option<String>, Option<String>, String, bool, String);
    let rows = t::table
        .filter(id_in(t::user_id, ids))
        .order((t::position, t::id))
        .select((
            t::user_id,
            (t::id, t::type_name, t::name, t::description, t::currency, t::enabled, t::properties),
        ))
        .load::<(i64, Columns)>(conn)?;
    Ok(group_by_key(rows.into_iter().map(|(user_id, columns)| {
        let (id, type_name, name, description, currency, enabled, properties) = columns;
        let attached = attachments.take("transactable", id);
        let transactable = StoredTransactable {
            id,
            type_name,
            name,
            description,
            currency,
            enabled,
            properties,
            attached,
        };
        (user_id, transactable)
    })))
}

fn relationship_users(
    conn: &mut AnyConnection,
    ids: &[i64],
) -> QueryResult<HashMap<i64, Vec<StoredRelationshipUser>>> {
    use relationship_users as t;
    let rows = t::table
        .filter(id_in(t::user_id, ids))
        .order((t::position, t::id))
        .select((t::user_id, (t::id, t::type_name, t::relationship_id, t::properties)))
        .load::<(i64, RelationshipUserColumns)>(conn)?;
    let joined: Vec<i64> = rows.iter().map(|(_, columns)| columns.2).collect();
    let relationships =
        if joined.is_empty() { HashMap::new() } else { relationships_of(conn, &joined)? };
    Ok(group_by_key(rows.into_iter().filter_map(|(user_id, columns)| {
        Some((user_id, relationship_user(columns, &relationships)?))
    })))
}

/// Id, type name, relationship id and properties of a relationship user.
pub(crate) type RelationshipUserColumns = (i64, String, i64, String);

/// Returns a relationship user with its relationship, which a foreign key guarantees to exist.
pub(crate) fn relationship_user(
    columns: RelationshipUserColumns,
    relationships: &HashMap<i64, StoredRelationship>,
) -> Option<StoredRelationshipUser> {
    let (id, type_name, relationship_id, properties) = columns;
    let relationship = relationships.get(&relationship_id)?.clone();
    let relationship_type_name = relationship.type_name.clone();
    Some(StoredRelationshipUser {
        id,
        type_name,
        relationship_id,
        relationship_type_name,
        relationship,
        properties,
    })
}
