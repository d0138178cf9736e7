//! API tokens: `reg_`, 43 random letters and digits, and a checksum of 6 characters.
//!
//! The checksum rejects mistyped tokens without a database query. The database holds the SHA-256 of a
//! token: with 256 random bits no slow hash is needed.

use registrar_core::aggregate::Secret;
use sha2::{Digest, Sha256};

const PREFIX: &str = "reg_";
const RANDOM_LEN: usize = 43;
const CHECKSUM_LEN: usize = 6;
/// Digits of base 62.
pub(super) const BASE62: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Generates a token.
///
/// # Errors
/// Returns an error if the operating system's random source fails.
pub fn generate() -> Result<Secret, getrandom::Error> {
    let mut token = format!("{PREFIX}{}", random_string(BASE62, RANDOM_LEN)?);
    let checksum = checksum(&token);
    token.push_str(&checksum);
    Ok(Secret::new(token))
}

/// Returns a random string with `length` uniformly distributed characters of an alphabet.
///
/// # Errors
/// Returns an error if the operating system's random source fails.
pub fn random_string(alphabet: &str, length: usize) -> Result<String, getrandom::Error> {
    let chars = alphabet.as_bytes();
    // Bytes from the incomplete last multiple are discarded: they would favour some characters.
    let limit = 256 - 256 % chars.len().max(1);
    let mut text = String::with_capacity(length);
    let mut bytes = [0_u8; 64];
    while text.len() < length && !chars.is_empty() {
        getrandom::fill(&mut bytes)?;
        let usable = bytes.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < limit);
        let usable = usable.take(length - text.len());
        text.extend(usable.map(|byte| char::from(chars[byte % chars.len()])));
    }
    Ok(text)
}

/// Returns the hash under which a token is stored.
#[must_use]
pub fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Returns whether a text has the format and the checksum of a token.
#[must_use]
pub fn is_well_formed(token: &str) -> bool {
    let length = PREFIX.len() + RANDOM_LEN;
    token.len() == length + CHECKSUM_LEN
        && token.starts_with(PREFIX)
        && token.bytes().skip(PREFIX.len()).all(|byte| byte.is_ascii_alphanumeric())
        && token[length..] == checksum(&token[..length])
}

fn checksum(text: &str) -> String {
    let mut remainder = crc32fast::hash(text.as_bytes());
    let mut digits = [0_u8; CHECKSUM_LEN];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62.as_bytes()[(remainder % 62) as usize];
        remainder /= 62;
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_with_a_wrong_character_is_rejected() {
        let token = generate().unwrap();
        let token = token.reveal();
        assert_eq!(token.len(), 53);
        assert!(is_well_formed(token));
        for index in 0..token.len() {
            let mut changed = token.as_bytes().to_vec();
            changed[index] = if changed[index] == b'a' { b'b' } else { b'a' };
            assert!(!is_well_formed(std::str::from_utf8(&changed).unwrap()), "at {index}");
        }
        assert!(!is_well_formed("") && !is_well_formed("reg_") && !is_well_formed(&"é".repeat(27)));
    }

    #[test]
    fn tokens_differ() {
        assert_ne!(generate().unwrap(), generate().unwrap());
    }
}
