//! What the rules share that know a notation: `url`, `uuid`, `phone`, `country` and their like.

use std::sync::LazyLock;

use super::{Reporter, RuleInput};
use crate::violation::{Message, Params};

pub(super) static INVALID: Message = Message::new("invalid", "is invalid");

/// Judges a text. Blank values pass, as with `email`: `presence` refuses them.
pub(super) fn check_text(
    subject: &RuleInput<'_, '_>,
    report: &mut Reporter<'_, '_>,
    accepts: impl FnOnce(&str) -> bool,
) {
    let value = subject.value();
    if !value.is_blank() && !value.as_str().is_some_and(accepts) {
        report.fail(&INVALID, Params::new());
    }
}

/// A list of words from a file of this crate, sorted when first used.
#[derive(Debug)]
pub(super) struct WordList(LazyLock<Vec<&'static str>>);

impl WordList {
    /// `words` makes the list, mostly from [`words_of`].
    pub(super) const fn new(words: fn() -> Vec<&'static str>) -> Self {
        Self(LazyLock::new(words))
    }

    /// Whether the word is one of them.
    pub(super) fn contains(&self, word: &str) -> bool {
        self.0.binary_search(&word).is_ok()
    }
}

/// The words of a file, without the lines that begin with `#`.
pub(super) fn lines_of(file: &'static str) -> impl Iterator<Item = &'static str> {
    file.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace)
}

/// The words of a file, sorted.
pub(super) fn sorted(words: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
    let mut words: Vec<&str> = words.collect();
    words.sort_unstable();
    words
}
