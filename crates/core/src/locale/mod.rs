//! Languages: the built-in translations, those in `locales/*.yml`, and the look-up of a violation's
//! message.
//!
//! The look-up goes by language (`pt-BR`, then its parent `pt`, then English), in each by origin (the
//! configuration's file, then the built-in translations), and in each of those from specific to
//! general: the form's override, `forms.<form>.<path>.<code>`, `attributes.<path>.<code>`,
//! `messages.<code>`. Codes and parameters are the same in all of them.

mod built_in;
mod file;
mod render;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use sha2::{Digest, Sha256};

pub(crate) use file::{NameReference, ReferenceKind};

use crate::config::{Location, Problem, ProblemCode, Problems, Reader};
use crate::messages::{LocaleText, MessageIndex, tag};
use file::LocaleTexts;

/// The name and content of a locale file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LocaleFile<'s> {
    pub(crate) name: &'s Arc<str>,
    /// The file name without folder and extension: the language tag.
    pub(crate) stem: &'s str,
    pub(crate) text: &'s str,
}

/// All languages of a configuration, always including the built-in ones.
#[derive(Debug)]
pub struct Locales {
    /// Sorted by tag.
    list: Vec<Arc<Locale>>,
    /// The messages that contain the submitted value.
    shown: Vec<ValueUses>,
    digest: [u8; 32],
}

/// Identifies a message that contains the submitted value; `None` stands for all forms or paths.
#[derive(Debug, PartialEq, Eq)]
struct ValueUses {
    form: Option<Box<str>>,
    path: Option<Box<str>>,
    code: Box<str>,
}

/// One language, with the languages it falls back to.
pub struct Locale {
    tag: Box<str>,
    /// Its own translations (those of the configuration, then the built-in ones), then those of its
    /// parents, then English ones.
    layers: Vec<Arc<LocaleTexts>>,
}

impl fmt::Debug for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Locale({})", self.tag)
    }
}

impl Locale {
    /// Returns the built-in English.
    #[must_use]
    pub fn english() -> &'static Arc<Self> {
        static ENGLISH: LazyLock<Arc<Locale>> = LazyLock::new(|| {
            let layers = vec![Arc::new(LocaleTexts::empty(tag::ENGLISH))];
            Arc::new(Locale { tag: tag::ENGLISH.into(), layers })
        });
        &ENGLISH
    }

    /// Returns the keys of its own messages, without those of its fallbacks.
    #[must_use]
    pub fn keys(&self) -> Vec<&str> {
        self.text_layers().flat_map(|texts| texts.messages.keys()).map(|key| &**key).collect()
    }

    /// Returns its own templates for a key, one for each plural form; none from its fallbacks.
    #[must_use]
    pub fn templates(&self, key: &str) -> Vec<&str> {
        self.text_layers()
            .filter_map(|texts| texts.messages.get(key))
            .flat_map(LocaleText::templates)
            .collect()
    }

    /// Returns its own names of types, by type; none from its fallbacks.
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

    /// Returns the language tag (BCP 47), in canonical form.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.tag
    }
}

impl Locales {
    /// Reads all locale files. Also returns their references to forms, for [`check()`] to verify
    /// once the forms are compiled.
    pub(crate) fn read<'s>(
        files: impl Iterator<Item = LocaleFile<'s>>,
        index: &MessageIndex,
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
            if let Some(read) = file::read(file, index, &mut found, &mut references) {
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
            return (Self::of(&HashMap::new(), index), references);
        }
        let texts = texts.into_iter().map(|(tag, (_, texts))| (tag, texts)).collect();
        let mut locales = Self::of(&texts, index);
        locales.digest = digest.finalize().into();
        (locales, references)
    }

    fn of(texts: &HashMap<Box<str>, Arc<LocaleTexts>>, index: &MessageIndex) -> Self {
        let english = texts.get(tag::ENGLISH).cloned();
        let english = english.unwrap_or_else(|| Arc::new(LocaleTexts::empty(tag::ENGLISH)));
        let built_in = built_in::translations(index);
        let built_in_tags = built_in.iter().map(|texts| &*texts.tag);
        let mut tags: Vec<&str> =
            texts.keys().map(|tag| &**tag).chain(built_in_tags).chain([tag::ENGLISH]).collect();
        tags.sort_unstable();
        tags.dedup();
        let locale = |tag: &str| {
            let parents = tag::with_parents(tag).filter(|tag| *tag != tag::ENGLISH);
            let of_tag = |tag: &str| {
                let own = texts.get(tag);
                let built_in = built_in.iter().filter(|texts| *texts.tag == *tag);
                own.into_iter().chain(built_in).cloned().collect::<Vec<_>>()
            };
            let mut layers: Vec<Arc<LocaleTexts>> = parents.flat_map(of_tag).collect();
            layers.push(english.clone());
            Arc::new(Locale { tag: tag.into(), layers })
        };
        let list = tags.into_iter().map(locale).collect();
        let mut shown = Vec::new();
        for texts in texts.values().chain(built_in) {
            texts.collect_value_uses(index, &mut shown);
        }
        Self { list, shown, digest: [0; 32] }
    }

    /// Returns the language with exactly this tag, ignoring case.
    #[must_use]
    pub fn get(&self, tag: &str) -> Option<&Arc<Locale>> {
        let is_of = |locale: &&Arc<Locale>| locale.tag.eq_ignore_ascii_case(tag);
        self.list.iter().find(is_of)
    }

    /// Returns all languages, sorted by tag.
    #[must_use]
    pub fn all(&self) -> &[Arc<Locale>] {
        &self.list
    }

    /// Returns English, to which all languages fall back.
    #[must_use]
    pub fn english(&self) -> &Arc<Locale> {
        self.get(tag::ENGLISH).unwrap_or_else(|| Locale::english())
    }

    /// Returns whether both were read from the same files.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.digest == other.digest
    }

    /// Returns whether any message contains a submitted value.
    pub(crate) fn uses_values(&self) -> bool {
        !self.shown.is_empty()
    }

    /// Returns whether a message for this code and path contains the submitted value. The path may
    /// have list indexes.
    pub(crate) fn uses_value(&self, form: &str, path: &str, code: &str) -> bool {
        let path = render::without_indexes(path);
        let matches =
            |scope: &Option<Box<str>>, name: &str| scope.as_deref().is_none_or(|s| s == name);
        self.shown.iter().any(|shown| {
            *shown.code == *code && matches(&shown.form, form) && matches(&shown.path, &path)
        })
    }
}

/// Reports a code that no rule has.
pub(crate) fn unknown_code(
    reader: &mut Reader<'_>,
    code: &str,
    location: Location,
    within: &str,
    known: &[&str],
) {
    reader.unknown(ProblemCode::UnknownCode, "code", code, location, within, known);
}
