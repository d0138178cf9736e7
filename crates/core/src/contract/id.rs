//! How an API names its users: by number, by UUID, or by a few letters.
//!
//! Letters are the user's number, scrambled: a permutation of all texts of that length. So no two
//! users share one, none is stored, and a path that holds one leads back to the user. They hide
//! how many users there are from a glance, not from somebody who tries; they are no secrets.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use crate::value::Value;

/// Rounds of the Feistel network; four make a permutation look random, six are as good as free.
const ROUNDS: u8 = 6;
/// Texts that are fewer than this could run out.
const MIN_CODES: u128 = 1 << 32;
/// UUIDs of version 4 (RFC 9562, section 5.4).
const UUID_SPACE: u128 = 1 << 122;

/// A way to name users and records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdFormat {
    /// `7`
    Integer,
    /// `0192f0c1-…`: the user's own, of version 7.
    Uuid,
    /// `f260f115-f2e6-4dde-bcab-98b10fdb8cf6`: its number, scrambled, as one of version 4.
    Uuid4,
    /// So many letters.
    Code(CodeFormat),
}

/// So many letters of an alphabet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeFormat {
    /// The letters, each once.
    pub alphabet: &'static str,
    /// How many.
    pub length: usize,
}

const ALPHABETS: [(&str, &str); 3] = [
    ("base62", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
    ("base36", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ("hex", "0123456789abcdef"),
];

impl CodeFormat {
    /// Reads `base62(8)`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (name, rest) = text.split_once('(')?;
        let length: usize = rest.strip_suffix(')')?.parse().ok()?;
        let (_, alphabet) = ALPHABETS.into_iter().find(|(known, _)| *known == name)?;
        (1..=128).contains(&length).then_some(Self { alphabet, length })
    }

    fn count(self, length: usize) -> Option<u128> {
        u128::try_from(self.alphabet.len()).ok()?.checked_pow(u32::try_from(length).ok()?)
    }

    /// How many of the letters hold the number. Those before them are made of it.
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
        let (letters, base) = (self.alphabet.as_bytes(), self.alphabet.len() as u128);
        let mut text = vec![b'0'; self.length];
        let (head, tail) = text.split_at_mut(self.length - length);
        let mut rest = network.scramble(number);
        for letter in tail.iter_mut().rev() {
            *letter = letters[usize::try_from(rest % base).unwrap_or_default()];
            rest /= base;
        }
        let mut rest = network.mixed(ROUNDS, number);
        for letter in head.iter_mut() {
            *letter = letters[usize::try_from(rest % base).unwrap_or_default()];
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
            let place = self.alphabet.bytes().position(|known| known == letter)?;
            scrambled = scrambled * base + place as u128;
        }
        let number = FeistelNetwork::new(salt, length, count).restore(scrambled);
        let is_whole = length == self.length || self.show(salt, number).as_deref() == Some(text);
        i64::try_from(number).ok().filter(|_| is_whole)
    }
}

impl IdFormat {
    /// What a contract may say.
    pub(crate) const EXPECTED: &'static str = "`integer`, `uuid`, `uuid4`, or so many letters: \
         `base62(8)`, `base36(12)`, `hex(16)`, with at least 2^32 texts";

    /// Reads `integer`, `uuid4` or `base62(8)`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "integer" => Self::Integer,
            "uuid" => Self::Uuid,
            "uuid4" => Self::Uuid4,
            _ => {
                Self::Code(CodeFormat::parse(text).filter(|letters| letters.tail().1 >= MIN_CODES)?)
            }
        })
    }

    /// The id of a user as a value of an answer. `salt` tells the permutations of APIs apart.
    pub(crate) fn show(self, salt: &str, number: i64, uuid: &str) -> Value<'static> {
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
                // Source: RFC 9562, section 5.4: version and variant stand between the others.
                let (high, low) = (bits >> 62, bits & ((1 << 62) - 1));
                let (first, last) = (high >> 12, high & 0xfff);
                let all = first << 80 | 4 << 76 | last << 64 | 0b10 << 62 | low;
                let hex = format!("{all:032x}");
                let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
                Some(parts.join("-"))
            }),
            Self::Code(_) => scrambled(|salt, number, format| match format {
                Self::Code(letters) => letters.show(salt, number),
                _ => None,
            }),
        }
    }

    /// Who is meant; nothing where the text can be nobody's.
    pub(crate) fn read(self, salt: &str, text: &str) -> Option<i64> {
        match self {
            // `01` and `+1` are not ids: rules by path, such as a proxy's, rely on one spelling.
            Self::Integer => text.parse().ok().filter(|number: &i64| number.to_string() == text),
            // No index leads from it to its user: such a route is refused at load.
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
            Self::Code(letters) => letters.read(salt, text),
        }
    }
}

/// A Feistel network over an even number of bits; what lies beyond `count` is walked through until
/// it does not. Source: Black and Rogaway, "Ciphers with Arbitrary Finite Domains" (2002).
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
    fn letters_lead_back_to_the_user_and_are_nobody_elses() {
        for format in
            ["base62(8)", "base62(12)", "base36(7)", "hex(8)", "base62(20)", "base36(25)", "uuid4"]
        {
            let format = IdFormat::parse(format).unwrap();
            let mut seen = HashSet::new();
            for number in (1..2000).chain([i64::from(u32::MAX) - 1]) {
                let Value::String(text) = format.show("a", number, "") else { panic!("no text") };
                assert_eq!(format.read("a", &text), Some(number));
                assert_ne!(format.show("b", number, ""), Value::String(text.clone()));
                assert!(seen.insert(text.into_owned()));
            }
        }
    }

    #[test]
    fn what_is_no_id_is_nobodys() {
        let letters = IdFormat::parse("base62(8)").unwrap();
        for text in ["", "short", "toolong99", "bad-char", "äääääää"] {
            assert_eq!(letters.read("a", text), None, "{text}");
        }
        assert_eq!(IdFormat::Integer.read("a", "10"), Some(10));
        for text in ["x", "", "01", "+1", "0001", " 1", "1 ", "-0", "1.0", "1e1", "\u{661}"] {
            assert_eq!(IdFormat::Integer.read("a", text), None, "{text}");
        }
        let shown = IdFormat::Uuid4.show("a", 7, "");
        let text = shown.as_str().unwrap();
        assert!(text.as_bytes()[14] == b'4' && b"89ab".contains(&text.as_bytes()[19]), "{text}");
        assert_eq!(IdFormat::Uuid4.read("a", &text.to_uppercase()), Some(7));
        for slip in ["", &text[1..], &format!("{}1{}", &text[..14], &text[15..])] {
            assert_eq!(IdFormat::Uuid4.read("a", slip), None, "{slip}");
        }
        for text in ["base62", "base62(5)", "base62(999)", "base61(8)", "text", "base62(8"] {
            assert_eq!(IdFormat::parse(text), None, "{text}");
        }
    }
}
