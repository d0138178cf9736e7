//! Prepared statements, and SQL types that diesel does not provide for both databases.

use diesel::pg::Pg;
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{Binary, SqlType};
use diesel::sqlite::Sqlite;
use std::io::Write as _;
use uuid::Uuid;

/// `uuid` on PostgreSQL, 16 bytes on SQLite.
#[derive(Debug, Clone, Copy, Default, SqlType, QueryId)]
#[diesel(postgres_type(oid = 2950, array_oid = 2951))]
#[diesel(sqlite_type(name = "Binary"))]
pub(super) struct Uid;

/// `jsonb`, bound as text.
#[derive(Debug, Clone, Copy, Default, SqlType, QueryId)]
#[diesel(postgres_type(oid = 3802, array_oid = 3807))]
pub(super) struct Json;

impl ToSql<Uid, Pg> for Uuid {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(self.as_bytes())?;
        Ok(IsNull::No)
    }
}

impl ToSql<Uid, Sqlite> for Uuid {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        <[u8] as ToSql<Binary, Sqlite>>::to_sql(self.as_bytes(), out)
    }
}

impl ToSql<Json, Pg> for str {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&[1])?; // the version of jsonb on the wire
        out.write_all(self.as_bytes())?;
        Ok(IsNull::No)
    }
}

/// Declares a prepared statement for one database: its text, with bound values in place.
macro_rules! statement {
    ($name:ident<$life:lifetime> on $backend:ty, $connection:ty $(, gives $returns:ty)?:
        $head:literal $({ $field:ident: $rust:ty as $sql:ty } $text:literal)+) => {
        struct $name<$life> {
            $($field: $rust,)+
        }

        impl diesel::query_builder::QueryId for $name<'_> {
            type QueryId = $name<'static>;
            const HAS_STATIC_QUERY_ID: bool = true;
        }

        $(impl diesel::query_builder::Query for $name<'_> {
            type SqlType = $returns;
        })?

        impl diesel::query_dsl::RunQueryDsl<$connection> for $name<'_> {}

        impl<$life> diesel::query_builder::QueryFragment<$backend> for $name<$life> {
            fn walk_ast<'b>(
                &'b self,
                mut pass: diesel::query_builder::AstPass<'_, 'b, $backend>,
            ) -> diesel::QueryResult<()> {
                pass.push_sql($head);
                $(pass.push_bind_param::<$sql, $rust>(&self.$field)?;
                pass.push_sql($text);)+
                Ok(())
            }
        }
    };
}
pub(super) use statement;
