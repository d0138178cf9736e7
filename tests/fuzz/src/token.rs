//! API tokens: the shape and the checksum decide, and nothing else.

use registrar_server::auth::token::is_well_formed;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A text is a token exactly where it is `reg_`, 43 letters or digits, and their checksum. With
/// the checksum put right it is one, and with one letter changed it is none.
pub fn token(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let is_one = text.len() == 53
        && text.starts_with("reg_")
        && text[4..].bytes().all(|byte| byte.is_ascii_alphanumeric())
        && text[47..] == checksum(&text[..47]);
    assert_eq!(is_well_formed(&text), is_one, "{text:?}");

    let letters: String = text.chars().filter(char::is_ascii_alphanumeric).take(43).collect();
    if letters.len() < 43 {
        return;
    }
    let body = format!("reg_{letters}");
    let token = format!("{body}{}", checksum(&body));
    assert!(is_well_formed(&token), "{token}");
    let (at, letter) = (usize::from(bytes[0]) % token.len(), bytes[bytes.len() - 1] % 62);
    let mut slip = token.clone().into_bytes();
    slip[at] = ALPHABET[usize::from(letter)];
    let slip = String::from_utf8(slip).unwrap();
    assert_eq!(is_well_formed(&slip), slip == token, "{slip}");
}

/// CRC-32 as of IEEE 802.3, bit by bit, in six digits of base 62.
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
