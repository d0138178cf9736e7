//! API tokens: `reg_`, 43 letters and digits of chance, 6 of a checksum.
//!
//! The checksum lets a typing error be told from a stranger without asking the database. What is
//! stored is the SHA-256 of the whole: 256 bits of chance need no slow hash.

use registrar_core::aggregate::Secret;
use sha2::{Digest, Sha256};

const PREFIX: &str = "reg_";
const RANDOM: usize = 43;
const CHECKSUM: usize = 6;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Makes a new token.
///
/// # Errors
/// Where the operating system gives no randomness.
pub fn generate() -> Result<Secret, getrandom::Error> {
    let alphabet = std::str::from_utf8(ALPHABET).unwrap_or_default();
    let mut token = format!("{PREFIX}{}", letters(alphabet, RANDOM)?);
    let checksum = checksum(&token);
    token.push_str(&checksum);
    Ok(Secret::new(token))
}

/// So many letters of an alphabet, each as likely as any other.
///
/// # Errors
/// Where the operating system gives no randomness.
pub fn letters(alphabet: &str, length: usize) -> Result<String, getrandom::Error> {
    let letters = alphabet.as_bytes();
    // Only bytes below a multiple of their number are used, so that none is likelier.
    let most = 256 - 256 % letters.len().max(1);
    let mut text = String::with_capacity(length);
    let mut bytes = [0_u8; 64];
    while text.len() < length && !letters.is_empty() {
        getrandom::fill(&mut bytes)?;
        let fit = bytes.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < most);
        let fit = fit.take(length - text.len());
        text.extend(fit.map(|byte| char::from(letters[byte % letters.len()])));
    }
    Ok(text)
}

/// What is stored of a token.
#[must_use]
pub fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Whether a text can be a token at all: its shape and its checksum are right.
#[must_use]
pub fn is_well_formed(token: &str) -> bool {
    let length = PREFIX.len() + RANDOM;
    token.len() == length + CHECKSUM
        && token.starts_with(PREFIX)
        && token.bytes().skip(PREFIX.len()).all(|byte| byte.is_ascii_alphanumeric())
        && token[length..] == checksum(&token[..length])
}

fn checksum(text: &str) -> String {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut digits = [0_u8; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_well_formed_and_a_slip_of_it_is_not() {
        let token = generate().unwrap();
        let token = token.reveal();
        assert_eq!(token.len(), 53);
        assert!(is_well_formed(token));
        for place in 0..token.len() {
            let mut slip = token.as_bytes().to_vec();
            slip[place] = if slip[place] == b'a' { b'b' } else { b'a' };
            assert!(!is_well_formed(std::str::from_utf8(&slip).unwrap()), "at {place}");
        }
        assert!(!is_well_formed("") && !is_well_formed("reg_") && !is_well_formed(&"é".repeat(27)));
    }

    #[test]
    fn no_two_tokens_are_alike() {
        assert_ne!(generate().unwrap(), generate().unwrap());
    }
}
