//! Rows of tables: a column is declared once for INSERT, UPDATE and SELECT.

use diesel::pg::Pg;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::query_dsl::RunQueryDsl;
use diesel::sqlite::Sqlite;
use diesel::{PgConnection, QueryResult, SqliteConnection};
use uuid::Uuid;

use crate::connection::AnyConnection;

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

/// A row with the statement that updates it.
pub(crate) trait UpdateRow {
    /// Updates the row with these keys and returns whether it exists.
    fn update(&self, conn: &mut AnyConnection) -> QueryResult<bool>;
}

/// A stored value with a length in bytes, if it is a text.
pub(crate) trait TextLen {
    fn text_len(&self) -> usize {
        0
    }
}

impl TextLen for bool {}
impl TextLen for i64 {}
impl TextLen for Option<i64> {}
impl TextLen for Uuid {}

impl TextLen for String {
    fn text_len(&self) -> usize {
        self.len()
    }
}

impl TextLen for Option<String> {
    fn text_len(&self) -> usize {
        self.as_ref().map_or(0, String::len)
    }
}

/// New and updated rows of a table.
#[derive(Debug)]
pub(crate) struct TableRows<R> {
    new: Vec<R>,
    updated: Vec<R>,
}

impl<R> Default for TableRows<R> {
    fn default() -> Self {
        Self { new: Vec::new(), updated: Vec::new() }
    }
}

impl<R> TableRows<R> {
    /// Adds a row, which is updated if it has the id of a stored row.
    pub(crate) fn push(&mut self, stored_id: Option<i64>, row: R) {
        match stored_id {
            Some(_) => self.updated.push(row),
            None => self.new.push(row),
        }
    }

    /// Returns the first new row.
    pub(crate) fn first_new(&self) -> Option<&R> {
        self.new.first()
    }
}

impl<R: Row + UpdateRow> TableRows<R> {
    /// Inserts and updates the rows. Returns whether all updated rows exist.
    pub(crate) fn write(&self, conn: &mut AnyConnection) -> QueryResult<bool> {
        insert(conn, &self.new)?;
        let mut all_exist = true;
        for row in &self.updated {
            all_exist &= row.update(conn)?;
        }
        Ok(all_exist)
    }
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

            impl<$life> $crate::sql::Row for $name<$life> {
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

/// Declares a table, the struct of the rows that are written to it, and the struct of stored rows.
///
/// ```text
/// /// Documentation of the stored struct.
/// StoredName / NameRow<'a> in table where (key, …) {
///     insert { column: RustType as SqlType, … }               // inserted, not read
///     fixed { column: RustType => StoredType as SqlType, … }  // inserted and read, never updated
///     update { column: RustType => StoredType as SqlType, … } // inserted, read and updated
///     nested { field: Type, … }                               // fields of the stored struct only
/// }
/// ```
///
/// An update changes the row whose key columns (bigints) are those of the struct.
macro_rules! rows {
    (
        $(#[$meta:meta])*
        $stored:ident / $row:ident<$life:lifetime> in $table:ident where ($key:ident $(, $keys:ident)*) {
            insert { $($i_col:ident: $i_rust:ty as $i_sql:ty),* $(,)? }
            fixed { $($(#[$f_meta:meta])* $f_col:ident: $f_rust:ty => $f_stored:ty as $f_sql:ty),+ $(,)? }
            update {
                $(#[$u_meta:meta])* $u_col:ident: $u_rust:ty => $u_stored:ty as $u_sql:ty
                $(, $(#[$us_meta:meta])* $us_col:ident: $us_rust:ty => $us_stored:ty as $us_sql:ty)*
                $(,)?
            }
            nested { $($(#[$n_meta:meta])* $n_field:ident: $n_type:ty),* $(,)? }
        }
    ) => {
        diesel::table! {
            use diesel::sql_types::*;
            use crate::sql::types::*;

            $table (id) {
                $($f_col -> $f_sql,)+
                $($i_col -> $i_sql,)*
                $u_col -> $u_sql,
                $($us_col -> $us_sql,)*
            }
        }

        $crate::sql::row! {
            $row<$life> in $table {
                $($f_col: $f_rust as $f_sql,)+
                $($i_col: $i_rust as $i_sql,)*
                $u_col: $u_rust as $u_sql,
                $($us_col: $us_rust as $us_sql,)*
            }
        }

        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $stored {
            $($(#[$f_meta])* pub $f_col: $f_stored,)+
            $(#[$u_meta])* pub $u_col: $u_stored,
            $($(#[$us_meta])* pub $us_col: $us_stored,)*
            $($(#[$n_meta])* pub $n_field: $n_type,)*
        }

        const _: () = {
            use diesel::backend::Backend;
            use diesel::query_builder::{AstPass, QueryFragment, QueryId};
            use diesel::query_dsl::RunQueryDsl;
            use diesel::serialize::ToSql;
            use diesel::sql_types::{BigInt, HasSqlType};
            use diesel::QueryResult;

            use $crate::connection::AnyConnection;

            impl $stored {
                /// The columns of a stored row.
                pub(crate) const COLUMNS: ($($table::$f_col,)+ $table::$u_col, $($table::$us_col,)*) =
                    ($($table::$f_col,)+ $table::$u_col, $($table::$us_col,)*);

                /// Returns the length of the text columns in bytes.
                pub(crate) fn text_len(&self) -> usize {
                    use $crate::sql::TextLen as _;
                    let fixed = 0 $(+ self.$f_col.text_len())+;
                    fixed + self.$u_col.text_len() $(+ self.$us_col.text_len())*
                }

                /// Returns a stored row with the values of [`Self::COLUMNS`].
                pub(crate) fn new(
                    ($($f_col,)+ $u_col, $($us_col,)*): ($($f_stored,)+ $u_stored, $($us_stored,)*),
                    $($n_field: $n_type,)*
                ) -> Self {
                    Self { $($f_col,)+ $u_col, $($us_col,)* $($n_field,)* }
                }
            }

            struct Update<'r, $life>(&'r $row<$life>);

            impl QueryId for Update<'_, '_> {
                type QueryId = Update<'static, 'static>;
                const HAS_STATIC_QUERY_ID: bool = true;
            }

            impl<C> RunQueryDsl<C> for Update<'_, '_> {}

            impl<$life, DB> QueryFragment<DB> for Update<'_, $life>
            where
                DB: Backend + HasSqlType<BigInt> + HasSqlType<$u_sql> $(+ HasSqlType<$us_sql>)*,
                i64: ToSql<BigInt, DB>,
                $u_rust: ToSql<$u_sql, DB>,
                $($us_rust: ToSql<$us_sql, DB>,)*
            {
                fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
                    pass.push_sql(concat!(
                        "UPDATE ", stringify!($table), " SET ", stringify!($u_col), " = "
                    ));
                    pass.push_bind_param::<$u_sql, _>(&self.0.$u_col)?;
                    $(pass.push_sql(concat!(", ", stringify!($us_col), " = "));
                    pass.push_bind_param::<$us_sql, _>(&self.0.$us_col)?;)*
                    pass.push_sql(concat!(" WHERE ", stringify!($key), " = "));
                    pass.push_bind_param::<BigInt, i64>(&self.0.$key)?;
                    $(pass.push_sql(concat!(" AND ", stringify!($keys), " = "));
                    pass.push_bind_param::<BigInt, i64>(&self.0.$keys)?;)*
                    Ok(())
                }
            }

            impl $crate::sql::UpdateRow for $row<'_> {
                fn update(&self, conn: &mut AnyConnection) -> QueryResult<bool> {
                    let updated = match conn {
                        AnyConnection::Sqlite(conn) => Update(self).execute(conn)?,
                        AnyConnection::Postgres(conn) => Update(self).execute(conn)?,
                    };
                    Ok(updated > 0)
                }
            }
        };
    };
}
pub(crate) use rows;
