//! Configuration files as trees: YAML with locations, and problems with hints.
//!
//! This module is independent of forms and types; see [`crate::form`] and [`crate::types`].

mod explain;
mod node;
mod parse;
mod parser;
mod problem;
mod reader;
mod scalar;
mod suggest;

pub use explain::problem_pages;
pub use node::{Data, Entry, FileId, Location, Node};
pub use parse::{parse, yaml_to_json};
pub use problem::{Policies, Problem, ProblemCode, Problems};
pub use reader::Reader;
pub use suggest::nearest;
