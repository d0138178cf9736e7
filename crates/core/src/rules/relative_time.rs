//! Dates, datetimes and times of day, and relative phrases such as `1 day ago`, for the rules
//! `date`, `datetime`, `time` and `comparison`.
//!
//! All values are in UTC. `now` is the time of the submission, which is passed in.

use std::fmt;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Unit};
use strum::IntoStaticStr;

use crate::fields::{FieldType, temporal};

/// The kind of a temporal value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub(super) enum TemporalKind {
    Date,
    Datetime,
    Time,
}

/// A date, a datetime or a time of day. Only values of one kind are compared with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TemporalValue {
    Date(Date),
    Datetime(Timestamp),
    Time(Time),
}

impl TemporalKind {
    /// Returns the kind of a field type, or `None` if the type is not temporal.
    pub(super) fn of(field_type: FieldType) -> Option<Self> {
        match field_type {
            FieldType::Date => Some(Self::Date),
            FieldType::Datetime => Some(Self::Datetime),
            FieldType::Time => Some(Self::Time),
            _ => None,
        }
    }

    /// Parses a string in the notation of RFC 3339.
    pub(super) fn read(self, text: &str) -> Option<TemporalValue> {
        let text = text.trim();
        match self {
            Self::Date => temporal::date(text).map(TemporalValue::Date),
            Self::Datetime => temporal::datetime(text).map(TemporalValue::Datetime),
            Self::Time => temporal::time(text).map(TemporalValue::Time),
        }
    }

    /// Parses a string in the notation of RFC 3339. A datetime is reduced to its date or time of
    /// day.
    pub(super) fn read_part(self, text: &str) -> Option<TemporalValue> {
        self.read(text).or_else(|| self.of_moment(temporal::datetime(text.trim())?))
    }

    /// Parses a string in a format of `strptime`. A datetime without an offset is in UTC.
    pub(super) fn read_as(self, format: &str, text: &str) -> Option<TemporalValue> {
        match self {
            Self::Date => Date::strptime(format, text).ok().map(TemporalValue::Date),
            Self::Time => Time::strptime(format, text).ok().map(TemporalValue::Time),
            Self::Datetime => {
                let moment = Timestamp::strptime(format, text).ok().or_else(|| {
                    let moment = DateTime::strptime(format, text).ok()?;
                    Some(moment.to_zoned(TimeZone::UTC).ok()?.timestamp())
                });
                moment.map(TemporalValue::Datetime)
            }
        }
    }

    /// Reduces a timestamp to this kind, in UTC.
    pub(super) fn of_moment(self, moment: Timestamp) -> Option<TemporalValue> {
        let civil = moment.to_zoned(TimeZone::UTC).datetime();
        Some(match self {
            Self::Date => TemporalValue::Date(civil.date()),
            Self::Time => TemporalValue::Time(civil.time()),
            Self::Datetime => TemporalValue::Datetime(moment),
        })
    }
}

impl fmt::Display for TemporalValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Date(day) => day.fmt(f),
            Self::Datetime(moment) => moment.fmt(f),
            Self::Time(time) => time.fmt(f),
        }
    }
}

/// A phrase relative to the time of the submission: `now`, `yesterday`, `3 hours from now`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RelativeTime {
    Now,
    /// Midnight, this number of days from today.
    Midnight(i32),
    /// An offset from now. Days and months keep the time of day.
    Away(Offset),
}

/// A signed distance in calendar units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Offset {
    months: i32,
    days: i32,
    seconds: i64,
}

/// Maximum number of one unit in a phrase.
const MAX_COUNT: i64 = 10_000;

impl RelativeTime {
    /// Example phrases for hints.
    pub(super) const EXAMPLES: [&'static str; 6] =
        ["now", "today", "yesterday", "tomorrow", "1 day ago", "3 hours from now"];

    /// Parses a phrase, in any case. Returns `None` if the string is not a phrase.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = text.to_lowercase();
        let words: Vec<&str> = text.split_whitespace().collect();
        let (amounts, sign) = match words[..] {
            ["now"] => return Some(Self::Now),
            ["today"] => return Some(Self::Midnight(0)),
            ["yesterday"] => return Some(Self::Midnight(-1)),
            ["tomorrow"] => return Some(Self::Midnight(1)),
            [ref amounts @ .., "ago"] => (amounts, -1),
            [ref amounts @ .., "from", "now"] | ["in", ref amounts @ ..] => (amounts, 1),
            _ => return None,
        };
        let amounts: Vec<&str> = amounts.iter().copied().filter(|word| *word != "and").collect();
        let mut offset = Offset::default();
        let (pairs, rest) = amounts.as_chunks::<2>();
        if pairs.is_empty() || !rest.is_empty() {
            return None;
        }
        for [count, unit] in pairs {
            let count = match *count {
                "a" | "an" | "one" => 1,
                digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                    digits.parse().ok()?
                }
                _ => return None,
            };
            offset.add(count, unit.trim_end_matches(','), sign)?;
        }
        Some(Self::Away(offset))
    }

    /// Returns whether the phrase determines a time of day and not only a date.
    pub(super) fn has_time_of_day(self) -> bool {
        match self {
            Self::Now => true,
            Self::Midnight(_) => false,
            Self::Away(offset) => offset.months == 0 && offset.days == 0,
        }
    }

    /// Resolves the phrase at a time, or returns `None` if the result is out of range.
    pub(super) fn at(self, now: Timestamp, kind: TemporalKind) -> Option<TemporalValue> {
        let then = match self {
            Self::Now => now,
            Self::Midnight(days) => {
                let today = now.to_zoned(TimeZone::UTC).start_of_day().ok()?;
                today.checked_add(Span::new().days(days)).ok()?.timestamp()
            }
            Self::Away(Offset { months, days, seconds }) => {
                let span = Span::new().months(months).days(days).seconds(seconds);
                now.to_zoned(TimeZone::UTC).checked_add(span).ok()?.timestamp()
            }
        };
        // Rounded to the stored precision, so that messages show the value that was compared.
        kind.of_moment(then.round(Unit::Microsecond).ok()?)
    }
}

impl Offset {
    fn add(&mut self, count: i64, unit: &str, sign: i64) -> Option<()> {
        if count > MAX_COUNT {
            return None;
        }
        let count = count * sign;
        let whole = i32::try_from(count).ok()?;
        match unit.strip_suffix('s').unwrap_or(unit) {
            "second" | "sec" => self.seconds += count,
            "minute" | "min" => self.seconds += count * 60,
            "hour" => self.seconds += count * 3600,
            "day" => self.days += whole,
            "week" => self.days += whole * 7,
            "month" => self.months += whole,
            // A year is twelve calendar months.
            "year" if count.abs() <= 1000 => self.months += whole * 12,
            _ => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Phrases and the timestamps they resolve to at 2024-02-29T12:30:15Z.
    const CASES: &[(&str, &str)] = &[
        ("now", "2024-02-29T12:30:15Z"),
        ("Today", "2024-02-29T00:00:00Z"),
        ("yesterday", "2024-02-28T00:00:00Z"),
        ("tomorrow", "2024-03-01T00:00:00Z"),
        ("1 day ago", "2024-02-28T12:30:15Z"),
        ("a day ago", "2024-02-28T12:30:15Z"),
        ("3 hours from now", "2024-02-29T15:30:15Z"),
        ("in 3 hours", "2024-02-29T15:30:15Z"),
        ("2  weeks from now", "2024-03-14T12:30:15Z"),
        ("1 year ago", "2023-02-28T12:30:15Z"),
        ("18 years ago", "2006-02-28T12:30:15Z"),
        ("1 month from now", "2024-03-29T12:30:15Z"),
        ("1 year and 6 months ago", "2022-08-29T12:30:15Z"),
        ("1 day, 2 hours ago", "2024-02-28T10:30:15Z"),
        ("90 seconds ago", "2024-02-29T12:28:45Z"),
        ("15 minutes from now", "2024-02-29T12:45:15Z"),
    ];

    #[test]
    fn resolves_relative_time_phrases() {
        let now: Timestamp = "2024-02-29T12:30:15Z".parse().unwrap();
        for (phrase, expected) in CASES {
            let timestamp = RelativeTime::read(phrase)
                .and_then(|phrase| phrase.at(now, TemporalKind::Datetime));
            assert_eq!(timestamp.unwrap().to_string(), *expected, "{phrase}");
        }
    }

    #[test]
    fn rejects_malformed_phrases() {
        for text in ["", "ago", "soon", "day ago", "1 ago", "1 dayz ago", "-1 days ago", "1 day"] {
            assert_eq!(RelativeTime::read(text), None, "{text}");
        }
        assert_eq!(RelativeTime::read("99999 days ago"), None);
    }
}
