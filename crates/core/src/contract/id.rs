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
const FEWEST: u128 = 1 << 32;

/// A way to name users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdFormat {
    /// `7`
    Integer,
    /// `0192f0c1-…`
    Uuid,
    /// So many of these letters.
    Letters { alphabet: &'static str, length: usize },
}

const ALPHABETS: [(&str, &str); 3] = [
    ("base62", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
    ("base36", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ("hex", "0123456789abcdef"),
];

impl IdFormat {
    /// What a contract may say.
    pub(crate) const EXPECTED: &'static str = "`integer`, `uuid`, or so many letters: \
         `base62(8)`, `base36(12)`, `hex(16)`, with at least 2^32 texts and at most 2^120";

    /// Reads `integer`, `uuid` or `base62(8)`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "integer" => return Some(Self::Integer),
            "uuid" => return Some(Self::Uuid),
            _ => {}
        }
        let (name, rest) = text.split_once('(')?;
        let length: u32 = rest.strip_suffix(')')?.parse().ok()?;
        let (_, alphabet) = ALPHABETS.into_iter().find(|(known, _)| *known == name)?;
        let count = u128::try_from(alphabet.len()).ok()?.checked_pow(length)?;
        let fits = (FEWEST..=1 << 120).contains(&count);
        fits.then_some(Self::Letters { alphabet, length: usize::try_from(length).ok()? })
    }

    /// The id of a user as a value of an answer. `salt` tells the permutations of APIs apart.
    pub(crate) fn show(self, salt: &str, number: i64, uuid: &str) -> Value<'static> {
        match self {
            Self::Integer => Value::Number(Cow::Owned(number.to_string())),
            Self::Uuid => Value::String(Cow::Owned(uuid.to_owned())),
            Self::Letters { alphabet, length } => {
                let network = Network::new(salt, alphabet, length);
                let Ok(number) = u128::try_from(number) else { return Value::Null };
                if number >= network.count {
                    return Value::Null;
                }
                let letters = alphabet.as_bytes();
                let (mut rest, mut text) = (network.scramble(number), vec![b'0'; length]);
                let base = letters.len() as u128;
                for letter in text.iter_mut().rev() {
                    *letter = letters[usize::try_from(rest % base).unwrap_or_default()];
                    rest /= base;
                }
                Value::String(Cow::Owned(text.into_iter().map(char::from).collect()))
            }
        }
    }

    /// Who is meant; nothing where the text can be nobody's.
    pub(crate) fn read(self, salt: &str, text: &str) -> Option<i64> {
        match self {
            Self::Integer => text.parse().ok(),
            // No index leads from a UUID to its user: such a route is refused at load.
            Self::Uuid => None,
            Self::Letters { alphabet, length } => {
                if text.len() != length {
                    return None;
                }
                let (base, mut number) = (alphabet.len() as u128, 0_u128);
                for letter in text.bytes() {
                    let place = alphabet.bytes().position(|known| known == letter)?;
                    number = number * base + place as u128;
                }
                i64::try_from(Network::new(salt, alphabet, length).restore(number)).ok()
            }
        }
    }
}

/// A Feistel network over an even number of bits; what lies beyond `count` is walked through until
/// it does not. Source: Black and Rogaway, "Ciphers with Arbitrary Finite Domains" (2002).
struct Network {
    keyed: Sha256,
    count: u128,
    half: u32,
}

impl Network {
    fn new(salt: &str, alphabet: &str, length: usize) -> Self {
        let exponent = u32::try_from(length).unwrap_or(u32::MAX);
        let count = (alphabet.len() as u128).saturating_pow(exponent);
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
        for format in ["base62(8)", "base62(12)", "base36(7)", "hex(8)", "base62(20)"] {
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
        assert_eq!(IdFormat::Integer.read("a", "x"), None);
        for text in ["base62", "base62(5)", "base62(99)", "base61(8)", "text", "base62(8"] {
            assert_eq!(IdFormat::parse(text), None, "{text}");
        }
    }
}
