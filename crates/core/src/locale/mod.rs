//! Languages: the texts of `locales/*.yml`, and how the text of a violation is found.
//!
//! Most specific first, and a language before its parent: the form's own words for it,
//! `forms.<form>.<path>.<code>`, `attributes.<path>.<code>`, `messages.<code>`; then the parent
//! (`pt-BR`, then `pt`), then English, which is complete here. Codes and parameters are the same
//! in every language.

mod check;
mod english;
mod file;
mod message_override;
mod plural;
mod render;
mod tag;
mod text;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use sha2::{Digest, Sha256};

pub use english::{BROKEN_RULES, file as english_file, messages};
pub use message_override::MessageOverride;

pub(crate) use check::{KnownNames, check, check_overrides};
pub(crate) use english::{codes, has_code};
pub(crate) use file::NameReference;

use crate::config::{Location, Problem, ProblemCode, Problems, Reader};
use file::LocaleTexts;
use text::LocaleText;

/// A file of texts, read by somebody else.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LocaleFile<'s> {
    pub(crate) name: &'s Arc<str>,
    /// What it is called without folder and extension: its language.
    pub(crate) stem: &'s str,
    pub(crate) text: &'s str,
}

/// All languages of a configuration; English is always one of them.
#[derive(Debug)]
pub struct Locales {
    /// Sorted by tag.
    list: Vec<Arc<Locale>>,
    /// Texts that show the submitted value.
    shown: Vec<ValueUses>,
    digest: [u8; 32],
}

/// A text that shows the submitted value; what is not said counts for all.
#[derive(Debug, PartialEq, Eq)]
struct ValueUses {
    form: Option<Box<str>>,
    path: Option<Box<str>>,
    code: Box<str>,
}

/// One language, with the languages it falls back to.
pub struct Locale {
    tag: Box<str>,
    /// Its own texts, its parents', English ones.
    layers: Vec<Arc<LocaleTexts>>,
}

impl fmt::Debug for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Locale({})", self.tag)
    }
}

impl Locale {
    /// English as it comes with the code.
    #[must_use]
    pub fn english() -> &'static Arc<Self> {
        static ENGLISH: LazyLock<Arc<Locale>> = LazyLock::new(|| {
            let layers = vec![Arc::new(LocaleTexts::empty(tag::ENGLISH))];
            Arc::new(Locale { tag: tag::ENGLISH.into(), layers })
        });
        &ENGLISH
    }

    /// The keys of the texts that it has itself, not by a language it falls back to.
    #[must_use]
    pub fn keys(&self) -> Vec<&str> {
        self.text_layers().flat_map(|texts| texts.messages.keys()).map(|key| &**key).collect()
    }

    /// The texts that it has itself for a key, one for each plural form.
    #[must_use]
    pub fn templates(&self, key: &str) -> Vec<&str> {
        self.text_layers()
            .filter_map(|texts| texts.messages.get(key))
            .flat_map(LocaleText::templates)
            .collect()
    }

    /// The types that it has words for itself, and these.
    #[must_use]
    pub fn types(&self) -> Vec<(&str, &str)> {
        self.text_layers()
            .flat_map(|texts| &texts.types)
            .map(|(name, text)| (&**name, &**text))
            .collect()
    }

    fn text_layers(&self) -> impl Iterator<Item = &LocaleTexts> {
        self.layers.iter().map(AsRef::as_ref).filter(|texts| texts.tag == self.tag)
    }

    /// Its language tag (BCP 47), in the canonical spelling.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.tag
    }
}

impl Default for Locales {
    /// English alone.
    fn default() -> Self {
        Self { list: vec![Locale::english().clone()], shown: Vec::new(), digest: [0; 32] }
    }
}

impl Locales {
    /// Reads all files. What they say of forms comes back, to be looked at when these are known.
    pub(crate) fn read<'s>(
        files: impl Iterator<Item = LocaleFile<'s>>,
        problems: &mut Vec<Problem>,
    ) -> (Self, Vec<NameReference>) {
        let mut texts: HashMap<Box<str>, (Arc<str>, Arc<LocaleTexts>)> = HashMap::new();
        let mut references = Vec::new();
        let mut digest = Sha256::new();
        let mut is_any = false;
        for file in files {
            is_any = true;
            digest.update(file.name.as_bytes());
            digest.update([0]);
            digest.update(file.text.as_bytes());
            digest.update([0]);
            let mut found = Problems::new(file.name.clone());
            if let Some(read) = file::read(file, &mut found, &mut references) {
                if let Some((first, _)) = texts.get(&read.tag) {
                    found.add(
                        ProblemCode::DuplicateName,
                        Location::START,
                        format!("there is another file of the language `{}`", read.tag),
                        "each language once",
                        Some(format!("the other one is {first}")),
                    );
                } else {
                    texts.insert(read.tag.clone(), (file.name.clone(), Arc::new(read)));
                }
            }
            problems.extend(found.into_vec());
        }
        if !is_any {
            return (Self::default(), references);
        }
        let texts = texts.into_iter().map(|(tag, (_, texts))| (tag, texts)).collect();
        let mut locales = Self::of(&texts);
        locales.digest = digest.finalize().into();
        (locales, references)
    }

    fn of(texts: &HashMap<Box<str>, Arc<LocaleTexts>>) -> Self {
        let english = texts.get(tag::ENGLISH).cloned();
        let english = english.unwrap_or_else(|| Arc::new(LocaleTexts::empty(tag::ENGLISH)));
        let mut tags: Vec<&str> = texts.keys().map(|tag| &**tag).collect();
        if !tags.contains(&tag::ENGLISH) {
            tags.push(tag::ENGLISH);
        }
        tags.sort_unstable();
        let locale = |tag: &str| {
            let parents = tag::with_parents(tag).filter(|tag| *tag != tag::ENGLISH);
            let mut layers: Vec<Arc<LocaleTexts>> =
                parents.filter_map(|tag| texts.get(tag).cloned()).collect();
            layers.push(english.clone());
            Arc::new(Locale { tag: tag.into(), layers })
        };
        let list = tags.into_iter().map(locale).collect();
        let mut shown = Vec::new();
        for texts in texts.values() {
            texts.collect_value_uses(&mut shown);
        }
        Self { list, shown, digest: [0; 32] }
    }

    /// The language of a tag, exactly.
    #[must_use]
    pub fn get(&self, tag: &str) -> Option<&Arc<Locale>> {
        let is_of = |locale: &&Arc<Locale>| locale.tag.eq_ignore_ascii_case(tag);
        self.list.iter().find(is_of)
    }

    /// All languages, by their tags.
    #[must_use]
    pub fn all(&self) -> &[Arc<Locale>] {
        &self.list
    }

    /// The language that everything falls back to.
    #[must_use]
    pub fn english(&self) -> &Arc<Locale> {
        self.get(tag::ENGLISH).unwrap_or_else(|| Locale::english())
    }

    /// Whether both say the same.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.digest == other.digest
    }

    /// Whether any text shows a submitted value.
    pub(crate) fn uses_values(&self) -> bool {
        !self.shown.is_empty()
    }

    /// Whether a text for this shows the submitted value. The path may have list indexes.
    pub(crate) fn uses_value(&self, form: &str, path: &str, code: &str) -> bool {
        let path = render::without_indexes(path);
        let is = |said: &Option<Box<str>>, here: &str| said.as_deref().is_none_or(|s| s == here);
        self.shown
            .iter()
            .any(|shown| *shown.code == *code && is(&shown.form, form) && is(&shown.path, &path))
    }
}

/// Notes a code that nothing says.
fn unknown_code(
    reader: &mut Reader<'_>,
    code: &str,
    place: Location,
    within: &str,
    known: &[&str],
) {
    reader.unknown(ProblemCode::UnknownCode, "code", code, place, within, known);
}
