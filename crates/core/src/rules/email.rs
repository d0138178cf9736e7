//! `email`: the value must be an e-mail address.
//!
//! The canonical form is validated (see [`crate::canonical`]), so full-width characters and IDN
//! domains are accepted.

use email_address::{EmailAddress, Options};

use super::{Applicability, Check, CompileContext, Reporter, Rule, RuleInput, RuleOption};
use crate::canonical::email_key;
use crate::messages::{Message, Params};

static INVALID: Message = Message::new("invalid", "is invalid");

/// Maximum length of an address in bytes: RFC 5321 section 4.5.3.1.3, without the angle brackets.
const MAX_ADDRESS_CHARS: usize = 254;
/// Maximum length of a local part in bytes: RFC 5321 section 4.5.3.1.1.
const MAX_LOCAL_CHARS: usize = 64;

pub(super) static RULE: Rule = Rule {
    name: "email",
    aliases: &[],
    summary: "The value must be an e-mail address of at most 254 bytes, with at most 64 before \
              the @. Blank values pass: `presence` rejects them.",
    options: &[RuleOption::new(
        "profile",
        "html5, rfc5321 or strict",
        "html5 (default): what browsers accept in an e-mail input (WHATWG HTML), plus non-ASCII \
         characters before the @ (RFC 6531). rfc5321: also quoted local parts and address \
         literals. strict: no misplaced dots, and a domain with at least two labels.",
    )],
    main_option: Some("profile"),
    messages: &[&INVALID],
    applies_to: Applicability::VALUES,
    accepts: &[
        ("true", "\"ann@example.com\""),
        ("true", "\"Ann.O'Hara+x@sub.example.co.uk\""),
        ("true", "\" ann@exåmple.no \""),
        ("true", "\"josé@example.com\""),
        ("true", "\"ann@localhost\""),
        ("true", "\"\""),
        ("rfc5321", "\"\\\"ann b\\\"@example.com\""),
        ("strict", "\"ann@example.com\""),
    ],
    rejects: &[
        ("true", "\"ann\"", "invalid"),
        ("true", "\"ann@\"", "invalid"),
        ("true", "\"@example.com\"", "invalid"),
        ("true", "\"Ann <ann@example.com>\"", "invalid"),
        ("true", "\"ann@exa mple.com\"", "invalid"),
        ("true", "\"ann@-example.com\"", "invalid"),
        ("true", "\"ann@example..com\"", "invalid"),
        ("true", "\"a@b@example.com\"", "invalid"),
        ("true", "12", "invalid"),
        ("strict", "\"ann@localhost\"", "invalid"),
        ("strict", "\"ann..b@example.com\"", "invalid"),
        ("strict", "\"ann@[127.0.0.1]\"", "invalid"),
    ],
    compile,
};

fn compile(compile: &mut CompileContext<'_, '_>) -> Option<Box<dyn Check>> {
    const PROFILES: [&str; 3] = ["html5", "rfc5321", "strict"];
    let profile = match compile.get("profile") {
        None => Profile::Html5,
        Some(node) => match compile.reader.keyword(node, "profile", &PROFILES)? {
            "rfc5321" => Profile::Rfc5321,
            "strict" => Profile::Strict,
            _ => Profile::Html5,
        },
    };
    Some(Box::new(Email { profile }))
}

#[derive(Debug)]
struct Email {
    profile: Profile,
}

#[derive(Debug, Clone, Copy)]
enum Profile {
    Html5,
    Rfc5321,
    Strict,
}

impl Check for Email {
    fn check(&self, input: &RuleInput<'_, '_>, reporter: &mut Reporter<'_, '_>) {
        let value = input.value();
        if !value.is_blank() && !value.as_str().is_some_and(|text| self.profile.accepts(text)) {
            reporter.fail(&INVALID, Params::new());
        }
    }
}

impl Profile {
    fn accepts(self, text: &str) -> bool {
        // Too long for an address in any spelling: not normalised.
        if text.len() > 4 * MAX_ADDRESS_CHARS {
            return false;
        }
        let address = email_key(text);
        let Some((local, domain)) = address.rsplit_once('@') else { return false };
        if address.len() > MAX_ADDRESS_CHARS || local.len() > MAX_LOCAL_CHARS {
            return false;
        }
        match self {
            Self::Html5 => is_html5_local(local) && is_html5_domain(domain),
            Self::Rfc5321 => EmailAddress::parse_with_options(
                &address,
                Options::default().without_display_text(),
            )
            .is_ok(),
            Self::Strict => {
                let options = Options::default()
                    .without_display_text()
                    .without_domain_literal()
                    .with_required_tld();
                !local.starts_with('"')
                    && is_html5_domain(domain)
                    && EmailAddress::parse_with_options(&address, options).is_ok()
            }
        }
    }
}

fn is_html5_local(local: &str) -> bool {
    !local.is_empty()
        && local.chars().all(|character| {
            character.is_ascii_alphanumeric()
                || ".!#$%&'*+/=?^_`{|}~-".contains(character)
                || (!character.is_ascii() && !character.is_control() && !character.is_whitespace())
        })
}

/// Returns whether a domain consists of labels of ASCII letters, digits and inner hyphens, at most
/// 63 bytes each (RFC 1035 section 2.3.4).
fn is_html5_domain(domain: &str) -> bool {
    domain.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}
