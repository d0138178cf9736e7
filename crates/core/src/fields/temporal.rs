//! Dates, timestamps and times of day, in the notations of RFC 3339 and ISO 8601.
//!
//! A timestamp without an offset is in UTC, since the server has no other time zone to assume.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use crate::value::Value;

pub(super) fn coerce_date(value: Value<'_>) -> Result<Value<'_>, Value<'_>> {
    coerce(value, |text| date(text).map(|day| day.to_string()))
}

pub(super) fn coerce_datetime(value: Value<'_>) -> Result<Value<'_>, Value<'_>> {
    coerce(value, |text| datetime(text).map(|moment| format!("{moment:.6}")))
}

pub(super) fn coerce_time(value: Value<'_>) -> Result<Value<'_>, Value<'_>> {
    coerce(value, |text| time(text).map(|time| time.to_string()))
}

/// Parses a date. Only a bare date is accepted: jiff would take the date from a timestamp.
pub(crate) fn date(text: &str) -> Option<Date> {
    if text.len() == 10 { text.parse().ok() } else { None }
}

/// Parses a timestamp; without an offset it is in UTC.
pub(crate) fn datetime(text: &str) -> Option<Timestamp> {
    match text.parse::<Timestamp>() {
        Ok(moment) => Some(moment),
        Err(_) => Some(text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp()),
    }
}

/// Parses a time of day without a date.
pub(crate) fn time(text: &str) -> Option<Time> {
    let is_bare = text.contains(':') && !text.contains(['T', 't', ' ']);
    if is_bare { text.parse().ok() } else { None }
}

fn coerce(
    value: Value<'_>,
    parse: impl Fn(&str) -> Option<String>,
) -> Result<Value<'_>, Value<'_>> {
    match value.as_str().and_then(|text| parse(text.trim())) {
        Some(text) => Ok(Value::String(Cow::Owned(text))),
        None => Err(value),
    }
}
