//! `time`: the value must be a time of day, within bounds.

use super::relative_time::TemporalKind;
use super::temporal::{AFTER, BEFORE, IS_AT, ON_OR_AFTER, ON_OR_BEFORE, OPTIONS};
use super::{Applicability, Rule, temporal};
use crate::messages::Message;

static INVALID: Message = Message::new("invalid_time", "is not a valid time");

pub(super) static RULE: Rule = Rule {
    name: "time",
    aliases: &[],
    summary: "The value must be a time of day (\"17:30\", \"17:30:00\"), within the given bounds. \
              `now` is the time of day in UTC. A value that is not a time of day violates only \
              `invalid_time`.",
    options: &OPTIONS,
    main_option: Some("between"),
    messages: &[&INVALID, &IS_AT, &BEFORE, &AFTER, &ON_OR_BEFORE, &ON_OR_AFTER],
    applies_to: Applicability { wrong_type: true, ..Applicability::VALUES },
    accepts: &[
        ("true", "\"17:30\""),
        ("{between: 08:00..17:00}", "\"17:00\""),
        ("{before: now}", "\"10:29:59\""),
    ],
    rejects: &[
        ("true", "\"24:30\"", "invalid_time"),
        ("true", "\"half past five\"", "invalid_time"),
        ("{at: 12:00}", "\"12:01\"", "is_at"),
        ("{before: 12:00}", "\"12:00\"", "before"),
        ("{after: 12:00}", "\"12:00\"", "after"),
        ("08:00..17:00", "\"07:59\"", "on_or_after"),
        ("{at_or_before: 12:00}", "\"12:01\"", "on_or_before"),
    ],
    compile: |compile| temporal::compile(compile, TemporalKind::Time, &INVALID),
};
