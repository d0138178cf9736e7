//! Configuration files as trees: YAML with locations, and problems with hints.
//!
//! This module is independent of forms and types; see [`crate::form`] and [`crate::types`].

mod explain;
mod parser;
mod problem;
mod reader;
mod scalar;
mod suggest;
mod yaml;

pub use explain::problem_pages;
pub use problem::{Policies, Problem, ProblemCode, Problems};
pub use reader::Reader;
pub use suggest::nearest;
pub use yaml::{Data, Entry, FileId, Node, parse};
pub use yaml::{Location, yaml_to_json};
