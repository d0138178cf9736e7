//! Messages of violations: texts with placeholders, their plural forms, and what forms set in their
//! place.

mod index;
mod message;
mod message_override;
mod plural;
pub(crate) mod tag;
mod text;

pub use index::MessageIndex;
pub use message::{BROKEN_RULES, Message, Param, Params, humanize};
pub use message_override::MessageOverride;

pub(crate) use index::{FULL_MESSAGE, TYPES};
pub(crate) use plural::Plurals;
pub(crate) use text::LocaleText;
