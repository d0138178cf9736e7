//! Helpers shared by the rules that check a notation: `url`, `uuid`, `phone`, `country` and others.

use std::sync::LazyLock;

use super::{Reporter, RuleInput};
use crate::messages::{Message, Params};

pub(super) static INVALID: Message = Message::new("invalid", "is invalid");

/// Reports [`INVALID`] unless the value is a string that `accepts` returns true for. Blank values
/// pass: `presence` rejects them.
pub(super) fn check_text(
    input: &RuleInput<'_, '_>,
    reporter: &mut Reporter<'_, '_>,
    accepts: impl FnOnce(&str) -> bool,
) {
    let value = input.value();
    if !value.is_blank() && !value.as_str().is_some_and(accepts) {
        reporter.fail(&INVALID, Params::new());
    }
}

/// A word list from a data file of this crate, loaded on first use and sorted for binary search.
#[derive(Debug)]
pub(super) struct WordList(LazyLock<Vec<&'static str>>);

impl WordList {
    /// Returns a list that `words` loads; it must be sorted, see [`sorted`].
    pub(super) const fn new(words: fn() -> Vec<&'static str>) -> Self {
        Self(LazyLock::new(words))
    }

    /// Returns whether the list contains the word.
    pub(super) fn contains(&self, word: &str) -> bool {
        self.0.binary_search(&word).is_ok()
    }
}

/// Returns the whitespace-separated words of a data file, skipping lines that begin with `#`.
pub(super) fn lines_of(file: &'static str) -> impl Iterator<Item = &'static str> {
    file.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace)
}

/// Collects and sorts words.
pub(super) fn sorted(words: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
    let mut words: Vec<&str> = words.collect();
    words.sort_unstable();
    words
}
