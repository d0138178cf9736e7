//! The entries of an object under construction: in insertion order, with fast lookup at any size.
//!
//! Entries cannot be removed.

use std::borrow::Cow;
use std::collections::HashMap;

/// Maximum number of entries for which a linear search is used, since it is faster than hashing.
const MAX_LINEAR_SEARCH: usize = 16;

/// Entries in insertion order; the caller ensures that keys are distinct.
#[derive(Debug)]
pub(super) struct IndexedEntries<'a, T> {
    entries: Vec<(Cow<'a, str>, T)>,
    /// Index of each key, once there are more than [`MAX_LINEAR_SEARCH`]. Boxed, because most
    /// objects are small and a body can hold many.
    index: Option<Box<KeyIndex<'a>>>,
}

type KeyIndex<'a> = HashMap<Cow<'a, str>, usize>;

impl<'a, T> IndexedEntries<'a, T> {
    pub(super) fn new() -> Self {
        Self { entries: Vec::new(), index: None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the index of a key, or `None` if it is absent.
    pub(super) fn find(&self, key: &str) -> Option<usize> {
        match &self.index {
            Some(index) => index.get(key).copied(),
            None => self.entries.iter().position(|(name, _)| name == key),
        }
    }

    /// Returns the value at an index returned by [`find`](Self::find).
    pub(super) fn value_mut(&mut self, at: usize) -> Option<&mut T> {
        self.entries.get_mut(at).map(|(_, value)| value)
    }

    /// Returns the value of a key, or `None` if it is absent.
    pub(super) fn get(&self, key: &str) -> Option<&T> {
        self.entries.get(self.find(key)?).map(|(_, value)| value)
    }

    /// Appends an entry whose key must not be present yet.
    pub(super) fn push(&mut self, key: Cow<'a, str>, value: T) {
        if let Some(index) = &mut self.index {
            index.insert(key.clone(), self.entries.len());
        } else if self.entries.len() == MAX_LINEAR_SEARCH {
            let names = self.entries.iter().map(|(name, _)| name).chain([&key]);
            self.index = Some(Box::new(names.cloned().zip(0..).collect()));
        }
        if self.entries.is_empty() {
            // Avoids the default capacity of four for long chains of objects with one entry each.
            self.entries.reserve_exact(1);
        }
        self.entries.push((key, value));
    }

    pub(super) fn into_entries(self) -> Vec<(Cow<'a, str>, T)> {
        self.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_before_and_after_the_index_is_built() {
        let mut fields = IndexedEntries::new();
        for number in 0..100 {
            let key = number.to_string();
            assert_eq!(fields.find(&key), None);
            fields.push(Cow::Owned(key), number);
            assert_eq!(fields.index.is_some(), number >= MAX_LINEAR_SEARCH);
            for earlier in 0..=number {
                assert_eq!(fields.find(&earlier.to_string()), Some(earlier));
                assert_eq!(fields.get(&earlier.to_string()), Some(&earlier));
            }
        }
        assert!(fields.into_entries().into_iter().map(|(_, number)| number).eq(0..100));
    }
}
