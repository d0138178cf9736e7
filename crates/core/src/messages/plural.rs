//! Plural categories of numbers by language. Source: Unicode CLDR, through ICU4X.

use std::str::FromStr;

use fixed_decimal::Decimal;
use icu_locale_core::Locale;
use icu_plurals::{PluralCategory, PluralRules, PluralRulesOptions};

/// The names of all plural categories, in CLDR's order.
pub(crate) const CATEGORIES: [(&str, PluralCategory); 6] = [
    ("zero", PluralCategory::Zero),
    ("one", PluralCategory::One),
    ("two", PluralCategory::Two),
    ("few", PluralCategory::Few),
    ("many", PluralCategory::Many),
    ("other", PluralCategory::Other),
];

/// The plural rules of a language. ICU4X's rules are compiled in, and constructed when needed.
#[derive(Debug)]
pub(crate) struct Plurals {
    locale: Locale,
    /// The categories of 0 to 100, precomputed since nearly all counts are in this range.
    small: [PluralCategory; 101],
}

impl Plurals {
    /// Returns the rules of a language tag; a language unknown to CLDR has only `other`.
    pub(crate) fn of(tag: &str) -> Self {
        let locale = Locale::from_str(tag).unwrap_or(Locale::UNKNOWN);
        let mut small = [PluralCategory::Other; 101];
        if let Some(rules) = rules(&locale) {
            for (number, category) in small.iter_mut().enumerate() {
                *category = rules.category_for(number);
            }
        }
        Self { locale, small }
    }

    /// Returns the names of the language's categories, in CLDR's order.
    pub(crate) fn categories(&self) -> Vec<&'static str> {
        let rules = rules(&self.locale);
        let has = |category: PluralCategory| match &rules {
            Some(rules) => rules.categories().any(|known| known == category),
            None => category == PluralCategory::Other,
        };
        CATEGORIES
            .into_iter()
            .filter(|(_, category)| has(*category))
            .map(|(name, _)| name)
            .collect()
    }

    /// Returns the category of a number in JSON notation; `other` if it is not a number. Fraction
    /// digits matter: English has `1 metre` but `1.0 metres`.
    pub(crate) fn category(&self, number: &str) -> PluralCategory {
        if !(number.len() > 1 && number.starts_with('0'))
            && let Some(small) = number.parse().ok().and_then(|n: usize| self.small.get(n))
        {
            return *small;
        }
        match (rules(&self.locale), Decimal::try_from_str(number)) {
            (Some(rules), Ok(number)) => rules.category_for(&number),
            _ => PluralCategory::Other,
        }
    }
}

fn rules(locale: &Locale) -> Option<PluralRules> {
    PluralRules::try_new(locale.into(), PluralRulesOptions::default()).ok()
}

#[cfg(test)]
mod tests {
    use super::{PluralCategory, Plurals};

    #[test]
    fn plural_categories_match_cldr() {
        assert_eq!(Plurals::of("en").categories(), ["one", "other"]);
        assert_eq!(Plurals::of("ja").categories(), ["other"]);
        assert_eq!(Plurals::of("pl").categories(), ["one", "few", "many", "other"]);
        assert_eq!(Plurals::of("ar").categories().len(), 6);
        assert_eq!(Plurals::of("de-AT").categories(), ["one", "other"]);
    }

    #[test]
    fn plural_category_considers_decimals() {
        let category = |tag: &str, number: &str| Plurals::of(tag).category(number);
        assert_eq!(category("en", "1"), PluralCategory::One);
        assert_eq!(category("en", "1.0"), PluralCategory::Other);
        assert_eq!(category("pl", "3"), PluralCategory::Few);
        assert_eq!(category("pl", "5"), PluralCategory::Many);
        assert_eq!(category("pl", "1.5"), PluralCategory::Other);
        assert_eq!(category("fr", "1.5"), PluralCategory::One);
        assert_eq!(category("en", "not a number"), PluralCategory::Other);
    }
}
