//! The new values of rows that are there, one statement for each table.
//!
//! Which row it is, its owner and its place never change. A new column is a line here too.

use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use diesel::{QueryResult, RunQueryDsl};
use registrar_core::aggregate::NewUser;

use crate::connection::AnyConnection;
use crate::dialect::statement;
use crate::rows::{
    AddressRow, CustomizationRow, FileRow, ProfileRow, RelationshipUserRow, TransactableRow,
};
use crate::types::{SqlJson, SqlTimestamp};

/// Rows that are there, with their new values.
#[derive(Default)]
pub(crate) struct UpdatedRows<'a> {
    pub(crate) profiles: Vec<ProfileRow<'a>>,
    pub(crate) transactables: Vec<TransactableRow<'a>>,
    pub(crate) relationship_users: Vec<RelationshipUserRow<'a>>,
    pub(crate) customizations: Vec<CustomizationRow<'a>>,
    pub(crate) addresses: Vec<AddressRow<'a>>,
    pub(crate) files: Vec<FileRow<'a>>,
}

/// Runs a statement that both databases understand; gives how many rows it touched.
macro_rules! execute {
    ($conn:expr, $statement:expr) => {{
        let statement = $statement;
        match $conn {
            AnyConnection::Sqlite(conn) => statement.execute(conn),
            AnyConnection::Postgres(conn) => statement.execute(conn),
        }
    }};
}
pub(crate) use execute;

/// Runs a statement that both databases understand and returns its rows: `load!(conn, statement => Row)`.
macro_rules! load {
    ($conn:expr, $statement:expr => $row:ty) => {{
        let statement = $statement;
        match $conn {
            AnyConnection::Sqlite(conn) => statement.load::<$row>(conn),
            AnyConnection::Postgres(conn) => statement.load::<$row>(conn),
        }
    }};
}
pub(crate) use load;

statement! {
    UpdateUser<'a>:
    "UPDATE users SET email = " { email: Option<&'a str> as Nullable<Text> }
    ", email_key = " { email_key: Option<&'a str> as Nullable<Text> }
    ", external_id = " { external_id: Option<&'a str> as Nullable<Text> }
    ", first_name = " { first_name: Option<&'a str> as Nullable<Text> }
    ", middle_name = " { middle_name: Option<&'a str> as Nullable<Text> }
    ", last_name = " { last_name: Option<&'a str> as Nullable<Text> }
    ", name = " { name: Option<&'a str> as Nullable<Text> }
    ", featured = " { featured: bool as Bool }
    ", public_profile = " { public_profile: bool as Bool }
    ", language = " { language: Option<&'a str> as Nullable<Text> }
    ", time_zone = " { time_zone: Option<&'a str> as Nullable<Text> }
    ", phone = " { phone: Option<&'a str> as Nullable<Text> }
    ", mobile_number = " { mobile_number: Option<&'a str> as Nullable<Text> }
    ", properties = " { properties: &'a str as SqlJson }
    ", updated_at = " { updated_at: i64 as SqlTimestamp }
    " WHERE id = " { id: i64 as BigInt }
    " AND updated_at = " { lock_version: i64 as SqlTimestamp }
    ""
}

statement! {
    UpdatePassword<'a>:
    "INSERT INTO password_credentials (user_id, phc, created_at) VALUES ("
    { user_id: i64 as BigInt }
    ", " { phc: &'a str as Text }
    ", " { at: i64 as SqlTimestamp }
    ") ON CONFLICT (user_id) DO UPDATE SET phc = excluded.phc, created_at = excluded.created_at"
}

statement! {
    UpdateProfile<'a>:
    "UPDATE user_profiles SET enabled = " { enabled: bool as Bool }
    ", properties = " { properties: &'a str as SqlJson }
    " WHERE id = " { id: i64 as BigInt }
    " AND user_id = " { user_id: i64 as BigInt }
    ""
}

statement! {
    UpdateTransactable<'a>:
    "UPDATE transactables SET name = " { name: Option<&'a str> as Nullable<Text> }
    ", description = " { description: Option<&'a str> as Nullable<Text> }
    ", currency = " { currency: &'a str as Text }
    ", enabled = " { enabled: bool as Bool }
    ", properties = " { properties: &'a str as SqlJson }
    " WHERE id = " { id: i64 as BigInt }
    " AND user_id = " { user_id: i64 as BigInt }
    ""
}

statement! {
    UpdateRelationshipUser<'a>:
    "UPDATE relationship_users SET relationship_id = " { relationship_id: i64 as BigInt }
    ", properties = " { properties: &'a str as SqlJson }
    " WHERE id = " { id: i64 as BigInt }
    " AND user_id = " { user_id: i64 as BigInt }
    ""
}

statement! {
    UpdateCustomization<'a>:
    "UPDATE customizations SET properties = " { properties: &'a str as SqlJson }
    " WHERE id = " { id: i64 as BigInt }
    " AND user_id = " { user_id: i64 as BigInt }
    ""
}

statement! {
    UpdateAddress<'a>:
    "UPDATE addresses SET address = " { address: Option<&'a str> as Nullable<Text> }
    ", street = " { street: Option<&'a str> as Nullable<Text> }
    ", street_number = " { street_number: Option<&'a str> as Nullable<Text> }
    ", suburb = " { suburb: Option<&'a str> as Nullable<Text> }
    ", city = " { city: Option<&'a str> as Nullable<Text> }
    ", state = " { state: Option<&'a str> as Nullable<Text> }
    ", postcode = " { postcode: Option<&'a str> as Nullable<Text> }
    ", country = " { country: Option<&'a str> as Nullable<Text> }
    ", iso_country_code = " { iso_country_code: Option<&'a str> as Nullable<Text> }
    ", latitude = " { latitude: Option<&'a str> as Nullable<Text> }
    ", longitude = " { longitude: Option<&'a str> as Nullable<Text> }
    " WHERE id = " { id: i64 as BigInt }
    " AND user_id = " { user_id: i64 as BigInt }
    ""
}

statement! {
    UpdateFile<'a>:
    "UPDATE files SET direct_url = " { direct_url: Option<&'a str> as Nullable<Text> }
    ", file_name = " { file_name: Option<&'a str> as Nullable<Text> }
    ", content_type = " { content_type: Option<&'a str> as Nullable<Text> }
    ", caption = " { caption: Option<&'a str> as Nullable<Text> }
    " WHERE id = " { id: i64 as BigInt }
    " AND user_id = " { user_id: i64 as BigInt }
    ""
}

/// Writes a user's own columns, unless it was changed since it was loaded: says whether it was as
/// loaded.
pub(crate) fn update_user(
    conn: &mut AnyConnection,
    user: &NewUser,
    id: i64,
    (lock_version, updated_at): (i64, i64),
) -> QueryResult<bool> {
    let touched = execute!(
        conn,
        UpdateUser {
            email: user.email.as_deref(),
            email_key: user.email_key.as_deref(),
            external_id: user.external_id.as_deref(),
            first_name: user.first_name.as_deref(),
            middle_name: user.middle_name.as_deref(),
            last_name: user.last_name.as_deref(),
            name: user.name.as_deref(),
            featured: user.featured,
            public_profile: user.public_profile,
            language: user.language.as_deref(),
            time_zone: user.time_zone.as_deref(),
            phone: user.phone.as_deref(),
            mobile_number: user.mobile_number.as_deref(),
            properties: user.properties.as_deref().unwrap_or("{}"),
            updated_at,
            id,
            lock_version,
        }
    )?;
    Ok(touched > 0)
}

/// Replaces a user's password, or gives it one.
pub(crate) fn upsert_password(
    conn: &mut AnyConnection,
    user_id: i64,
    phc: &str,
    at: i64,
) -> QueryResult<()> {
    execute!(conn, UpdatePassword { user_id, phc, at }).map(drop)
}

impl UpdatedRows<'_> {
    /// Writes all of it. Says whether all rows were there.
    pub(crate) fn write(&self, conn: &mut AnyConnection) -> QueryResult<bool> {
        let mut touched = 0;
        for row in &self.profiles {
            let &ProfileRow { id, user_id, enabled, properties, .. } = row;
            touched += execute!(conn, UpdateProfile { enabled, properties, id, user_id })?;
        }
        for row in &self.transactables {
            let &TransactableRow { id, user_id, name, description, currency, .. } = row;
            let &TransactableRow { enabled, properties, .. } = row;
            touched += execute!(
                conn,
                UpdateTransactable {
                    name,
                    description,
                    currency,
                    enabled,
                    properties,
                    id,
                    user_id
                }
            )?;
        }
        for row in &self.relationship_users {
            let &RelationshipUserRow { id, user_id, relationship_id, properties, .. } = row;
            touched += execute!(
                conn,
                UpdateRelationshipUser { relationship_id, properties, id, user_id }
            )?;
        }
        for row in &self.customizations {
            let &CustomizationRow { id, user_id, properties, .. } = row;
            touched += execute!(conn, UpdateCustomization { properties, id, user_id })?;
        }
        for row in &self.addresses {
            let &AddressRow { id, user_id, address, street, street_number, suburb, .. } = row;
            let &AddressRow { city, state, postcode, country, iso_country_code, .. } = row;
            let &AddressRow { latitude, longitude, .. } = row;
            touched += execute!(
                conn,
                UpdateAddress {
                    address,
                    street,
                    street_number,
                    suburb,
                    city,
                    state,
                    postcode,
                    country,
                    iso_country_code,
                    latitude,
                    longitude,
                    id,
                    user_id,
                }
            )?;
        }
        for row in &self.files {
            let &FileRow { id, user_id, direct_url, file_name, content_type, caption, .. } = row;
            touched += execute!(
                conn,
                UpdateFile { direct_url, file_name, content_type, caption, id, user_id }
            )?;
        }
        Ok(touched == self.count())
    }

    fn count(&self) -> usize {
        self.profiles.len()
            + self.transactables.len()
            + self.relationship_users.len()
            + self.customizations.len()
            + self.addresses.len()
            + self.files.len()
    }
}
