//! How configuration is read: YAML with places, problems with hints.
//!
//! Nothing here knows what a form is; see [`crate::form`] and [`crate::types`] for that.

mod limits;
mod near;
mod pages;
mod problem;
mod reader;
mod tags;
mod yaml;

pub use near::nearest;
pub use pages::problem_pages;
pub use problem::{Policies, Problem, ProblemCode, Problems};
pub(crate) use reader::Reader;
pub(crate) use yaml::{Data, Entry, FileId, Node, parse};
pub use yaml::{Place, yaml_to_json};
