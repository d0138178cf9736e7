//! The databases of the tests: which there are, new ones, and a look into them past the server.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use diesel::sql_types::{BigInt, Text};
use diesel::{
    Connection, PgConnection, QueryResult, QueryableByName, RunQueryDsl, SqliteConnection,
    sql_query,
};

/// The databases that everything must work on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    /// A file of its own.
    Sqlite,
    /// A database of its own on a server that the test process starts.
    Postgres,
}

impl Database {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        })
    }
}

/// Looks into a database past the server.
#[derive(Debug)]
pub struct Direct<'u>(pub(crate) &'u str);

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct CountOf {
    #[diesel(sql_type = Text)]
    of: String,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    of: String,
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text, column_name = "detail")]
    line: String,
}

#[derive(QueryableByName)]
struct PlanLine {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    line: String,
}

#[derive(QueryableByName)]
struct Cell {
    #[diesel(sql_type = Text)]
    cell: String,
}

const SQLITE_COLUMNS: &str = "SELECT t.name AS of, c.name AS name FROM sqlite_master t \
     JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%'";
const POSTGRES_COLUMNS: &str = "SELECT table_name::text AS of, column_name::text AS name \
     FROM information_schema.columns WHERE table_schema = 'public'";

impl Direct<'_> {
    /// The number of rows of a table, or of what may follow `FROM`.
    ///
    /// # Panics
    /// When the database does not tell.
    #[must_use]
    pub fn count(&self, from: &str) -> i64 {
        let sql = format!("SELECT count(*) AS count FROM {from}");
        self.rows::<Count>(&sql)[0].count
    }

    /// Whether it is PostgreSQL.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        self.file().is_none()
    }

    /// Does something to the database behind the server's back.
    ///
    /// # Panics
    /// When the database refuses it.
    pub fn execute(&self, sql: &str) {
        match self.file() {
            Some(file) => {
                let mut connection = SqliteConnection::establish(file).unwrap();
                sql_query("PRAGMA busy_timeout = 10000").execute(&mut connection).unwrap();
                sql_query(sql).execute(&mut connection).unwrap();
            }
            None => {
                sql_query(sql).execute(&mut PgConnection::establish(self.0).unwrap()).unwrap();
            }
        }
    }

    /// Keeps the database from being written to while `meanwhile` runs.
    ///
    /// # Panics
    /// When the database does not let us.
    pub fn while_locked<T>(&self, meanwhile: impl FnOnce() -> T) -> T {
        match self.file() {
            Some(file) => {
                let mut connection = SqliteConnection::establish(file).unwrap();
                sql_query("PRAGMA busy_timeout = 10000").execute(&mut connection).unwrap();
                connection
                    .immediate_transaction(|_| QueryResult::Ok(meanwhile()))
                    .unwrap_or_else(|error| panic!("{error}"))
            }
            None => PgConnection::establish(self.0)
                .unwrap()
                .transaction(|connection| {
                    sql_query("LOCK TABLE unique_claims IN EXCLUSIVE MODE").execute(connection)?;
                    QueryResult::Ok(meanwhile())
                })
                .unwrap_or_else(|error| panic!("{error}")),
        }
    }

    /// Reads from SQLite's file in one transaction while `meanwhile` runs.
    ///
    /// # Panics
    /// When it is no file, or does not let us.
    pub fn while_reading<T>(&self, meanwhile: impl FnOnce() -> T) -> T {
        let mut connection = SqliteConnection::establish(self.file().unwrap()).unwrap();
        let read = connection.transaction(|connection| {
            sql_query("SELECT count(*) AS count FROM users").load::<Count>(connection)?;
            QueryResult::Ok(meanwhile())
        });
        read.unwrap_or_else(|error| panic!("{error}"))
    }

    /// How the database would run a query, whatever it holds.
    ///
    /// # Panics
    /// When it does not tell.
    #[must_use]
    pub fn plan(&self, sql: &str) -> String {
        let lines: Vec<String> = match self.file() {
            Some(_) => {
                let steps = self.rows::<Step>(&format!("EXPLAIN QUERY PLAN {sql}"));
                steps.into_iter().map(|step| step.line).collect()
            }
            None => {
                let mut connection = PgConnection::establish(self.0).unwrap();
                sql_query("SET enable_seqscan = off").execute(&mut connection).unwrap();
                let steps = sql_query(format!("EXPLAIN {sql}")).load::<PlanLine>(&mut connection);
                steps.unwrap().into_iter().map(|step| step.line).collect()
            }
        };
        lines.join("\n")
    }

    /// Every column of every table, by its own name.
    ///
    /// # Panics
    /// When the database does not tell.
    #[must_use]
    pub fn every_column(&self) -> BTreeSet<String> {
        self.columns().into_iter().map(|column| column.name).collect()
    }

    /// How many rows every table has.
    ///
    /// # Panics
    /// When the database does not tell.
    #[must_use]
    pub fn every_count(&self) -> BTreeMap<String, i64> {
        let tables: BTreeSet<String> = self.columns().into_iter().map(|column| column.of).collect();
        let counts: Vec<String> = tables
            .iter()
            .map(|table| format!("SELECT '{table}' AS of, count(*) AS count FROM \"{table}\""))
            .collect();
        let counts = self.rows::<CountOf>(&counts.join(" UNION ALL "));
        counts.into_iter().map(|row| (row.of, row.count)).collect()
    }

    /// Every cell of every table as text, with `table.column` in front, sorted.
    ///
    /// # Panics
    /// When the database does not tell.
    #[must_use]
    pub fn every_cell(&self) -> Vec<String> {
        let is_postgres = self.is_postgres();
        let cells_of = |Column { of, name }: &Column| {
            let text = if is_postgres {
                format!("\"{name}\"::text")
            } else {
                format!("quote(\"{name}\")")
            };
            format!("SELECT '{of}.{name}: ' || coalesce({text}, 'NULL') AS cell FROM \"{of}\"")
        };
        let cells: Vec<String> = self.columns().iter().map(cells_of).collect();
        let cells = self.rows::<Cell>(&cells.join(" UNION ALL "));
        let mut cells: Vec<String> = cells.into_iter().map(|row| row.cell).collect();
        cells.sort_unstable();
        cells
    }

    fn columns(&self) -> Vec<Column> {
        self.rows(if self.is_postgres() { POSTGRES_COLUMNS } else { SQLITE_COLUMNS })
    }

    fn file(&self) -> Option<&str> {
        self.0.strip_prefix("sqlite:")
    }

    fn rows<T>(&self, sql: &str) -> Vec<T>
    where
        T: QueryableByName<diesel::sqlite::Sqlite> + QueryableByName<diesel::pg::Pg> + 'static,
    {
        let rows: QueryResult<Vec<T>> = match self.file() {
            Some(file) => {
                let mut connection = SqliteConnection::establish(file).unwrap();
                sql_query("PRAGMA busy_timeout = 10000").execute(&mut connection).unwrap();
                sql_query(sql).load(&mut connection)
            }
            None => sql_query(sql).load(&mut PgConnection::establish(self.0).unwrap()),
        };
        rows.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }
}
