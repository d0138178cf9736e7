//! `datetime`: the value must be a date and time, within bounds.

use super::relative_time::TemporalKind;
use super::temporal::{AFTER, BEFORE, IS_AT, ON_OR_AFTER, ON_OR_BEFORE, OPTIONS};
use super::{Applicability, Rule, temporal};
use crate::messages::Message;

static INVALID: Message = Message::new("invalid_datetime", "is not a valid datetime");

pub(super) static RULE: Rule = Rule {
    name: "datetime",
    aliases: &[],
    summary: "The value must be a date and time, as in RFC 3339 (\"2026-11-22T17:30:00Z\"; UTC if \
              no offset is given), within the given bounds. `today`, `yesterday` and `tomorrow` \
              are midnight in UTC; `1 day ago` keeps the time of day. A value that is not a \
              datetime violates only `invalid_datetime`.",
    options: &OPTIONS,
    main_option: Some("between"),
    messages: &[&INVALID, &IS_AT, &BEFORE, &AFTER, &ON_OR_BEFORE, &ON_OR_AFTER],
    applies_to: Applicability { wrong_type: true, ..Applicability::VALUES },
    accepts: &[
        ("true", "\"2026-11-22T17:30:00+01:00\""),
        ("{after: today}", "\"2026-11-23T00:00:01Z\""),
        ("{before: now}", "\"2026-11-23T10:29:59Z\""),
        ("{at_or_after: 1 day ago}", "\"2026-11-22T10:30:00Z\""),
    ],
    rejects: &[
        ("true", "\"2026-11-22T25:00:00Z\"", "invalid_datetime"),
        ("true", "null", "invalid_datetime"),
        ("{at: 2026-11-22T17:30:00Z}", "\"2026-11-22T17:30:01Z\"", "is_at"),
        ("{before: now}", "\"2026-11-23T10:30:00Z\"", "before"),
        ("{after: 3 hours from now}", "\"2026-11-23T13:30:00Z\"", "after"),
        ("{on_or_before: yesterday}", "\"2026-11-22T00:00:01Z\"", "on_or_before"),
        ("{at_or_after: 1 day ago}", "\"2026-11-22T10:29:59Z\"", "on_or_after"),
    ],
    compile: |compile| temporal::compile(compile, TemporalKind::Datetime, &INVALID),
};
