//! Reads of users: one query for each table, for any number of users.

use std::collections::HashMap;

use diesel::sql_types::{BigInt, Text};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl};

use super::attachments::{Attachments, group_by_key};
use super::filter::{Pagination, UserFilter, filtered_users};
use super::records::load_relationships;
use crate::connection::AnyConnection;
use crate::sql::{id_in, load, statement};
use crate::tables::customizations::StoredCustomization;
use crate::tables::relationship_users::StoredRelationshipUser;
use crate::tables::schema::{
    password_credentials, relationship_users, transactables, user_profiles, users,
};
use crate::tables::transactables::StoredTransactable;
use crate::tables::user_profiles::StoredProfile;
use crate::tables::users::UserColumns;

/// A user with its nested records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredUser {
    /// The columns of the user.
    pub columns: UserColumns,
    /// Profiles in the order sent.
    pub profiles: Vec<StoredProfile>,
    /// Memberships in relationships in the order sent.
    pub relationship_users: Vec<StoredRelationshipUser>,
    /// Transactables in the order sent.
    pub transactables: Vec<StoredTransactable>,
    /// Customizations of the user itself in the order sent.
    pub customizations: Vec<StoredCustomization>,
}

/// A page of users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPage {
    /// The users in the requested order.
    pub users: Vec<StoredUser>,
    /// Number of users on all pages.
    pub total: i64,
}

/// Returns the users that match a filter.
pub(crate) fn list_users(
    conn: &mut AnyConnection,
    filter: &UserFilter,
    pagination: Pagination,
) -> QueryResult<UserPage> {
    let total = filtered_users(filter).count().get_result(conn)?;
    let query = filtered_users(filter).select(UserColumns::COLUMNS);
    let query = match pagination.newest_first {
        false => query.order(users::id.asc()),
        true => query.order(users::id.desc()),
    };
    let rows = query.limit(pagination.limit).offset(pagination.offset).load(conn)?;
    let rows = rows.into_iter().map(UserColumns::new).collect();
    Ok(UserPage { users: load_nested(conn, rows)?, total })
}

/// Returns the user with an id, or `None` if there is none.
pub(crate) fn load_user(conn: &mut AnyConnection, id: i64) -> QueryResult<Option<StoredUser>> {
    let row = users::table
        .filter(users::id.eq(id))
        .select(UserColumns::COLUMNS)
        .first(conn)
        .optional()?;
    Ok(load_nested(conn, row.map(UserColumns::new).into_iter().collect())?.pop())
}

statement! {
    FindHolder<'a> -> BigInt:
    "SELECT users.id FROM unique_claims JOIN users ON users.uuid = unique_claims.owner WHERE scope = "
    { scope: &'a str as Text }
    " AND value_key = " { value_key: &'a str as Text }
    ""
}

/// Returns the user that holds a claim, or `None` if there is none.
pub(crate) fn user_by_claim(
    conn: &mut AnyConnection,
    scope: &str,
    value_key: &str,
) -> QueryResult<Option<StoredUser>> {
    let found = load!(conn, FindHolder { scope, value_key } => i64)?;
    found.first().map_or(Ok(None), |id| load_user(conn, *id))
}

/// Returns the password hash of a user, or `None` if it has no password.
pub(crate) fn password_hash(conn: &mut AnyConnection, user_id: i64) -> QueryResult<Option<String>> {
    password_credentials::table
        .filter(password_credentials::user_id.eq(user_id))
        .select(password_credentials::phc)
        .first(conn)
        .optional()
}

/// Loads the nested records of users.
fn load_nested(conn: &mut AnyConnection, rows: Vec<UserColumns>) -> QueryResult<Vec<StoredUser>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let mut attachments = Attachments::of_users(conn, &ids)?;
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

/// Loads the rows of users in a table, each with the id of its user, ordered by position.
macro_rules! rows_of {
    ($conn:ident, $users:ident, $table:ident, $stored:ident) => {
        $table::table
            .filter(id_in($table::user_id, $users))
            .order(($table::position, $table::id))
            .select(($table::user_id, $stored::COLUMNS))
            .load($conn)?
    };
}

fn profiles(
    conn: &mut AnyConnection,
    users: &[i64],
    attachments: &mut Attachments,
) -> QueryResult<HashMap<i64, Vec<StoredProfile>>> {
    let rows: Vec<(i64, (i64, _, _, _))> = rows_of!(conn, users, user_profiles, StoredProfile);
    Ok(group_by_key(rows.into_iter().map(|(user_id, columns)| {
        let attached = attachments.take("profile", columns.0);
        (user_id, StoredProfile::new(columns, attached))
    })))
}

fn transactables(
    conn: &mut AnyConnection,
    users: &[i64],
    attachments: &mut Attachments,
) -> QueryResult<HashMap<i64, Vec<StoredTransactable>>> {
    let rows: Vec<(i64, (i64, _, _, _, _, _, _))> =
        rows_of!(conn, users, transactables, StoredTransactable);
    Ok(group_by_key(rows.into_iter().map(|(user_id, columns)| {
        let attached = attachments.take("transactable", columns.0);
        (user_id, StoredTransactable::new(columns, attached))
    })))
}

fn relationship_users(
    conn: &mut AnyConnection,
    users: &[i64],
) -> QueryResult<HashMap<i64, Vec<StoredRelationshipUser>>> {
    let rows: Vec<(i64, (i64, String, i64, String))> =
        rows_of!(conn, users, relationship_users, StoredRelationshipUser);
    let ids: Vec<i64> = rows.iter().map(|(_, columns)| columns.2).collect();
    let relationships = load_relationships(conn, &ids)?;
    Ok(group_by_key(rows.into_iter().filter_map(|(user_id, columns)| {
        // A foreign key guarantees that it exists.
        let relationship = relationships.get(&columns.2)?.clone();
        Some((user_id, StoredRelationshipUser::new(columns, relationship)))
    })))
}
