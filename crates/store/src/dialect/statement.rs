//! Macros for SQL statements that every connection prepares once.
//!
//! diesel builds most statements anew each time and never caches inserts of several rows,
//! `ON CONFLICT` or raw SQL. The statements declared here have a static query id and are always cached.

use diesel::pg::Pg;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::query_dsl::RunQueryDsl;
use diesel::sqlite::Sqlite;
use diesel::{PgConnection, QueryResult, SqliteConnection};

use crate::connection::AnyConnection;

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

/// A row with its insert statements: of one row for SQLite, of any number of rows for PostgreSQL.
pub(crate) trait Row: Sized {
    /// The statement that inserts this row.
    type One<'r>: QueryFragment<Sqlite> + QueryId + RunQueryDsl<SqliteConnection>
    where
        Self: 'r;
    /// The statement that inserts any number of rows, from one array for each column.
    type Many<'r>: QueryFragment<Pg> + QueryId + RunQueryDsl<PgConnection>
    where
        Self: 'r;

    fn one(&self) -> Self::One<'_>;
    fn many(rows: &[Self]) -> Self::Many<'_>;
}

/// Inserts rows: one statement for each on SQLite, where that is fastest, and one statement for all on
/// PostgreSQL, which takes one round trip.
pub(crate) fn insert<R: Row>(conn: &mut AnyConnection, rows: &[R]) -> QueryResult<()> {
    if rows.is_empty() {
        return Ok(());
    }
    match conn {
        AnyConnection::Sqlite(conn) => {
            for row in rows {
                row.one().execute(conn)?;
            }
        }
        AnyConnection::Postgres(conn) => {
            R::many(rows).execute(conn)?;
        }
    }
    Ok(())
}

/// Declares the struct of a table's rows and its [`Row`] implementation.
///
/// `Name<'a> in table { column: RustType as SqlType, … }`.
macro_rules! row {
    ($(#[$meta:meta])* $name:ident<$life:lifetime> in $table:ident {
        $first:ident: $first_rust:ty as $first_sql:ty
        $(, $column:ident: $rust:ty as $sql:ty)* $(,)?
    }) => {
        $(#[$meta])*
        pub(crate) struct $name<$life> {
            pub(crate) $first: $first_rust,
            $(pub(crate) $column: $rust,)*
        }

        const _: () = {
            use diesel::pg::Pg;
            use diesel::query_builder::{AstPass, QueryFragment, QueryId};
            use diesel::query_dsl::RunQueryDsl;
            use diesel::sql_types::Array;
            use diesel::sqlite::Sqlite;
            use diesel::{PgConnection, QueryResult, SqliteConnection};

            const INTO: &str = concat!(
                "INSERT INTO ", stringify!($table), " (", stringify!($first),
                $(", ", stringify!($column),)* ")"
            );

            pub(crate) struct One<'r, $life>(&'r $name<$life>);

            impl QueryId for One<'_, '_> {
                type QueryId = One<'static, 'static>;
                const HAS_STATIC_QUERY_ID: bool = true;
            }

            impl RunQueryDsl<SqliteConnection> for One<'_, '_> {}

            impl QueryFragment<Sqlite> for One<'_, '_> {
                fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
                    pass.push_sql(INTO);
                    pass.push_sql(" VALUES (");
                    pass.push_bind_param::<$first_sql, _>(&self.0.$first)?;
                    $(pass.push_sql(", ");
                    pass.push_bind_param::<$sql, _>(&self.0.$column)?;)*
                    pass.push_sql(")");
                    Ok(())
                }
            }

            pub(crate) struct Many<'r, $life> {
                $first: Vec<&'r $first_rust>,
                $($column: Vec<&'r $rust>,)*
            }

            impl QueryId for Many<'_, '_> {
                type QueryId = Many<'static, 'static>;
                const HAS_STATIC_QUERY_ID: bool = true;
            }

            impl RunQueryDsl<PgConnection> for Many<'_, '_> {}

            impl QueryFragment<Pg> for Many<'_, '_> {
                fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
                    pass.push_sql(INTO);
                    pass.push_sql(" SELECT * FROM unnest(");
                    pass.push_bind_param::<Array<$first_sql>, _>(&self.$first)?;
                    $(pass.push_sql(", ");
                    pass.push_bind_param::<Array<$sql>, _>(&self.$column)?;)*
                    pass.push_sql(")");
                    Ok(())
                }
            }

            impl<$life> crate::dialect::Row for $name<$life> {
                type One<'r> = One<'r, $life> where Self: 'r;
                type Many<'r> = Many<'r, $life> where Self: 'r;

                fn one(&self) -> One<'_, $life> {
                    One(self)
                }

                fn many(rows: &[Self]) -> Many<'_, $life> {
                    Many {
                        $first: rows.iter().map(|row| &row.$first).collect(),
                        $($column: rows.iter().map(|row| &row.$column).collect(),)*
                    }
                }
            }
        };
    };
}
pub(crate) use row;
