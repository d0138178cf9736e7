//! `uuid`: the value must be a UUID.

use super::notation::{INVALID, check_text};
use super::{Applicability, Check, CompileContext, Reporter, Rule, RuleInput, RuleOption};

pub(super) static RULE: Rule = Rule {
    name: "uuid",
    aliases: &[],
    summary: "The value must be a UUID in hexadecimal with hyphens (RFC 9562 section 4), in upper \
              or lower case. Blank values pass.",
    options: &[RuleOption::new("version", "1 to 8", "Required version. Default: any.")],
    main_option: Some("version"),
    messages: &[&INVALID],
    applies_to: Applicability::VALUES,
    accepts: &[
        ("true", "\"0190a5c2-7b1e-7c3a-9f00-0123456789ab\""),
        ("true", "\"00000000-0000-0000-0000-000000000000\""),
        ("4", "\"F47AC10B-58CC-4372-A567-0E02B2C3D479\""),
    ],
    rejects: &[
        ("true", "\"0190a5c27b1e7c3a9f000123456789ab\"", "invalid"),
        ("true", "\"{0190a5c2-7b1e-7c3a-9f00-0123456789ab}\"", "invalid"),
        ("true", "\"0190a5c2-7b1e-7c3a-9f00-0123456789ag\"", "invalid"),
        ("4", "\"0190a5c2-7b1e-7c3a-9f00-0123456789ab\"", "invalid"),
    ],
    compile,
};

fn compile(compile: &mut CompileContext<'_, '_>) -> Option<Box<dyn Check>> {
    let version = match compile.count("version") {
        None => None,
        Some(version @ 1..=8) => char::from_digit(version as u32, 10),
        Some(_) => {
            compile.bad(compile.location, "this version of UUIDs does not exist", "1 to 8");
            return None;
        }
    };
    Some(Box::new(Uuid { version }))
}

#[derive(Debug)]
struct Uuid {
    version: Option<char>,
}

impl Uuid {
    fn accepts(&self, text: &str) -> bool {
        let is_shaped = text.len() == 36
            && text.bytes().enumerate().all(|(index, byte)| match index {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            });
        // Only the variant of RFC 9562 section 4.1 has versions.
        let has_version = |version| {
            text.as_bytes().get(14).copied().map(char::from) == Some(version)
                && text.as_bytes().get(19).is_some_and(|byte| b"89abAB".contains(byte))
        };
        is_shaped && self.version.is_none_or(has_version)
    }
}

impl Check for Uuid {
    fn check(&self, input: &RuleInput<'_, '_>, reporter: &mut Reporter<'_, '_>) {
        check_text(input, reporter, |text| self.accepts(text));
    }
}
