//! SQL types that differ between the databases, and their conversion from and to Rust values.
//!
//! Values are read back exactly as they were written, on both databases; diesel's own JSON and
//! timestamp types do not guarantee that.

use diesel::deserialize::{self, FromSql, Queryable};
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, Binary, HasSqlType, SqlType, Text};
use diesel::sqlite::{Sqlite, SqliteValue};
use std::io::Write as _;
use uuid::Uuid;

use crate::connection::MultiBackend;

/// JSON: `jsonb` on PostgreSQL, text with a check constraint on SQLite, a [`String`] with sorted keys
/// and no insignificant whitespace in Rust.
#[derive(Debug, Clone, Copy, Default, SqlType, QueryId)]
#[diesel(postgres_type(oid = 3802, array_oid = 3807))]
#[diesel(sqlite_type(name = "Text"))]
pub struct SqlJson;

/// A timestamp: `timestamptz` on PostgreSQL, an integer on SQLite, microseconds since 1970 UTC as
/// [`i64`] in Rust.
#[derive(Debug, Clone, Copy, Default, SqlType, QueryId)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185))]
#[diesel(sqlite_type(name = "Long"))]
pub struct SqlTimestamp;

/// A UUID: `uuid` on PostgreSQL, a blob of 16 bytes on SQLite, a [`Uuid`] in Rust.
#[derive(Debug, Clone, Copy, Default, SqlType, QueryId)]
#[diesel(postgres_type(oid = 2950, array_oid = 2951))]
#[diesel(sqlite_type(name = "Binary"))]
pub struct SqlUuid;

/// The epoch of PostgreSQL's timestamps, 2000-01-01, in microseconds since 1970.
const PG_EPOCH: i64 = 946_684_800_000_000;

/// The version byte that precedes a `jsonb` on the wire.
const JSONB_VERSION: u8 = 1;

impl ToSql<SqlJson, Pg> for str {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&[JSONB_VERSION])?;
        out.write_all(self.as_bytes())?;
        Ok(IsNull::No)
    }
}

impl ToSql<SqlJson, Sqlite> for str {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        <str as ToSql<Text, Sqlite>>::to_sql(self, out)
    }
}

impl ToSql<SqlJson, Pg> for String {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        <str as ToSql<SqlJson, Pg>>::to_sql(self, out)
    }
}

impl ToSql<SqlJson, Sqlite> for String {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        <str as ToSql<Text, Sqlite>>::to_sql(self, out)
    }
}

impl FromSql<SqlJson, Pg> for String {
    /// Restores the order of keys: `jsonb` sorts them by length first and puts a space after each
    /// comma.
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let Some((&JSONB_VERSION, text)) = value.as_bytes().split_first() else {
            return Err("unknown jsonb version".into());
        };
        if text == b"{}" {
            return Ok("{}".to_owned());
        }
        let mut json: serde_json::Value = serde_json::from_slice(text)?;
        json.sort_all_objects();
        Ok(json.to_string())
    }
}

impl FromSql<SqlJson, Sqlite> for String {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        <String as FromSql<Text, Sqlite>>::from_sql(value)
    }
}

impl ToSql<SqlTimestamp, Pg> for i64 {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let since_2000 = self.checked_sub(PG_EPOCH).ok_or("timestamp out of range")?;
        out.write_all(&since_2000.to_be_bytes())?;
        Ok(IsNull::No)
    }
}

impl ToSql<SqlTimestamp, Sqlite> for i64 {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        <i64 as ToSql<BigInt, Sqlite>>::to_sql(self, out)
    }
}

impl FromSql<SqlTimestamp, Pg> for i64 {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let since_2000 = i64::from_be_bytes(value.as_bytes().try_into()?);
        // PostgreSQL's `infinity` is `i64::MAX`.
        Ok(since_2000.saturating_add(PG_EPOCH))
    }
}

impl FromSql<SqlTimestamp, Sqlite> for i64 {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        <i64 as FromSql<BigInt, Sqlite>>::from_sql(value)
    }
}

impl ToSql<SqlUuid, Pg> for Uuid {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(self.as_bytes())?;
        Ok(IsNull::No)
    }
}

impl ToSql<SqlUuid, Sqlite> for Uuid {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        <[u8] as ToSql<Binary, Sqlite>>::to_sql(self.as_bytes(), out)
    }
}

impl FromSql<SqlUuid, Pg> for Uuid {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Uuid::from_slice(value.as_bytes())?)
    }
}

impl FromSql<SqlUuid, Sqlite> for Uuid {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        Ok(Uuid::from_slice(&<Vec<u8> as FromSql<Binary, Sqlite>>::from_sql(value)?)?)
    }
}

impl<DB> Queryable<SqlUuid, DB> for Uuid
where
    DB: diesel::backend::Backend,
    Uuid: FromSql<SqlUuid, DB>,
{
    type Row = Uuid;

    fn build(row: Uuid) -> deserialize::Result<Self> {
        Ok(row)
    }
}

/// Declares the types for the backend that is either of the two.
macro_rules! multi_backend_types {
    ($($sql:ty => $rust:ty),+ $(,)?) => { $(
        impl HasSqlType<$sql> for MultiBackend {
            fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
                Self::lookup_sql_type::<$sql>(lookup)
            }
        }

        impl FromSql<$sql, MultiBackend> for $rust {
            fn from_sql(
                value: <MultiBackend as diesel::backend::Backend>::RawValue<'_>,
            ) -> deserialize::Result<Self> {
                value.from_sql::<$rust, $sql>()
            }
        }
    )+ };
}

multi_backend_types!(SqlJson => String, SqlTimestamp => i64, SqlUuid => Uuid);
