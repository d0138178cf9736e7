//! Formats of ids: integers, UUIDs and codes of letters and digits.
//!
//! Codes and `uuid4` encode the number of the user or record by a permutation keyed by a salt. So
//! they are unique, need no storage and can be decoded. They obscure how many users there are, but
//! they are not secret.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use crate::value::Value;

/// Rounds of the Feistel network. Four make it look like a random permutation; six cost hardly
/// more.
const ROUNDS: u8 = 6;
/// Minimum number of codes of a format, so that they do not run out.
const MIN_CODES: u128 = 1 << 32;
/// Number of UUIDs of version 4 (RFC 9562, section 5.4).
const UUID_SPACE: u128 = 1 << 122;

/// A format of ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdFormat {
    /// The number: `7`.
    Integer,
    /// The stored UUID, of version 7: `0192f0c1-…`. It cannot be decoded.
    Uuid,
    /// The number, permuted, as a UUID of version 4: `f260f115-f2e6-4dde-bcab-98b10fdb8cf6`.
    Uuid4,
    /// The number, permuted, as a code of fixed length.
    Code(CodeFormat),
}

/// A string format: an alphabet and a length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeFormat {
    /// Characters, without duplicates.
    pub alphabet: &'static str,
    /// Number of characters in a code.
    pub length: usize,
}

const ALPHABETS: [(&str, &str); 3] = [
    ("base62", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
    ("base36", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ("hex", "0123456789abcdef"),
];

impl CodeFormat {
    /// Parses a format such as `base62(8)`, with a length from 1 to 128.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, rest) = text.split_once('(')?;
        let length: usize = rest.strip_suffix(')')?.parse().ok()?;
        let (_, alphabet) = ALPHABETS.into_iter().find(|(known, _)| *known == name)?;
        (1..=128).contains(&length).then_some(Self { alphabet, length })
    }

    /// Returns the number of codes of a length, or `None` on overflow.
    fn count(self, length: usize) -> Option<u128> {
        u128::try_from(self.alphabet.len()).ok()?.checked_pow(u32::try_from(length).ok()?)
    }

    /// Returns how many trailing characters encode the number, and how many values they have. The
    /// characters before them are a checksum of it.
    fn tail(self) -> (usize, u128) {
        let fits = |length: &usize| self.count(*length).is_some_and(|count| count <= 1 << 120);
        let length = (1..=self.length).rev().find(fits).unwrap_or(1);
        (length, self.count(length).unwrap_or(1))
    }

    fn show(self, salt: &str, number: u128) -> Option<String> {
        let (length, count) = self.tail();
        if number >= count {
            return None;
        }
        let network = FeistelNetwork::new(salt, length, count);
        let (alphabet, base) = (self.alphabet.as_bytes(), self.alphabet.len() as u128);
        let mut text = vec![b'0'; self.length];
        let (head, tail) = text.split_at_mut(self.length - length);
        let mut rest = network.scramble(number);
        for letter in tail.iter_mut().rev() {
            *letter = alphabet[usize::try_from(rest % base).unwrap_or_default()];
            rest /= base;
        }
        let mut rest = network.mixed(ROUNDS, number);
        for letter in head.iter_mut() {
            *letter = alphabet[usize::try_from(rest % base).unwrap_or_default()];
            rest /= base;
        }
        Some(text.into_iter().map(char::from).collect())
    }

    fn read(self, salt: &str, text: &str) -> Option<i64> {
        if text.len() != self.length || !text.is_ascii() {
            return None;
        }
        let (length, count) = self.tail();
        let (base, mut scrambled) = (self.alphabet.len() as u128, 0_u128);
        for letter in text[self.length - length..].bytes() {
            let index = self.alphabet.bytes().position(|known| known == letter)?;
            scrambled = scrambled * base + index as u128;
        }
        let number = FeistelNetwork::new(salt, length, count).restore(scrambled);
        let is_whole = length == self.length || self.show(salt, number).as_deref() == Some(text);
        i64::try_from(number).ok().filter(|_| is_whole)
    }
}

impl IdFormat {
    /// Description of the valid formats, for problems.
    pub const EXPECTED: &'static str = "`integer`, `uuid`, `uuid4`, or an alphabet with a length: \
         `base62(8)`, `base36(12)`, `hex(16)`, with at least 2^32 values";

    /// Parses a format such as `integer`, `uuid4` or `base62(8)`.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "integer" => Self::Integer,
            "uuid" => Self::Uuid,
            "uuid4" => Self::Uuid4,
            _ => Self::Code(CodeFormat::parse(text).filter(|format| format.tail().1 >= MIN_CODES)?),
        })
    }

    /// Encodes an id as a value of an answer; null if the number is out of range. `salt` selects
    /// the permutation.
    pub fn show(self, salt: &str, number: i64, uuid: &str) -> Value<'static> {
        let scrambled = |text: fn(&str, u128, Self) -> Option<String>| {
            let number = u128::try_from(number).ok();
            let text = number.and_then(|number| text(salt, number, self));
            text.map_or(Value::Null, |text| Value::String(Cow::Owned(text)))
        };
        match self {
            Self::Integer => Value::Number(Cow::Owned(number.to_string())),
            Self::Uuid => Value::String(Cow::Owned(uuid.to_owned())),
            Self::Uuid4 => scrambled(|salt, number, _| {
                let bits = FeistelNetwork::new(salt, 0, UUID_SPACE).scramble(number);
                // Source: RFC 9562, section 5.4: version and variant lie between the other bits.
                let (high, low) = (bits >> 62, bits & ((1 << 62) - 1));
                let (first, last) = (high >> 12, high & 0xfff);
                let all = first << 80 | 4 << 76 | last << 64 | 0b10 << 62 | low;
                let hex = format!("{all:032x}");
                let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
                Some(parts.join("-"))
            }),
            Self::Code(_) => scrambled(|salt, number, format| match format {
                Self::Code(format) => format.show(salt, number),
                _ => None,
            }),
        }
    }

    /// Decodes an id to a number, or returns `None` if it is not a valid id.
    pub fn read(self, salt: &str, text: &str) -> Option<i64> {
        match self {
            // `01` and `+1` are not ids: rules by path, such as a proxy's, rely on a single
            // spelling.
            Self::Integer => text.parse().ok().filter(|number: &i64| number.to_string() == text),
            // There is no index on UUIDs; routes that look up by one are rejected at load.
            Self::Uuid => None,
            Self::Uuid4 => {
                let is_shaped = text.len() == 36
                    && text.bytes().enumerate().all(|(at, byte)| match at {
                        8 | 13 | 18 | 23 => byte == b'-',
                        _ => byte.is_ascii_hexdigit(),
                    });
                if !is_shaped {
                    return None;
                }
                let all = u128::from_str_radix(&text.replace('-', ""), 16).ok()?;
                if all >> 76 & 0xf != 4 || all >> 62 & 0b11 != 0b10 {
                    return None;
                }
                let high = all >> 80 << 12 | all >> 64 & 0xfff;
                let bits = high << 62 | all & ((1 << 62) - 1);
                i64::try_from(FeistelNetwork::new(salt, 0, UUID_SPACE).restore(bits)).ok()
            }
            Self::Code(format) => format.read(salt, text),
        }
    }
}

/// A Feistel network over an even number of bits. Results of `count` or more are permuted again
/// (cycle walking). Source: Black and Rogaway, "Ciphers with Arbitrary Finite Domains" (2002).
struct FeistelNetwork {
    keyed: Sha256,
    count: u128,
    half: u32,
}

impl FeistelNetwork {
    fn new(salt: &str, length: usize, count: u128) -> Self {
        let bits = u128::BITS - (count - 1).leading_zeros();
        let keyed = Sha256::new().chain_update(salt.as_bytes()).chain_update([length as u8]);
        Self { keyed, count, half: bits.div_ceil(2) }
    }

    /// Permutes a number.
    fn scramble(&self, mut number: u128) -> u128 {
        loop {
            let (mut left, mut right) = (number >> self.half, number & self.mask());
            for round in 0..ROUNDS {
                (left, right) = (right, left ^ self.mixed(round, right));
            }
            number = left << self.half | right;
            if number < self.count {
                return number;
            }
        }
    }

    /// Reverses [`scramble`](Self::scramble).
    fn restore(&self, mut number: u128) -> u128 {
        loop {
            let (mut left, mut right) = (number >> self.half, number & self.mask());
            for round in (0..ROUNDS).rev() {
                (left, right) = (right ^ self.mixed(round, left), left);
            }
            number = left << self.half | right;
            if number < self.count {
                return number;
            }
        }
    }

    fn mask(&self) -> u128 {
        (1 << self.half) - 1
    }

    /// Round function: a keyed hash of one half.
    fn mixed(&self, round: u8, half: u128) -> u128 {
        let digest = self.keyed.clone().chain_update([round]).chain_update(half.to_be_bytes());
        let mut first = [0_u8; 16];
        first.copy_from_slice(&digest.finalize()[..16]);
        u128::from_be_bytes(first) & self.mask()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_round_trip_and_are_unique() {
        for format in
            ["base62(8)", "base62(12)", "base36(7)", "hex(8)", "base62(20)", "base36(25)", "uuid4"]
        {
            let format = IdFormat::parse(format).unwrap();
            let mut seen = HashSet::new();
            for number in (1..2000).chain([i64::from(u32::MAX) - 1]) {
                let Value::String(text) = format.show("a", number, "") else {
                    panic!("expected a string")
                };
                assert_eq!(format.read("a", &text), Some(number));
                assert_ne!(format.show("b", number, ""), Value::String(text.clone()));
                assert!(seen.insert(text.into_owned()));
            }
        }
    }

    #[test]
    fn rejects_malformed_ids() {
        let code = IdFormat::parse("base62(8)").unwrap();
        for text in ["", "short", "toolong99", "bad-char", "äääääää"] {
            assert_eq!(code.read("a", text), None, "{text}");
        }
        assert_eq!(IdFormat::Integer.read("a", "10"), Some(10));
        for text in ["x", "", "01", "+1", "0001", " 1", "1 ", "-0", "1.0", "1e1", "\u{661}"] {
            assert_eq!(IdFormat::Integer.read("a", text), None, "{text}");
        }
        let shown = IdFormat::Uuid4.show("a", 7, "");
        let text = shown.as_str().unwrap();
        assert!(text.as_bytes()[14] == b'4' && b"89ab".contains(&text.as_bytes()[19]), "{text}");
        assert_eq!(IdFormat::Uuid4.read("a", &text.to_uppercase()), Some(7));
        for malformed in ["", &text[1..], &format!("{}1{}", &text[..14], &text[15..])] {
            assert_eq!(IdFormat::Uuid4.read("a", malformed), None, "{malformed}");
        }
        for text in ["base62", "base62(5)", "base62(999)", "base61(8)", "text", "base62(8"] {
            assert_eq!(IdFormat::parse(text), None, "{text}");
        }
    }
}
