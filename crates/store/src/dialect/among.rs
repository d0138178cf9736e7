//! The condition that a column's value is among many ids, prepared once for any number of them.

use diesel::backend::Backend;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Text};
use diesel::sqlite::Sqlite;
use diesel::{Column, QueryResult};

use crate::connection::MultiBackend;

/// `column` is one of `ids`.
///
/// diesel's own `eq_any` makes another statement for each number of ids on SQLite.
pub(crate) fn among<C: Column>(column: C, ids: &[i64]) -> Among<C> {
    let listed: Vec<String> = ids.iter().map(i64::to_string).collect();
    Among { column, ids: ids.to_vec(), json: format!("[{}]", listed.join(",")) }
}

/// See [`among`].
#[derive(Debug, Clone)]
pub(crate) struct Among<C> {
    column: C,
    ids: Vec<i64>,
    json: String,
}

impl<C: QueryId> QueryId for Among<C> {
    type QueryId = Among<C::QueryId>;
    const HAS_STATIC_QUERY_ID: bool = C::HAS_STATIC_QUERY_ID;
}

impl<C> Expression for Among<C> {
    type SqlType = Bool;
}

impl<C, T> AppearsOnTable<T> for Among<C> where C: AppearsOnTable<T> {}

impl<C, T> SelectableExpression<T> for Among<C> where C: SelectableExpression<T> {}

impl<C, G> ValidGrouping<G> for Among<C>
where
    C: ValidGrouping<G>,
{
    type IsAggregate = C::IsAggregate;
}

impl<C> QueryFragment<Sqlite> for Among<C>
where
    C: QueryFragment<Sqlite>,
{
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.column.walk_ast(pass.reborrow())?;
        pass.push_sql(" IN (SELECT value FROM json_each(");
        pass.push_bind_param::<Text, String>(&self.json)?;
        pass.push_sql("))");
        Ok(())
    }
}

impl<C> QueryFragment<Pg> for Among<C>
where
    C: QueryFragment<Pg>,
{
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.column.walk_ast(pass.reborrow())?;
        pass.push_sql(" = ANY(");
        pass.push_bind_param::<Array<BigInt>, Vec<i64>>(&self.ids)?;
        pass.push_sql(")");
        Ok(())
    }
}

impl<C> QueryFragment<MultiBackend> for Among<C>
where
    Self: QueryFragment<Sqlite> + QueryFragment<Pg>,
    MultiBackend: Backend,
{
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        MultiBackend::walk_variant_ast(self, pass)
    }
}
