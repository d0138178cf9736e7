//! The table of users.

use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use diesel::{QueryResult, RunQueryDsl};
use registrar_core::aggregate::NewUser;
use uuid::Uuid;

use crate::clock::now;
use crate::connection::AnyConnection;
use crate::sql::types::{SqlJson, SqlTimestamp, SqlUuid};
use crate::sql::{load, rows, statement};

rows! {
    /// The columns of a user.
    UserColumns / UserRow<'a> in users where (id) {
        insert {}
        fixed {
            /// Id, from 1 on.
            id: i64 => i64 as BigInt,
            /// UUID, version 7.
            uuid: Uuid => Uuid as SqlUuid,
            /// Name of the form that created the user.
            form_name: &'a str => String as Text,
            /// Version of that form.
            form_version: &'a str => String as Text,
            /// Time of creation.
            created_at: i64 => i64 as SqlTimestamp,
        }
        update {
            /// E-mail address, as the client spelled it.
            email: Option<&'a str> => Option<String> as Nullable<Text>,
            /// Canonical key of the e-mail address; null if a claim has it.
            email_key: Option<&'a str> => Option<String> as Nullable<Text>,
            /// Id in an external system.
            external_id: Option<&'a str> => Option<String> as Nullable<Text>,
            /// First name.
            first_name: Option<&'a str> => Option<String> as Nullable<Text>,
            /// Middle name.
            middle_name: Option<&'a str> => Option<String> as Nullable<Text>,
            /// Last name.
            last_name: Option<&'a str> => Option<String> as Nullable<Text>,
            /// Full name, as given.
            name: Option<&'a str> => Option<String> as Nullable<Text>,
            /// Whether the user is featured.
            featured: bool => bool as Bool,
            /// Whether the profile is public.
            public_profile: bool => bool as Bool,
            /// BCP 47 language tag.
            language: Option<&'a str> => Option<String> as Nullable<Text>,
            /// IANA time zone.
            time_zone: Option<&'a str> => Option<String> as Nullable<Text>,
            /// Phone number.
            phone: Option<&'a str> => Option<String> as Nullable<Text>,
            /// Mobile number.
            mobile_number: Option<&'a str> => Option<String> as Nullable<Text>,
            /// Custom properties, a JSON object.
            properties: &'a str => String as SqlJson,
            /// Time of the last update.
            updated_at: i64 => i64 as SqlTimestamp,
        }
        nested {}
    }
}

statement! {
    TouchUnchanged<'a> -> SqlUuid:
    "UPDATE users SET updated_at = " { at: &'a i64 as SqlTimestamp }
    " WHERE id = " { id: &'a i64 as BigInt }
    " AND updated_at = " { lock_version: &'a i64 as SqlTimestamp }
    " RETURNING uuid"
}

statement! {
    TouchOnSqlite<'a> -> SqlUuid:
    "UPDATE users SET updated_at = max(updated_at + 1, " { at: &'a i64 as SqlTimestamp }
    ") WHERE id = " { id: &'a i64 as BigInt }
    " RETURNING uuid"
}

statement! {
    TouchOnPostgres<'a> -> SqlUuid:
    "UPDATE users SET updated_at = greatest(updated_at + interval '1 microsecond', "
    { at: &'a i64 as SqlTimestamp }
    ") WHERE id = " { id: &'a i64 as BigInt }
    " RETURNING uuid"
}

/// Sets `updated_at` of a user, which locks the user until the commit, and returns its UUID. Returns
/// `None` if the user does not exist or, given its lock version and the new time, was updated since.
pub(crate) fn touch_user(
    conn: &mut AnyConnection,
    id: i64,
    versions: Option<(i64, i64)>,
) -> QueryResult<Option<Uuid>> {
    let id = &id;
    let uuids: Vec<Uuid> = match (conn, &versions) {
        (conn, Some((lock_version, at))) => {
            load!(conn, TouchUnchanged { at, id, lock_version } => Uuid)?
        }
        (AnyConnection::Sqlite(conn), None) => TouchOnSqlite { at: &now(), id }.load(conn)?,
        (AnyConnection::Postgres(conn), None) => TouchOnPostgres { at: &now(), id }.load(conn)?,
    };
    Ok(uuids.into_iter().next())
}

/// Returns the time of an update, which is later than the last one even if the clock went back.
pub(crate) fn next_version(lock_version: i64) -> i64 {
    now().max(lock_version.saturating_add(1))
}

/// The ids of a user or record that was created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Created {
    /// Id, from 1 on.
    pub id: i64,
    /// UUID of a user, version 7; `None` for a record.
    pub uuid: Option<Uuid>,
}

/// The columns of a user that updates do not change.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UserIdentity<'a> {
    pub(crate) id: i64,
    pub(crate) uuid: Uuid,
    pub(crate) form_name: &'a str,
    pub(crate) form_version: &'a str,
}

impl<'a> UserRow<'a> {
    pub(crate) fn new(identity: UserIdentity<'a>, user: &'a NewUser, at: i64) -> Self {
        let UserIdentity { id, uuid, form_name, form_version } = identity;
        Self {
            id,
            uuid,
            form_name,
            form_version,
            created_at: at,
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
            updated_at: at,
        }
    }
}
