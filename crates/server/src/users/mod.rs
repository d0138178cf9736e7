//! `/api/users`.

mod create;
mod read;
pub(crate) mod render;

pub(crate) use create::create;
pub(crate) use read::{list, show};
