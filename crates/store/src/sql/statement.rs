//! Macros for SQL statements that every connection prepares once.
//!
//! diesel builds most statements anew each time and never caches inserts of several rows,
//! `ON CONFLICT` or raw SQL. The statements declared here have a static query id and are always cached.

/// Declares a statement: its SQL with bind parameters in place.
///
/// `Name<'a>: "sql" { field: RustType as SqlType } "sql" …`, with `-> SqlType` after the name for the
/// columns that it returns. It runs on every backend that supports its types.
macro_rules! statement {
    ($(#[$meta:meta])* $name:ident<$life:lifetime> $(-> $returns:ty)?:
        $head:literal $({ $field:ident: $rust:ty as $sql:ty } $text:literal)+) => {
        $(#[$meta])*
        pub(crate) struct $name<$life> {
            $(pub(crate) $field: $rust,)+
        }

        impl diesel::query_builder::QueryId for $name<'_> {
            type QueryId = $name<'static>;
            const HAS_STATIC_QUERY_ID: bool = true;
        }

        $(impl diesel::query_builder::Query for $name<'_> {
            type SqlType = $returns;
        })?

        impl<C> diesel::query_dsl::RunQueryDsl<C> for $name<'_> {}

        impl<$life, DB> diesel::query_builder::QueryFragment<DB> for $name<$life>
        where
            DB: diesel::backend::Backend,
            $(DB: diesel::sql_types::HasSqlType<$sql>,
            $rust: diesel::serialize::ToSql<$sql, DB>,)+
        {
            fn walk_ast<'b>(
                &'b self,
                mut pass: diesel::query_builder::AstPass<'_, 'b, DB>,
            ) -> diesel::QueryResult<()> {
                pass.push_sql($head);
                $(pass.push_bind_param::<$sql, $rust>(&self.$field)?;
                pass.push_sql($text);)+
                Ok(())
            }
        }
    };
}
pub(crate) use statement;

/// Runs a statement that both databases support and returns the number of affected rows.
macro_rules! execute {
    ($conn:expr, $statement:expr) => {{
        let statement = $statement;
        match $conn {
            $crate::connection::AnyConnection::Sqlite(conn) => {
                diesel::RunQueryDsl::execute(statement, conn)
            }
            $crate::connection::AnyConnection::Postgres(conn) => {
                diesel::RunQueryDsl::execute(statement, conn)
            }
        }
    }};
}
pub(crate) use execute;

/// Runs a statement that both databases support and returns its rows: `load!(conn, statement => Row)`.
macro_rules! load {
    ($conn:expr, $statement:expr => $row:ty) => {{
        let statement = $statement;
        match $conn {
            $crate::connection::AnyConnection::Sqlite(conn) => {
                diesel::RunQueryDsl::load::<$row>(statement, conn)
            }
            $crate::connection::AnyConnection::Postgres(conn) => {
                diesel::RunQueryDsl::load::<$row>(statement, conn)
            }
        }
    }};
}
pub(crate) use load;
