//! `phone`: the value must be a telephone number, valid in the numbering plans of libphonenumber.

use std::sync::LazyLock;

use regex::Regex;
use rlibphonenumber::{PHONE_NUMBER_UTIL, Region};

use super::notation::{INVALID, check_text};
use super::{Applicability, Check, CompileContext, Reporter, Rule, RuleInput, RuleOption};

pub(super) static RULE: Rule = Rule {
    name: "phone",
    aliases: &[],
    summary: "The value must be a valid telephone number according to libphonenumber, which checks \
              number ranges and lengths. It must be in international format (`+` and the calling \
              code, or a `tel:` URI); with `region`, the national format of that country is \
              accepted too. Digits may be separated by spaces, hyphens, dots, slashes and \
              parentheses, and replaced by letters (`1-800-FLOWERS`). Extensions are rejected. \
              Blank values pass.",
    options: &[RuleOption::new(
        "region",
        "a country or a list",
        "Countries (ISO 3166-1) whose national format is accepted, including their international \
         call prefix, such as `00`, instead of `+`. Default: none.",
    )],
    main_option: Some("region"),
    messages: &[&INVALID],
    applies_to: Applicability::VALUES,
    accepts: &[
        ("true", "\"+4722334455\""),
        ("true", "\"+1 (415) 555-2671\""),
        ("true", "\"+49 (0) 30 123456\""),
        ("true", "\"tel:+47-22-33-44-55\""),
        ("NO", "\"22 33 44 55\""),
        ("GB", "\"020 7946 0958\""),
        ("DE", "\"0047 22 33 44 55\""),
        ("US", "\"1-800-FLOWERS\""),
        ("{region: [NO, SE]}", "\"+33 1 23 45 67 89\""),
    ],
    rejects: &[
        ("true", "\"22334455\"", "invalid"),
        ("true", "\"+47 22\"", "invalid"),
        ("true", "\"+999123456789\"", "invalid"),
        ("true", "\"+1415555267a\"", "invalid"),
        ("true", "\"++4722334455\"", "invalid"),
        ("true", "\"+1 415 555 2671 ext. 5\"", "invalid"),
        ("NO", "\"2233445\"", "invalid"),
        ("US", "\"call 415-555-2671\"", "invalid"),
    ],
    compile,
};

/// Matches texts in which libphonenumber skips nothing: it finds numbers within other text.
static SPELLING: LazyLock<Option<Regex>> = LazyLock::new(|| {
    // White space and punctuation between digits, as libphonenumber reads them. Its format
    // characters (soft hyphen, zero width space) and its asterisk are left out.
    let separators = r" \u{a0}\u{3000}()（）\[\]［］./．／~∼～\-‐-―−ー－";
    Regex::new(&format!(r"\A[{separators}]*[+＋]?[{separators}]*\d[\d{separators}A-Za-z]*\z")).ok()
});

/// Longest text that libphonenumber reads, in bytes.
const MAX_LENGTH: usize = 250;

fn compile(compile: &mut CompileContext<'_, '_>) -> Option<Box<dyn Check>> {
    let mut regions = Vec::new();
    if let Some(node) = compile.get("region") {
        for node in compile.one_or_list(node) {
            let text = compile.reader.text(node, "region")?;
            let region = Region::from_code(text)
                .ok()
                .filter(|region| PHONE_NUMBER_UTIL.get_country_code_for_region(*region).is_some());
            let Some(region) = region else {
                let what = format!("`{text}` is not a region with a numbering plan");
                compile.bad(node.location, what, "a code of ISO 3166-1 such as NO");
                return None;
            };
            regions.push(region);
        }
    }
    // The numbering plans are read when a form is loaded, not at the first submission.
    LazyLock::force(&PHONE_NUMBER_UTIL);
    Some(Box::new(Phone { regions }))
}

#[derive(Debug)]
struct Phone {
    regions: Vec<Region>,
}

impl Phone {
    fn accepts(&self, text: &str) -> bool {
        let text = text.trim();
        let text = text.strip_prefix("tel:").unwrap_or(text);
        if text.len() > MAX_LENGTH || !is_spelling(text) {
            return false;
        }
        if text.contains(['+', '＋']) {
            return is_valid(text, None);
        }
        self.regions.iter().any(|region| is_valid(text, Some(*region)))
    }
}

fn is_spelling(text: &str) -> bool {
    // libphonenumber drops single letters, and what follows a slash and an `x`.
    let letters = text.bytes().filter(u8::is_ascii_alphabetic).count();
    let letters_stand_for_digits = letters >= 3 && !text.contains('/');
    (letters == 0 || letters_stand_for_digits)
        && SPELLING.as_ref().is_some_and(|spelling| spelling.is_match(text))
}

fn is_valid(text: &str, region: Option<Region>) -> bool {
    PHONE_NUMBER_UTIL.parse(text, region).is_ok_and(|number| {
        number.extension.is_none() && PHONE_NUMBER_UTIL.is_valid_number(&number)
    })
}

impl Check for Phone {
    fn check(&self, input: &RuleInput<'_, '_>, reporter: &mut Reporter<'_, '_>) {
        check_text(input, reporter, |text| self.accepts(text));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rlibphonenumber::PhoneNumberFormat::{E164, International, National, RFC3966};

    use super::*;

    fn accepts(regions: &[Region], text: &str) -> bool {
        Phone { regions: regions.to_vec() }.accepts(text)
    }

    #[test]
    fn example_number_of_each_region_is_accepted_in_each_spelling() {
        let util = &*PHONE_NUMBER_UTIL;
        let regions: Vec<Region> = util.get_supported_regions().collect();
        assert!(regions.len() >= 240, "{}", regions.len());
        let mut refused = Vec::new();
        for region in regions {
            let number = util.get_example_number(region).unwrap();
            let mut check = |regions: &[Region], text: &str| {
                if !accepts(regions, text) {
                    refused.push(format!("{region:?} {text}"));
                }
            };
            for format in [E164, International, RFC3966] {
                check(&[], &util.format(&number, format));
            }
            for format in [E164, International, National, RFC3966] {
                check(&[region], &util.format(&number, format));
            }
        }
        assert_eq!(refused, [""; 0]);
    }

    #[test]
    fn example_number_of_each_global_service_is_accepted() {
        let util = &*PHONE_NUMBER_UTIL;
        let codes: Vec<i32> = util.get_supported_global_network_calling_codes().collect();
        assert!(codes.len() >= 9, "{codes:?}");
        for code in codes {
            let number = util.get_example_number_for_non_geo_entity(code).unwrap();
            for format in [E164, International, RFC3966] {
                let text = util.format(&number, format);
                assert!(accepts(&[], &text), "{text}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn any_text_is_judged(text in r"(tel:)?\PC{0,4}[+0-9()./ x;,#a-z\u{200b}\u{ad}²٣-]{0,40}") {
            accepts(&[Region::DE, Region::US], &text);
        }
    }
}
