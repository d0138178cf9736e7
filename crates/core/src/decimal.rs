//! Exact decimal numbers for rules that compare: 0.1 is 0.1, and 9007199254740993 stays odd.
//!
//! There is deliberately no arithmetic and no big-number crate: rules parse, compare and print, and
//! the bounds below keep every number under a kilobyte, so a digit string and a power of ten
//! suffice.

use std::cmp::Ordering;
use std::fmt;

/// Maximum number of significant digits, not counting leading and trailing zeros.
pub const MAX_DIGITS: usize = 400;
/// Maximum absolute value of the exponent in scientific notation.
pub const MAX_EXPONENT: i64 = 400;
/// Maximum length of the text that is parsed, in bytes. Every number within the bounds fits in
/// plain notation: a sign, `0.`, 399 zeros and 400 digits.
pub const MAX_TEXT: usize = 1024;

/// A decimal number. Comparison is by value, whatever the notation: `1.0`, `1` and `10e-1` are
/// equal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Decimal {
    negative: bool,
    /// Significant ASCII digits, without zeros at either end. Empty for zero, which is never
    /// negative.
    digits: String,
    /// Power of ten by which `0.digits` is multiplied; 0 for zero.
    point: i64,
}

/// Maximum length in bytes of the plain notation of a number that was submitted in a shorter one.
pub const MAX_PLAIN: usize = 40;

impl Decimal {
    /// Parses a JSON number (RFC 8259 section 6) or a submitted string.
    ///
    /// Strings follow Rails' `numericality`, which uses Ruby's `Kernel.Float`: a sign, leading
    /// zeros, an exponent and surrounding whitespace are allowed (`0090`, `+0`, ` -90.1e1 `, `.5`).
    /// Source: Active Model, `NumericalityValidator`; Ruby, `Kernel#Float`. Stricter than Ruby: no
    /// underscores and, as before Ruby 3.4, no `5.`. Hexadecimal is rejected, as in Rails.
    ///
    /// Returns `None` if the text is not a number or exceeds [`MAX_DIGITS`], [`MAX_EXPONENT`] or
    /// [`MAX_TEXT`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // Ruby treats the vertical tab as whitespace; `is_ascii_whitespace` does not.
        let text = text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\u{b}');
        if text.len() > MAX_TEXT {
            return None;
        }
        let (negative, unsigned) = split_sign(text);
        let split = |text: &str, at: fn(&u8) -> bool| text.as_bytes().iter().position(at);
        let (mantissa, exponent) = match split(unsigned, |byte| matches!(byte, b'e' | b'E')) {
            Some(at) => (&unsigned[..at], parse_exponent(&unsigned[at + 1..])?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = match split(mantissa, |byte| *byte == b'.') {
            Some(at) if at + 1 == mantissa.len() => return None,
            Some(at) => (&mantissa[..at], &mantissa[at + 1..]),
            None => (mantissa, ""),
        };
        let all = || whole.bytes().chain(fraction.bytes());
        if mantissa.is_empty() || !all().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let Some(leading) = all().position(|byte| byte != b'0') else {
            return Some(Self { negative: false, digits: String::new(), point: 0 });
        };
        let mut digits = String::with_capacity(whole.len() + fraction.len() - leading);
        digits.push_str(whole.get(leading..).unwrap_or_default());
        digits.push_str(&fraction[leading.saturating_sub(whole.len())..]);
        digits.truncate(digits.trim_end_matches('0').len());
        let point = i64::try_from(whole.len()).ok()? - i64::try_from(leading).ok()? + exponent;
        let bounded = digits.len() <= MAX_DIGITS && (point - 1).abs() <= MAX_EXPONENT;
        bounded.then_some(Self { negative, digits, point })
    }

    /// Returns whether the value is an integer; `1.0` and `10e-1` are.
    ///
    /// Rails' `only_integer` tests the notation instead (`\A[+-]?\d+\z`); the rule implements that.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        self.trailing_zeros().is_some()
    }

    /// Returns whether the integer part is odd. As in Rails, a fraction is ignored: 3.5 is odd.
    /// Source: Active Model, `NumericalityValidator` (`value.to_i.odd?`).
    #[must_use]
    pub fn is_odd(&self) -> bool {
        let units = usize::try_from(self.point - 1).ok();
        let last = units.and_then(|at| self.digits.as_bytes().get(at)).unwrap_or(&b'0');
        (last - b'0') % 2 == 1
    }

    /// Returns whether the integer part is even; zero is.
    #[must_use]
    pub fn is_even(&self) -> bool {
        !self.is_odd()
    }

    /// Returns the canonical plain notation: no exponent, no redundant zeros, no `-0`.
    ///
    /// Two decimals are equal exactly if these strings are. At most 803 characters long.
    #[must_use]
    pub fn to_plain_string(&self) -> String {
        self.to_string()
    }

    /// Returns the length of [`to_plain_string`](Self::to_plain_string) in bytes, without
    /// allocating it.
    #[must_use]
    pub fn plain_len(&self) -> usize {
        let (digits, sign) = (self.digits.len(), usize::from(self.negative));
        match usize::try_from(self.point) {
            _ if digits == 0 => 1,
            Ok(whole) if whole >= digits => sign + whole,
            Ok(1..) => sign + digits + 1,
            _ => sign + 2 + usize::try_from(-self.point).unwrap_or(0) + digits,
        }
    }

    /// Returns the canonical compact notation: plain up to [`MAX_PLAIN`] bytes, otherwise with an
    /// exponent (`1e400`, `-1.25e-100`). It is never much longer than any other notation of the
    /// value.
    ///
    /// Two decimals are equal exactly if these strings are.
    #[must_use]
    pub fn to_compact_string(&self) -> String {
        if self.plain_len() <= MAX_PLAIN {
            return self.to_plain_string();
        }
        let sign = if self.negative { "-" } else { "" };
        let (first, rest) = self.digits.split_at(1);
        let (point, exponent) = (if rest.is_empty() { "" } else { "." }, self.point - 1);
        match exponent {
            0 => format!("{sign}{first}{point}{rest}"),
            _ => format!("{sign}{first}{point}{rest}e{exponent}"),
        }
    }

    /// Returns whether a number submitted as `text` may be stored. Every database stores JSON
    /// numbers in plain notation or returns them in it, so that notation must not be longer than
    /// the submitted text, or than [`MAX_PLAIN`] if that is more.
    #[must_use]
    pub fn is_storable(text: &str) -> bool {
        text.len() < 18 && !text.bytes().any(|byte| matches!(byte, b'e' | b'E'))
            || Self::parse(text)
                .is_some_and(|number| number.plain_len() <= text.len().max(MAX_PLAIN))
    }

    /// Returns the value as an integer, or `None` if it has a fraction or does not fit.
    #[must_use]
    pub fn to_i64(&self) -> Option<i64> {
        if !self.is_integer() {
            return None;
        }
        self.to_plain_string().parse().ok()
    }

    /// Returns the nearest binary floating point number, or `None` if the value is too large for
    /// one.
    ///
    /// For columns that store binary floats. It rounds, so it must not be used for comparisons.
    #[must_use]
    pub fn to_f64(&self) -> Option<f64> {
        let sign = if self.negative { "-" } else { "" };
        let nearest: f64 = format!("{sign}0.{}e{}", self.digits, self.point).parse().ok()?;
        nearest.is_finite().then_some(nearest)
    }

    /// Returns the number of zeros after the digits in plain notation, or `None` if the value has a
    /// fraction.
    fn trailing_zeros(&self) -> Option<usize> {
        usize::try_from(self.point).ok()?.checked_sub(self.digits.len())
    }

    fn signum(&self) -> i8 {
        match (self.digits.is_empty(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        // Without zeros at either end, digits with equal exponents compare lexicographically.
        let magnitude = || (self.point, &self.digits).cmp(&(other.point, &other.digits));
        self.signum()
            .cmp(&other.signum())
            .then_with(|| if self.negative { magnitude().reverse() } else { magnitude() })
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl From<i64> for Decimal {
    fn from(value: i64) -> Self {
        let all = value.unsigned_abs().to_string();
        let digits = all.trim_end_matches('0').to_owned();
        let point = if digits.is_empty() { 0 } else { all.len() as i64 };
        Self { negative: value < 0, digits, point }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zeros = |count: usize| "0".repeat(count);
        let sign = if self.negative { "-" } else { "" };
        if self.digits.is_empty() {
            return formatter.write_str("0");
        }
        if let Some(count) = self.trailing_zeros() {
            return write!(formatter, "{sign}{}{}", self.digits, zeros(count));
        }
        match usize::try_from(self.point) {
            Ok(whole @ 1..) => {
                let (whole, fraction) = self.digits.split_at(whole);
                write!(formatter, "{sign}{whole}.{fraction}")
            }
            _ => {
                let count = usize::try_from(-self.point).unwrap_or(0);
                write!(formatter, "{sign}0.{}{}", zeros(count), self.digits)
            }
        }
    }
}

/// Splits off the sign. Returns whether it is negative, and the rest.
fn split_sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// Parses a signed power of ten. A huge one is clamped to a value that no mantissa of [`MAX_TEXT`]
/// bytes brings back into the bounds, which avoids overflow and keeps `0e99999999999999999999`
/// zero.
fn parse_exponent(text: &str) -> Option<i64> {
    const MAX_PARSED_EXPONENT: i64 = 1_000_000;
    let (negative, digits) = split_sign(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let power = digits.parse().unwrap_or(MAX_PARSED_EXPONENT).min(MAX_PARSED_EXPONENT);
    Some(if negative { -power } else { power })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap_or_else(|| panic!("{text:?} should be a number"))
    }

    #[test]
    fn plain_notation_is_canonical() {
        let cases = [
            ("0", "0"),
            ("-0", "0"),
            ("+0", "0"),
            ("-0.000e9", "0"),
            ("0e99999999999999999999", "0"),
            ("0090", "90"),
            ("90.1e1", "901"),
            ("-90.10", "-90.1"),
            (".5", "0.5"),
            ("-.5E1", "-5"),
            (" 12 ", "12"),
            ("\t12\u{b}\n", "12"),
            ("1E+3", "1000"),
            ("1200e-5", "0.012"),
            ("123.456", "123.456"),
            ("10e-1", "1"),
            ("9007199254740993", "9007199254740993"),
        ];
        for (text, plain) in cases {
            assert_eq!(decimal(text).to_plain_string(), plain, "{text:?}");
        }
    }

    #[test]
    fn rejects_non_numeric_values() {
        let cases = [
            "", " ", "+", "-", ".", "e5", "5.", "5.e1", "1e", "1e+", "1e1.5", "1.2.3", "--1",
            "+-1", "0x1F", "-0x1F", "1_000", "12\nx", "1 2", "1,5", "NaN", "Infinity", "٣", "1e٣",
            "\u{a0}1",
        ];
        for text in cases {
            assert_eq!(Decimal::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn digit_and_exponent_limits_are_exact() {
        let ones = "1".repeat(MAX_DIGITS);
        for valid in ["1e400", "1e-400", "0.001e403", "1000e-403", ones.as_str()] {
            let plain = decimal(valid).to_plain_string();
            assert!(plain.len() <= 803);
            assert_eq!(decimal(&plain), decimal(valid), "{valid}");
        }
        let (more, zeros) = (format!("{ones}1"), "0".repeat(MAX_TEXT + 1));
        for invalid in ["1e401", "1e-401", "10e400", "1e99999999999999999999", &more, &zeros] {
            assert_eq!(Decimal::parse(invalid), None, "{invalid}");
        }
        let longest = decimal(&format!("-{ones}e-799"));
        assert_eq!(longest.to_plain_string().len(), 802);
    }

    #[test]
    fn compact_notation_is_canonical_and_short() {
        for (text, compact) in [
            ("0", "0"),
            ("1e39", "1000000000000000000000000000000000000000"),
            ("1e40", "1e40"),
            ("10e39", "1e40"),
            ("-1.50e400", "-1.5e400"),
            ("1e-38", "0.00000000000000000000000000000000000001"),
            ("1e-39", "1e-39"),
            ("0.00000000000000000000000000000000000000125", "1.25e-39"),
        ] {
            assert_eq!(decimal(text).to_compact_string(), compact, "{text}");
            assert_eq!(decimal(compact), decimal(text), "{text}");
        }
        let ones = "1".repeat(MAX_DIGITS);
        for text in [ones.as_str(), "1e400", "-1e-400", "12.5", "-0", "1e17", "0.001", "-120"] {
            let number = decimal(text);
            assert_eq!(number.plain_len(), number.to_plain_string().len(), "{text}");
            assert!(number.to_compact_string().len() <= text.len() + MAX_PLAIN);
        }
    }

    #[test]
    fn numbers_with_long_plain_notation_are_not_storable() {
        let plain = decimal("1e400").to_plain_string();
        for text in ["0", "1e39", "-1.5e-30", "0.1", "6.02214076e23", plain.as_str()] {
            assert!(Decimal::is_storable(text), "{text}");
        }
        for text in ["1e40", "1e400", "1e-400", "1.7976931348623157e308", "1E99"] {
            assert!(!Decimal::is_storable(text), "{text}");
        }
    }

    #[test]
    fn numbers_are_ordered_by_value() {
        let ascending = [
            "-1e400", "-11", "-2", "-1.5", "-1", "-0.1", "-1e-400", "0", "1e-400", "0.09", "0.1",
            "0.11", "1", "1.05", "1.5", "2", "10", "11", "1e400",
        ];
        for (i, left) in ascending.iter().enumerate() {
            for (j, right) in ascending.iter().enumerate() {
                assert_eq!(decimal(left).cmp(&decimal(right)), i.cmp(&j), "{left} and {right}");
            }
        }
    }

    #[test]
    fn parity_is_that_of_the_integer_part() {
        for (text, integer, odd) in [
            ("0", true, false),
            ("1.0", true, true),
            ("-3", true, true),
            ("10", true, false),
            ("9007199254740993", true, true),
            ("1e400", true, false),
            ("1.5", false, true),
            ("-2.5", false, false),
            ("12.9", false, false),
            ("30", true, false),
            ("0.1", false, false),
            ("1e-400", false, false),
        ] {
            let number = decimal(text);
            let found = (number.is_integer(), number.is_odd(), number.is_even());
            assert_eq!(found, (integer, odd, !odd), "{text}");
        }
    }

    #[test]
    fn unrepresentable_conversions_return_none() {
        assert_eq!(decimal("-9223372036854775808").to_i64(), Some(i64::MIN));
        assert_eq!(decimal("9223372036854775808").to_i64(), None);
        assert_eq!(decimal("1.5").to_i64(), None);
        assert_eq!(decimal("12e1").to_i64(), Some(120));
        assert_eq!(decimal("0.1").to_f64(), Some(0.1));
        assert_eq!(decimal("-0").to_f64(), Some(0.0));
        assert_eq!(decimal("-1.5e3").to_f64(), Some(-1500.0));
        assert_eq!(decimal("1e400").to_f64(), None);
        assert_eq!(decimal("1e-400").to_f64(), Some(0.0));
        for value in [0, 1, -10, 1_000, i64::MIN, i64::MAX] {
            assert_eq!(Decimal::from(value), decimal(&value.to_string()));
        }
    }
}
