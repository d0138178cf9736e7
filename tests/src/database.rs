//! Databases under test, and direct access to them that bypasses the server.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use diesel::sql_types::{BigInt, Text};
use diesel::{
    Connection, PgConnection, QueryResult, QueryableByName, RunQueryDsl, SqliteConnection,
    sql_query,
};

/// Supported databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    /// A new file per test.
    Sqlite,
    /// A new database per test, on a server that the test process starts.
    Postgres,
}

impl Database {
    /// All supported databases.
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

/// Direct access to a database, bypassing the server.
#[derive(Debug)]
pub struct DirectDatabase<'u>(pub(crate) &'u str);

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

impl DirectDatabase<'_> {
    /// Returns the number of rows of a table, or of any SQL that may follow `FROM`.
    ///
    /// # Panics
    /// Panics if the query fails.
    #[must_use]
    pub fn count(&self, from: &str) -> i64 {
        let sql = format!("SELECT count(*) AS count FROM {from}");
        self.rows::<Count>(&sql)[0].count
    }

    /// Returns true for PostgreSQL.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        self.file().is_none()
    }

    /// Executes a statement.
    ///
    /// # Panics
    /// Panics if the statement fails.
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

    /// Runs `meanwhile` while a lock blocks all other writers.
    ///
    /// # Panics
    /// Panics if the lock cannot be taken.
    pub fn with_write_lock<T>(&self, meanwhile: impl FnOnce() -> T) -> T {
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

    /// Runs `meanwhile` within an open read transaction on the SQLite file.
    ///
    /// # Panics
    /// Panics if the database is not SQLite or cannot be read.
    pub fn with_read_transaction<T>(&self, meanwhile: impl FnOnce() -> T) -> T {
        let mut connection = SqliteConnection::establish(self.file().unwrap()).unwrap();
        let read = connection.transaction(|connection| {
            sql_query("SELECT count(*) AS count FROM users").load::<Count>(connection)?;
            QueryResult::Ok(meanwhile())
        });
        read.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Returns the query plan, with sequential scans disabled on PostgreSQL.
    ///
    /// # Panics
    /// Panics if the query is invalid.
    #[must_use]
    pub fn query_plan(&self, sql: &str) -> String {
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

    /// Returns the column names of all tables.
    ///
    /// # Panics
    /// Panics if the query fails.
    #[must_use]
    pub fn column_names(&self) -> BTreeSet<String> {
        self.columns().into_iter().map(|column| column.name).collect()
    }

    /// Returns the number of rows by table.
    ///
    /// # Panics
    /// Panics if the query fails.
    #[must_use]
    pub fn row_counts(&self) -> BTreeMap<String, i64> {
        let tables: BTreeSet<String> = self.columns().into_iter().map(|column| column.of).collect();
        let counts: Vec<String> = tables
            .iter()
            .map(|table| format!("SELECT '{table}' AS of, count(*) AS count FROM \"{table}\""))
            .collect();
        let counts = self.rows::<CountOf>(&counts.join(" UNION ALL "));
        counts.into_iter().map(|row| (row.of, row.count)).collect()
    }

    /// Returns every cell of every table as `table.column: value`, sorted.
    ///
    /// # Panics
    /// Panics if the query fails.
    #[must_use]
    pub fn all_cells(&self) -> Vec<String> {
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
