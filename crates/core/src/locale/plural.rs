//! Which plural form a language has for a number. Source: Unicode CLDR, by way of ICU4X.

use std::str::FromStr;

use fixed_decimal::Decimal;
use icu_locale_core::Locale;
use icu_plurals::{PluralCategory, PluralRules, PluralRulesOptions};

/// The names of all categories, as CLDR orders them.
pub(super) const CATEGORIES: [(&str, PluralCategory); 6] = [
    ("zero", PluralCategory::Zero),
    ("one", PluralCategory::One),
    ("two", PluralCategory::Two),
    ("few", PluralCategory::Few),
    ("many", PluralCategory::Many),
    ("other", PluralCategory::Other),
];

/// The plural forms of a language. The rules are in the program; they are looked up when needed.
#[derive(Debug)]
pub(super) struct Plurals {
    locale: Locale,
    /// The forms for the numbers from 0 on, which nearly all counts are.
    small: [PluralCategory; 101],
}

impl Plurals {
    /// Those of a language tag; a language that CLDR does not know has one form for all numbers.
    pub(super) fn of(tag: &str) -> Self {
        let locale = Locale::from_str(tag).unwrap_or(Locale::UNKNOWN);
        let mut small = [PluralCategory::Other; 101];
        if let Some(rules) = rules(&locale) {
            for (number, category) in small.iter_mut().enumerate() {
                *category = rules.category_for(number);
            }
        }
        Self { locale, small }
    }

    /// The names of the forms that the language has.
    pub(super) fn categories(&self) -> Vec<&'static str> {
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

    /// The form for a number as JSON writes it. The digits after the point count: in English it is
    /// `1 metre` and `1.0 metres`.
    pub(super) fn category(&self, number: &str) -> PluralCategory {
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
    fn languages_have_the_forms_that_cldr_says() {
        assert_eq!(Plurals::of("en").categories(), ["one", "other"]);
        assert_eq!(Plurals::of("ja").categories(), ["other"]);
        assert_eq!(Plurals::of("pl").categories(), ["one", "few", "many", "other"]);
        assert_eq!(Plurals::of("ar").categories().len(), 6);
        assert_eq!(Plurals::of("de-AT").categories(), ["one", "other"]);
    }

    #[test]
    fn decimals_have_forms_of_their_own() {
        let category = |tag: &str, number: &str| Plurals::of(tag).category(number);
        assert_eq!(category("en", "1"), PluralCategory::One);
        assert_eq!(category("en", "1.0"), PluralCategory::Other);
        assert_eq!(category("pl", "3"), PluralCategory::Few);
        assert_eq!(category("pl", "5"), PluralCategory::Many);
        assert_eq!(category("pl", "1.5"), PluralCategory::Other);
        assert_eq!(category("fr", "1.5"), PluralCategory::One);
        assert_eq!(category("en", "no number"), PluralCategory::Other);
    }
}
