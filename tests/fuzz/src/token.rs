//! Fuzz target of API tokens.

use registrar_server::auth::token::is_well_formed;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A string is well-formed if and only if it is `reg_`, 43 letters or digits and their checksum.
/// Changing any character of a well-formed token makes it malformed.
pub fn token(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let expected = text.len() == 53
        && text.starts_with("reg_")
        && text[4..].bytes().all(|byte| byte.is_ascii_alphanumeric())
        && text[47..] == checksum(&text[..47]);
    assert_eq!(is_well_formed(&text), expected, "{text:?}");

    let characters: String = text.chars().filter(char::is_ascii_alphanumeric).take(43).collect();
    if characters.len() < 43 {
        return;
    }
    let body = format!("reg_{characters}");
    let token = format!("{body}{}", checksum(&body));
    assert!(is_well_formed(&token), "{token}");
    let (at, character) = (usize::from(bytes[0]) % token.len(), bytes[bytes.len() - 1] % 62);
    let mut mutated = token.clone().into_bytes();
    mutated[at] = ALPHABET[usize::from(character)];
    let mutated = String::from_utf8(mutated).unwrap();
    assert_eq!(is_well_formed(&mutated), mutated == token, "{mutated}");
}

/// CRC-32 of IEEE 802.3, computed bitwise, as six base-62 digits.
fn checksum(text: &str) -> String {
    let mut rest = u32::MAX;
    for byte in text.bytes() {
        rest ^= u32::from(byte);
        for _ in 0..8 {
            rest = (rest >> 1) ^ (0xEDB8_8320 & 0u32.wrapping_sub(rest & 1));
        }
    }
    rest = !rest;
    let mut digits = Vec::new();
    for _ in 0..6 {
        digits.push(char::from(ALPHABET[(rest % 62) as usize]));
        rest /= 62;
    }
    digits.iter().rev().collect()
}
