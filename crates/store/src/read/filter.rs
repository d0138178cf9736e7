//! Filters and pagination of lists.

use diesel::{BoolExpressionMethods, ExpressionMethods, NullableExpressionMethods, QueryDsl};
use registrar_core::aggregate::Claim;

use super::property::property_is;
use crate::connection::MultiBackend;
use crate::tables::schema::{relationship_users, unique_claims, users};

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

/// Filter for records; all given conditions must hold. Conditions on fields that the kind of record does
/// not have are ignored.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct RecordFilter {
    /// Name of the type.
    pub type_name: Option<String>,
    /// Id of the owner; for relationships, of the creator.
    pub user_id: Option<i64>,
    /// Id of the relationship that users and transactables belong to.
    pub relationship_id: Option<i64>,
    /// The key of relationships.
    pub key: Option<String>,
    /// The ids.
    pub ids: Option<Vec<i64>>,
    /// Names of the forms that created the owners.
    pub owner_forms: Option<Vec<String>>,
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

/// Returns a query for the users that match a filter.
pub(super) fn filtered_users(filter: &UserFilter) -> users::BoxedQuery<'_, MultiBackend> {
    let mut query = users::table.into_boxed();
    for id in [filter.id, filter.restricted_to].into_iter().flatten() {
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
