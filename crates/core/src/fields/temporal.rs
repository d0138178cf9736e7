//! Days, moments and times of day, in the notations of RFC 3339 and ISO 8601.
//!
//! A moment without an offset is UTC: the server has no other time zone to guess.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use crate::value::Value;

pub(super) fn coerce_date(value: Value<'_>) -> Result<Value<'_>, Value<'_>> {
    through(value, |text| {
        // A bare day only: jiff would cut the day out of a moment.
        (text.len() == 10).then(|| text.parse::<Date>().ok()).flatten().map(|day| day.to_string())
    })
}

pub(super) fn coerce_datetime(value: Value<'_>) -> Result<Value<'_>, Value<'_>> {
    through(value, |text| {
        let moment = match text.parse::<Timestamp>() {
            Ok(moment) => moment,
            Err(_) => text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp(),
        };
        Some(format!("{moment:.6}"))
    })
}

pub(super) fn coerce_time(value: Value<'_>) -> Result<Value<'_>, Value<'_>> {
    through(value, |text| {
        (text.contains(':') && !text.contains(['T', 't', ' ']))
            .then(|| text.parse::<Time>().ok())
            .flatten()
            .map(|time| time.to_string())
    })
}

fn through(
    value: Value<'_>,
    read: impl Fn(&str) -> Option<String>,
) -> Result<Value<'_>, Value<'_>> {
    match value.as_str().and_then(|text| read(text.trim())) {
        Some(text) => Ok(Value::String(Cow::Owned(text))),
        None => Err(value),
    }
}
