//! The condition that a property of a user, as text, has a value.

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::expression::{
    AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate,
};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Bool, Text};
use diesel::sqlite::Sqlite;

use crate::connection::MultiBackend;
use crate::tables::schema::users;

/// Returns the condition that the property `name`, as text, is `text`.
pub(crate) fn property_is<'p>(name: &'p str, text: &'p str) -> PropertyIs<'p> {
    // SQLite's JSON path syntax: sqlite.org/json1.html, section 3.4.
    PropertyIs { name, text, path: format!("$.\"{}\"", name.replace('"', "")) }
}

/// See [`property_is`].
#[derive(Debug, Clone)]
pub(crate) struct PropertyIs<'p> {
    name: &'p str,
    text: &'p str,
    path: String,
}

impl QueryId for PropertyIs<'_> {
    type QueryId = PropertyIs<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Expression for PropertyIs<'_> {
    type SqlType = Bool;
}

impl AppearsOnTable<users::table> for PropertyIs<'_> {}

impl SelectableExpression<users::table> for PropertyIs<'_> {}

impl<G> ValidGrouping<G> for PropertyIs<'_> {
    type IsAggregate = is_aggregate::No;
}

impl QueryFragment<Sqlite> for PropertyIs<'_> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        pass.push_sql("CAST(json_extract(users.properties, ");
        pass.push_bind_param::<Text, String>(&self.path)?;
        pass.push_sql(") AS TEXT) = ");
        pass.push_bind_param::<Text, _>(&self.text)?;
        Ok(())
    }
}

impl QueryFragment<Pg> for PropertyIs<'_> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        pass.push_sql("users.properties ->> ");
        pass.push_bind_param::<Text, _>(&self.name)?;
        pass.push_sql(" = ");
        pass.push_bind_param::<Text, _>(&self.text)?;
        Ok(())
    }
}

impl QueryFragment<MultiBackend> for PropertyIs<'_>
where
    Self: QueryFragment<Sqlite> + QueryFragment<Pg>,
    MultiBackend: Backend,
{
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        MultiBackend::walk_variant_ast(self, pass)
    }
}
