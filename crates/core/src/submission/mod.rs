//! A submission while it is evaluated: its values in slots, paths into it, and the findings of
//! validation.

mod canonical_json;
mod findings;
mod path;
mod record_cursor;
mod slot;

pub use canonical_json::canonical_json;
pub(crate) use canonical_json::{is_storable, object, stored_json};
pub use findings::shortened;
pub(crate) use findings::{
    Explanations, Findings, PendingViolation, SCHEMA_STEP_BUDGET, shortened_to,
};
pub(crate) use path::Path;
pub(crate) use slot::{GroupSlots, ItemKey, ListItem, SiblingRef, SiblingScope, Slot, id_of};
