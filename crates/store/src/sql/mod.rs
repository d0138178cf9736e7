//! SQL building blocks: cached statements, rows of tables, types and conditions.

mod id_in;
mod rows;
mod statement;
pub(crate) mod types;

pub(crate) use id_in::id_in;
pub(crate) use rows::{Row, TableRows, TextLen, UpdateRow, insert, row, rows};
pub(crate) use statement::{execute, load, statement};
