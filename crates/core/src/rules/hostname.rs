//! `hostname`: the value must be a host name.

use super::notation::{INVALID, check_text};
use super::{Applicability, Check, CompileContext, Reporter, Rule, RuleInput};

pub(super) static RULE: Rule = Rule {
    name: "hostname",
    aliases: &[],
    summary: "The value must be a host name: labels of letters, digits and inner hyphens, at most \
              63 bytes each and 253 in total; the last label must not be all digits (RFC 1123 \
              section 2.1). Internationalized names are validated in their ASCII form. Blank \
              values pass.",
    options: &[],
    main_option: None,
    messages: &[&INVALID],
    applies_to: Applicability::VALUES,
    accepts: &[
        ("true", "\"example.com\""),
        ("true", "\"localhost\""),
        ("true", "\"3com.example\""),
        ("true", "\"exåmple.no\""),
        ("true", "\"xn--exmple-jua.no\""),
    ],
    rejects: &[
        ("true", "\"-example.com\"", "invalid"),
        ("true", "\"exa_mple.com\"", "invalid"),
        ("true", "\"example..com\"", "invalid"),
        ("true", "\"192.0.2.1\"", "invalid"),
        ("true", "\"example.com/\"", "invalid"),
        ("true", "\"https://example.com\"", "invalid"),
    ],
    compile: |_: &mut CompileContext<'_, '_>| Some(Box::new(Hostname)),
};

#[derive(Debug)]
struct Hostname;

impl Check for Hostname {
    fn check(&self, input: &RuleInput<'_, '_>, reporter: &mut Reporter<'_, '_>) {
        check_text(input, reporter, |text| {
            if text.is_ascii() && !text.to_ascii_lowercase().contains("xn--") {
                return is_hostname(text);
            }
            // In UTF-8, no name is longer than four times its maximum length in ASCII.
            text.len() <= 1024 && idna::domain_to_ascii(text).is_ok_and(|ascii| is_hostname(&ascii))
        });
    }
}

fn is_hostname(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= 253
        && name.split('.').all(is_label)
        && !last.bytes().all(|byte| byte.is_ascii_digit())
}
