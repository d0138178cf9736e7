//! The condition `column IN (ids)`, prepared once for any number of ids.

use diesel::backend::Backend;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Text};
use diesel::sqlite::Sqlite;
use diesel::{Column, QueryResult};

use crate::connection::MultiBackend;

/// Returns the condition that `column` is one of `ids`. On SQLite, diesel's `eq_any` is a different
/// statement for each number of ids.
pub(crate) fn id_in<C: Column>(column: C, ids: &[i64]) -> IdIn<C> {
    let listed: Vec<String> = ids.iter().map(i64::to_string).collect();
    IdIn { column, ids: ids.to_vec(), json: format!("[{}]", listed.join(",")) }
}

/// See [`id_in`].
#[derive(Debug, Clone)]
pub(crate) struct IdIn<C> {
    column: C,
    ids: Vec<i64>,
    json: String,
}

impl<C: QueryId> QueryId for IdIn<C> {
    type QueryId = IdIn<C::QueryId>;
    const HAS_STATIC_QUERY_ID: bool = C::HAS_STATIC_QUERY_ID;
}

impl<C> Expression for IdIn<C> {
    type SqlType = Bool;
}

impl<C, T> AppearsOnTable<T> for IdIn<C> where C: AppearsOnTable<T> {}

impl<C, T> SelectableExpression<T> for IdIn<C> where C: SelectableExpression<T> {}

impl<C, G> ValidGrouping<G> for IdIn<C>
where
    C: ValidGrouping<G>,
{
    type IsAggregate = C::IsAggregate;
}

impl<C> QueryFragment<Sqlite> for IdIn<C>
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

impl<C> QueryFragment<Pg> for IdIn<C>
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

impl<C> QueryFragment<MultiBackend> for IdIn<C>
where
    Self: QueryFragment<Sqlite> + QueryFragment<Pg>,
    MultiBackend: Backend,
{
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        MultiBackend::walk_variant_ast(self, pass)
    }
}
