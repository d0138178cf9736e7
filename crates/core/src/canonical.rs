//! The keys under which equal values meet, whatever their spelling.
//!
//! Computed here and stored as they are, so that every database agrees on what is equal.

use std::borrow::Cow;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

/// The longest key that is stored as it is, in bytes; a longer one is replaced by its digest.
const MAX_KEY_BYTES: usize = 512;

/// The key of an e-mail address: trimmed, NFKC, lower case, the domain in its IDNA ASCII form.
///
/// Two addresses with one key are one address for every uniqueness rule. Dots and `+tags` of the
/// local part count: only its mail server knows what they mean (RFC 5321 section 2.3.11).
#[must_use]
pub fn email_key(address: &str) -> String {
    let folded = fold(address);
    let Some((local, domain)) = folded.rsplit_once('@') else { return bounded_key(folded) };
    let domain = without_trailing_dot(domain);
    match idna::domain_to_ascii(domain) {
        // UTS 46 has more dots than one, and drops characters behind which a dot stood.
        Ok(ascii) => bounded_key(format!("{local}@{}", without_trailing_dot(&ascii))),
        Err(_) => bounded_key(format!("{local}@{domain}")),
    }
}

/// A domain without the dot of the root, and without spaces before it.
fn without_trailing_dot(domain: &str) -> &str {
    domain.trim_end_matches(|letter: char| letter == '.' || letter.is_whitespace())
}

/// The key of any other text: trimmed, NFKC, and lower case unless `case_sensitive`.
#[must_use]
pub fn canonical_text(text: &str, case_sensitive: bool) -> String {
    if !case_sensitive {
        return bounded_key(fold(text));
    }
    bounded_key(nfkc(text.trim()).trim().to_owned())
}

/// What of a password is hashed, so that it is one password however a keyboard spells it: NFC, with
/// spaces of other scripts as ordinary ones. Case, and everything else, counts.
///
/// Source: RFC 8265, section 4.2 (the `OpaqueString` profile); what that forbids
/// ([`is_opaque_string`]) stays as it is.
#[must_use]
pub fn opaque_string(password: &str) -> Cow<'_, str> {
    if password.is_ascii() {
        return Cow::Borrowed(password);
    }
    let spaced = password.chars().map(|letter| if is_space(letter) { ' ' } else { letter });
    Cow::Owned(spaced.nfc().collect())
}

/// Whether RFC 8265 lets a text be a password: it has no control characters in it, nor letters that
/// nobody has assigned a meaning of their own to.
#[must_use]
pub fn is_opaque_string(password: &str) -> bool {
    let is_bad = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fff9}'..='\u{fffd}')
    };
    !password.chars().any(is_bad)
}

/// The category Zs of Unicode, but for the ordinary space.
fn is_space(letter: char) -> bool {
    matches!(
        letter,
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

/// A key that fits an index: itself, or its SHA-256 in hexadecimal when it is too long.
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
    // Lower-casing can undo a composition ("İ"), so the normal form is taken again after it.
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
    fn every_spelling_of_one_address_has_one_key() {
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
    fn different_addresses_keep_different_keys() {
        assert_ne!(email_key("a.b@example.com"), email_key("ab@example.com"));
        assert_ne!(email_key("a+x@example.com"), email_key("a@example.com"));
    }

    #[test]
    fn case_counts_only_where_it_is_said_to() {
        assert_ne!(canonical_text("Ann", true), canonical_text("ann", true));
        assert_eq!(canonical_text("Ann ", false), canonical_text("ann", false));
    }

    #[test]
    fn a_long_key_is_its_digest() {
        let key = canonical_text(&"x".repeat(10_000), true);
        assert!(key.starts_with("sha256:") && key.len() == 71);
    }
}
