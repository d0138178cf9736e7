//! The translations that are compiled in. English is in the messages themselves; `en.yml` is generated
//! from them as a list of everything that can be translated.

use std::sync::{Arc, OnceLock};

use super::LocaleFile;
use super::file::{self, LocaleTexts};
use crate::config::Problems;
use crate::messages::MessageIndex;

/// Tag and file of each built-in language but English.
const FILES: [(&str, &str); 1] = [("de", include_str!("de.yml"))];

/// Returns the built-in translations, sorted by tag. `index` has the built-in messages. Tests assert that
/// the files have no problems.
pub(super) fn translations(index: &MessageIndex) -> &'static [Arc<LocaleTexts>] {
    static TRANSLATIONS: OnceLock<Vec<Arc<LocaleTexts>>> = OnceLock::new();
    TRANSLATIONS.get_or_init(|| {
        let read = |(stem, text)| {
            let name: Arc<str> = format!("locales/{stem}.yml (built in)").into();
            let file = LocaleFile { name: &name, stem, text };
            // References are to built-in fields of users, which exist in every configuration.
            file::read(file, index, &mut Problems::new(name.clone()), &mut Vec::new())
        };
        FILES.into_iter().filter_map(read).map(Arc::new).collect()
    })
}
