//! Configuration files and their reload.

mod built_in;
mod files;
mod reload;

pub use files::{ConfigError, forms_folder, load, load_with_file, resolve_form};
pub use reload::ServedConfig;
pub(crate) use reload::{ConfigWatcher, reload_on_hangup};
