//! `normalize:` of a field: steps applied to a string before validation.

use std::borrow::Cow;

use strum::{EnumString, VariantNames};
use unicode_normalization::UnicodeNormalization;

use crate::value::Value;

/// Normalisation step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub(crate) enum Normalizer {
    Strip,
    Squish,
    Downcase,
    Upcase,
    Nfc,
    Nfkc,
}

impl Normalizer {
    /// Normalises a string; other values are returned unchanged.
    pub(crate) fn apply(self, value: Value<'_>) -> Value<'_> {
        match value {
            Value::String(text) => Value::String(self.apply_to(text)),
            other => other,
        }
    }

    fn apply_to(self, text: Cow<'_, str>) -> Cow<'_, str> {
        match self {
            Self::Strip => match text {
                Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
                Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
            },
            Self::Squish => {
                let words: Vec<&str> = text.split_whitespace().collect();
                Cow::Owned(words.join(" "))
            }
            Self::Downcase => Cow::Owned(text.to_lowercase()),
            Self::Upcase => Cow::Owned(text.to_uppercase()),
            Self::Nfc | Self::Nfkc if text.is_ascii() => text,
            Self::Nfc => Cow::Owned(text.nfc().collect()),
            Self::Nfkc => Cow::Owned(text.nfkc().collect()),
        }
    }
}
