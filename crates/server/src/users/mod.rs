//! `/api/users`.

mod create;
mod delete;
mod read;
pub(crate) mod render;
pub(crate) mod submitted;
mod update;

pub(crate) use create::create;
pub(crate) use delete::delete;
pub(crate) use read::{list, show};
pub(crate) use update::update;

/// The id in a path: `7`, or `7.json`. Nothing where it can be nobody's.
fn id_of(path: &str) -> Option<i64> {
    path.strip_suffix(".json").unwrap_or(path).parse().ok()
}
