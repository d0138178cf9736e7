//! Configuration files and their reload.

mod files;
mod reload;

pub use files::{ConfigError, forms_folder, load, resolve_form};
pub use reload::ServedConfig;
pub(crate) use reload::{ConfigWatcher, reload_on_hangup};
