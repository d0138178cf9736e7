//! Canonical keys: values that count as equal for uniqueness have equal keys.
//!
//! They are computed here and stored, so that all databases agree on what is equal.

use std::borrow::Cow;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

/// Maximum length of a stored key, in bytes; a longer one is replaced by its digest.
const MAX_KEY_BYTES: usize = 512;

/// Returns the canonical key of an e-mail address: trimmed, NFKC, lower case, with the domain in
/// its IDNA ASCII form.
///
/// Addresses with equal keys are equal for every uniqueness rule. Dots and `+tags` in the local
/// part are significant, because only the mail server can interpret them (RFC 5321 section 2.3.11).
#[must_use]
pub fn email_key(address: &str) -> String {
    let folded = fold(address);
    let Some((local, domain)) = folded.rsplit_once('@') else { return bounded_key(folded) };
    let domain = without_trailing_dot(domain);
    match idna::domain_to_ascii(domain) {
        // UTS 46 maps several characters to a dot and drops others, so a trailing dot can appear.
        Ok(ascii) => bounded_key(format!("{local}@{}", without_trailing_dot(&ascii))),
        Err(_) => bounded_key(format!("{local}@{domain}")),
    }
}

/// Returns a domain without the trailing dot of the root zone and whitespace before it.
fn without_trailing_dot(domain: &str) -> &str {
    domain.trim_end_matches(|c: char| c == '.' || c.is_whitespace())
}

/// Returns the canonical key of any other string: trimmed, NFKC, and in lower case unless
/// `case_sensitive`.
#[must_use]
pub fn canonical_text(text: &str, case_sensitive: bool) -> String {
    if !case_sensitive {
        return bounded_key(fold(text));
    }
    bounded_key(nfkc(text.trim()).trim().to_owned())
}

/// Returns the form of a password that is hashed, so that it is the same on every keyboard: NFC,
/// with non-ASCII spaces mapped to U+0020. Case and everything else is significant.
///
/// Source: RFC 8265 section 4.2 (the `OpaqueString` profile). Characters that the profile forbids
/// (see [`is_opaque_string`]) are left unchanged.
#[must_use]
pub fn opaque_string(password: &str) -> Cow<'_, str> {
    if password.is_ascii() {
        return Cow::Borrowed(password);
    }
    let spaced = password.chars().map(|c| if is_space(c) { ' ' } else { c });
    Cow::Owned(spaced.nfc().collect())
}

/// Returns whether RFC 8265 allows a string as a password: without control characters, line and
/// paragraph separators, U+FEFF and U+FFF9 to U+FFFD.
#[must_use]
pub fn is_opaque_string(password: &str) -> bool {
    let is_forbidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fff9}'..='\u{fffd}')
    };
    !password.chars().any(is_forbidden)
}

/// Returns whether the character has the Unicode category Zs and is not U+0020.
fn is_space(c: char) -> bool {
    matches!(
        c,
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

/// Returns the key, or its SHA-256 in hexadecimal if it is longer than 512 bytes, so that it fits
/// an index.
#[must_use]
pub fn bounded_key(key: String) -> String {
    if key.len() <= MAX_KEY_BYTES {
        return key;
    }
    let mut digest = String::with_capacity(7 + 64);
    digest.push_str("sha256:");
    for byte in Sha256::digest(key.as_bytes()) {
        let _ = write!(digest, "{byte:02x}");
    }
    digest
}

fn fold(text: &str) -> String {
    let text = text.trim();
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    // Lower-casing can undo a composition ("İ"), so the result is normalised again.
    let lower = nfkc(text).to_lowercase();
    nfkc(lower.trim()).into_owned()
}

fn nfkc(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(text.nfkc().collect()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equivalent_emails_have_one_key() {
        let spellings = [
            "jose\u{301}@exåmple.no",
            "josé@exåmple.no",
            " JOSÉ@EXÅMPLE.NO ",
            "josé@xn--exmple-jua.no",
            "josé@XN--EXMPLE-JUA.NO",
            "jose\u{301}@exa\u{30a}mple.no",
            "ｊｏｓé@ｅｘåｍｐｌｅ．ｎｏ",
            "\tjosé@exåmple。no",
            "\u{3000}josé＠exåmple.no.",
            "josé@exåmple。no。",
            "josé@exåmple.no.\u{ad}",
        ];
        for spelling in spellings {
            assert_eq!(email_key(spelling), "josé@xn--exmple-jua.no", "{spelling:?}");
        }
    }

    #[test]
    fn different_emails_have_different_keys() {
        assert_ne!(email_key("a.b@example.com"), email_key("ab@example.com"));
        assert_ne!(email_key("a+x@example.com"), email_key("a@example.com"));
    }

    #[test]
    fn case_is_ignored_unless_case_sensitive() {
        assert_ne!(canonical_text("Ann", true), canonical_text("ann", true));
        assert_eq!(canonical_text("Ann ", false), canonical_text("ann", false));
    }

    #[test]
    fn key_of_long_value_is_a_sha256_digest() {
        let key = canonical_text(&"x".repeat(10_000), true);
        assert!(key.starts_with("sha256:") && key.len() == 71);
    }
}
