//! `date`: the value must be a date, within bounds.

use super::relative_time::TemporalKind;
use super::temporal::{AFTER, BEFORE, IS_AT, ON_OR_AFTER, ON_OR_BEFORE, OPTIONS};
use super::{Applicability, Rule, temporal};
use crate::messages::Message;

static INVALID: Message = Message::new("invalid_date", "is not a valid date");

pub(super) static RULE: Rule = Rule {
    name: "date",
    aliases: &[],
    summary: "The value must be a date, as in RFC 3339 (\"2026-11-22\"), within the given bounds. \
              `today`, `yesterday` and `tomorrow` are days in UTC. A value that is not a date \
              violates only `invalid_date`.",
    options: &OPTIONS,
    main_option: Some("between"),
    messages: &[&INVALID, &IS_AT, &BEFORE, &AFTER, &ON_OR_BEFORE, &ON_OR_AFTER],
    applies_to: Applicability { wrong_type: true, ..Applicability::VALUES },
    accepts: &[
        ("true", "\"2024-02-29\""),
        ("{on_or_before: today}", "\"2026-11-23\""),
        ("{on_or_before: 18 years ago}", "\"2008-11-23\""),
        ("{between: [2026-01-01, 2026-12-31]}", "\"2026-12-31\""),
        ("{format: \"%d.%m.%Y\"}", "\"22.11.2026\""),
    ],
    rejects: &[
        ("true", "\"2026-02-29\"", "invalid_date"),
        ("true", "\"\"", "invalid_date"),
        ("true", "20261122", "invalid_date"),
        ("{is_at: 2026-11-22}", "\"2026-11-21\"", "is_at"),
        ("{before: today}", "\"2026-11-23\"", "before"),
        ("{after: yesterday}", "\"2026-11-22\"", "after"),
        ("{on_or_before: 18 years ago}", "\"2008-11-24\"", "on_or_before"),
        ("{on_or_after: 2 weeks from now}", "\"2026-12-06\"", "on_or_after"),
        ("2026-01-01..2026-12-31", "\"2027-01-01\"", "on_or_before"),
    ],
    compile: |compile| temporal::compile(compile, TemporalKind::Date, &INVALID),
};
