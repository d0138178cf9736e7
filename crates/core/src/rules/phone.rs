//! `phone`: the value must be a telephone number.
//!
//! Validated by calling code, trunk prefix and length, which takes a few kilobytes of data.
//! Assigned number ranges are not checked, as their tables change every few weeks.

use std::sync::LazyLock;

use super::notation::{INVALID, check_text, lines_of};
use super::{Applicability, Check, CompileContext, Reporter, Rule, RuleInput, RuleOption};

pub(super) static RULE: Rule = Rule {
    name: "phone",
    aliases: &[],
    summary: "The value must be a telephone number: international (`+`, an assigned calling code \
              of ITU-T E.164, and a valid number of digits), or with `region` also national. \
              Spaces, hyphens, dots, slashes and parentheses may separate the digits. Blank \
              values pass.",
    options: &[RuleOption::new(
        "region",
        "a country or a list",
        "Countries (ISO 3166-1) whose national numbers are accepted. Default: none.",
    )],
    main_option: Some("region"),
    messages: &[&INVALID],
    applies_to: Applicability::VALUES,
    accepts: &[
        ("true", "\"+4722334455\""),
        ("true", "\"+1 (415) 555-2671\""),
        ("NO", "\"22 33 44 55\""),
        ("GB", "\"020 7946 0958\""),
        ("{region: [NO, SE]}", "\"+33 1 23 45 67 89\""),
    ],
    rejects: &[
        ("true", "\"22334455\"", "invalid"),
        ("true", "\"+47 22\"", "invalid"),
        ("true", "\"+999123456789\"", "invalid"),
        ("true", "\"+1415555267a\"", "invalid"),
        ("true", "\"++4722334455\"", "invalid"),
        ("NO", "\"2233445\"", "invalid"),
    ],
    compile,
};

/// The numbering plan of a region.
#[derive(Debug, Clone, Copy)]
struct NumberingPlan {
    region: &'static str,
    calling_code: &'static str,
    /// Trunk prefix, dialled before a national number; often `0`. Empty if there is none.
    trunk: &'static str,
    /// Bit set of the valid lengths of national numbers in digits.
    lengths: u32,
}

/// Calling codes without a region, with the lengths of their numbers in digits.
const GLOBAL_PLANS: [(&str, &[u32]); 9] = [
    ("800", &[8]),
    ("808", &[8]),
    ("870", &[9, 12]),
    ("878", &[12]),
    ("881", &[9, 10]),
    ("882", &[7, 8, 9, 10, 11, 12]),
    ("883", &[8, 9, 10, 11, 12]),
    ("888", &[11]),
    ("979", &[9]),
];

static PLANS: LazyLock<Vec<NumberingPlan>> = LazyLock::new(|| {
    let regions = lines_of(include_str!("data/phones.txt")).filter_map(parse_plan);
    let global = GLOBAL_PLANS.iter().map(|(calling_code, lengths)| NumberingPlan {
        region: "",
        calling_code,
        trunk: "",
        lengths: lengths.iter().fold(0, |bits, length| bits | 1 << length),
    });
    regions.chain(global).collect()
});

/// Parses an entry of `data/phones.txt` such as `NO:47:-:5,8`.
fn parse_plan(line: &'static str) -> Option<NumberingPlan> {
    let mut parts = line.split(':');
    let (region, calling_code) = (parts.next()?, parts.next()?);
    let trunk = parts.next().filter(|trunk| *trunk != "-").unwrap_or_default();
    let mut lengths = 0;
    for span in parts.next()?.split(',') {
        let (least, most) = span.split_once('-').unwrap_or((span, span));
        for length in least.parse::<u32>().ok()?..=most.parse().ok()? {
            lengths |= 1 << length;
        }
    }
    Some(NumberingPlan { region, calling_code, trunk, lengths })
}

fn compile(compile: &mut CompileContext<'_, '_>) -> Option<Box<dyn Check>> {
    let mut regions = Vec::new();
    if let Some(node) = compile.get("region") {
        for node in compile.one_or_list(node) {
            let region = compile.reader.text(node, "region")?;
            let Some(plan) = PLANS.iter().find(|plan| plan.region == region) else {
                let what = format!("`{region}` is not a region with a numbering plan");
                compile.bad(node.location, what, "a code of ISO 3166-1 such as NO");
                return None;
            };
            regions.push(*plan);
        }
    }
    Some(Box::new(Phone { regions }))
}

#[derive(Debug)]
struct Phone {
    regions: Vec<NumberingPlan>,
}

impl NumberingPlan {
    fn has_length(&self, digits: usize) -> bool {
        digits < 32 && self.lengths & (1 << digits) != 0
    }

    /// Returns whether the digits are a national number, with or without the trunk prefix.
    fn accepts(&self, digits: &str) -> bool {
        let bare = digits.strip_prefix(self.trunk).filter(|_| !self.trunk.is_empty());
        self.has_length(digits.len()) || bare.is_some_and(|bare| self.has_length(bare.len()))
    }
}

impl Phone {
    fn accepts(&self, text: &str) -> bool {
        // At most 15 digits (E.164 section 6.2.1), and separators.
        if text.len() > 40 {
            return false;
        }
        let text = text.trim();
        let (is_international, rest) = match text.strip_prefix('+') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let mut buffer = [0_u8; 40];
        let mut length = 0;
        for byte in rest.bytes() {
            match byte {
                b'0'..=b'9' => {
                    buffer[length] = byte;
                    length += 1;
                }
                b' ' | b'-' | b'.' | b'/' | b'(' | b')' => {}
                _ => return false,
            }
        }
        let Ok(digits) = std::str::from_utf8(&buffer[..length]) else { return false };
        if !is_international {
            return self.regions.iter().any(|plan| plan.accepts(digits));
        }
        digits.len() <= 15
            && PLANS.iter().any(|plan| {
                digits
                    .strip_prefix(plan.calling_code)
                    .is_some_and(|national| plan.has_length(national.len()))
            })
    }
}

impl Check for Phone {
    fn check(&self, input: &RuleInput<'_, '_>, reporter: &mut Reporter<'_, '_>) {
        check_text(input, reporter, |text| self.accepts(text));
    }
}
