//! `password_hash`: the value must be an Argon2id hash, for users imported from another system.
//!
//! Source: the PHC string format, github.com/P-H-C/phc-string-format; RFC 9106 for Argon2id.

use super::{Applicability, Check, CompileContext, Reporter, Rule, RuleInput};
use crate::messages::{Message, Params};

/// Maximum memory of a hash that is verified, in KiB: 256 MiB.
pub const MAX_MEMORY_KIB: u32 = 262_144;
/// Maximum number of passes.
pub const MAX_PASSES: u32 = 64;
/// Maximum product of memory in KiB and passes: 27 times the cost of Registrar's own hashes, about
/// half a second of CPU time.
pub const MAX_COST: u32 = 1_048_576;

/// Returns whether a hash with this memory in KiB and number of passes is verified. Bounded because
/// every sign-in attempt makes the server compute it.
#[must_use]
pub fn is_affordable(memory_kib: u32, passes: u32) -> bool {
    let cost = u64::from(memory_kib) * u64::from(passes);
    memory_kib <= MAX_MEMORY_KIB && passes <= MAX_PASSES && cost <= u64::from(MAX_COST)
}

static INVALID: Message = Message::new(
    "invalid_hash",
    "must be an Argon2id hash in PHC string format, of at most 256 MiB, 1 GiB in all passes and one lane",
);

pub(super) static RULE: Rule = Rule {
    name: "password_hash",
    aliases: &[],
    summary: "The value must be an Argon2id password hash (version 19) in PHC string format, with \
              limited cost: at most 256 MiB of memory, 1 GiB over all passes, 64 passes and one \
              lane. Blank values pass.",
    options: &[],
    main_option: None,
    messages: &[&INVALID],
    applies_to: Applicability::VALUES,
    accepts: &[(
        "true",
        "\"$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$\
         WJ5oYVWbTJAKZAWMyLmTmOqUzSqYUDI4GsfBDpnDTr8\"",
    )],
    rejects: &[
        ("true", "\"secret1\"", "invalid_hash"),
        (
            "true",
            "\"$argon2i$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$\
             WJ5oYVWbTJAKZAWMyLmTmOqUzSqYUDI4GsfBDpnDTr8\"",
            "invalid_hash",
        ),
        (
            "true",
            "\"$argon2id$v=19$m=4000000,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$\
             WJ5oYVWbTJAKZAWMyLmTmOqUzSqYUDI4GsfBDpnDTr8\"",
            "invalid_hash",
        ),
        (
            "true",
            "\"$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW\"",
            "invalid_hash",
        ),
    ],
    compile: |_: &mut CompileContext<'_, '_>| Some(Box::new(PasswordHash)),
};

#[derive(Debug)]
struct PasswordHash;

impl Check for PasswordHash {
    fn check(&self, input: &RuleInput<'_, '_>, reporter: &mut Reporter<'_, '_>) {
        let value = input.value();
        if !value.is_blank() && !value.as_str().is_some_and(is_allowed) {
            reporter.fail(&INVALID, Params::new());
        }
    }
}

fn is_allowed(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("$argon2id$v=19$") else { return false };
    let mut parts = rest.split('$');
    let (Some(params), Some(salt), Some(hash), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let mut params = params.split(',');
    let mut number = |name: &str| {
        let digits = params.next()?.strip_prefix(name)?.strip_prefix('=')?;
        let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
        digits.parse::<u32>().ok().filter(|_| is_plain)
    };
    let (memory, passes, lanes) = (number("m"), number("t"), number("p"));
    let is_base64 = |text: &str| {
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/')
    };
    // A salt of 8 to 48 bytes and a hash of 16 to 64, in base64 without padding.
    memory
        .zip(passes)
        .is_some_and(|(kib, passes)| kib >= 8 && passes >= 1 && is_affordable(kib, passes))
        && lanes == Some(1)
        && params.next().is_none()
        && (11..=64).contains(&salt.len())
        && (22..=86).contains(&hash.len())
        && is_base64(salt)
        && is_base64(hash)
}
