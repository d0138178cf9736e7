//! Bounds of dates, datetimes and times of day: literals, other fields or relative phrases.

use super::relative_time::{RelativeTime, TemporalKind, TemporalValue};
use super::{CompileContext, RuleInput};
use crate::config::{Data, Location, Node, ProblemCode, nearest};
use crate::eval_context::Timestamp;
use crate::submission::SiblingRef;
use crate::value::Value;

/// A bound of a temporal value.
#[derive(Debug, Clone, Copy)]
pub(super) enum TemporalBound {
    Literal(TemporalValue),
    Field(SiblingRef),
    Phrase(RelativeTime),
}

impl TemporalBound {
    /// Resolves the bound for a submission. Returns `None` if the other field has no value of the
    /// kind.
    pub(super) fn point(
        self,
        input: &RuleInput<'_, '_>,
        kind: TemporalKind,
    ) -> Option<TemporalValue> {
        match self {
            Self::Literal(moment) => Some(moment),
            Self::Phrase(phrase) => phrase.at(input.now, kind),
            Self::Field(field) => match input.scope.slot(field).value() {
                Value::String(text) => kind.read_part(text),
                _ => None,
            },
        }
    }

    /// Returns whether the bound depends on the submission.
    pub(super) fn depends_on_context(self) -> bool {
        !matches!(self, Self::Literal(_))
    }

    /// Parses a bound, or reports a problem and returns `None`.
    pub(super) fn read(
        compile: &mut CompileContext<'_, '_>,
        node: &Node,
        kind: TemporalKind,
    ) -> Option<Self> {
        match &node.data {
            Data::Text(text) => Self::read_text(compile, text, node.location, kind),
            _ => {
                let what = format!("{} is not a {}", node.describe(), kind.name());
                report_bad_date(compile, node.location, &what, kind, None);
                None
            }
        }
    }

    /// Parses the string of a bound, or reports a problem and returns `None`.
    pub(super) fn read_text(
        compile: &mut CompileContext<'_, '_>,
        text: &str,
        location: Location,
        kind: TemporalKind,
    ) -> Option<Self> {
        let text = text.trim();
        if let Some(moment) = kind.read(text) {
            return Some(Self::Literal(moment));
        }
        if compile.field.names.find(text).is_some() {
            return compile.visible_sibling(text, location).map(Self::Field);
        }
        let Some(phrase) = RelativeTime::read(text) else {
            let known = RelativeTime::EXAMPLES.into_iter().chain(compile.field.names.all());
            let near = nearest(text, known).map(|near| format!("did you mean `{near}`?"));
            report_bad_date(
                compile,
                location,
                &format!("`{text}` is not a {}", kind.name()),
                kind,
                near,
            );
            return None;
        };
        if kind == TemporalKind::Time && !phrase.has_time_of_day() {
            let hint = Some("a date has no time of day".to_owned());
            report_bad_date(
                compile,
                location,
                &format!("`{text}` is not a time of day"),
                kind,
                hint,
            );
            return None;
        }
        // A phrase that leaves the calendar's range is reported when the form is loaded.
        if phrase.at(Timestamp::UNIX_EPOCH, kind).is_none() {
            report_bad_date(
                compile,
                location,
                &format!("`{text}` is out of the calendar's range"),
                kind,
                None,
            );
            return None;
        }
        Some(Self::Phrase(phrase))
    }
}

impl TemporalKind {
    /// Returns the name in messages.
    pub(super) fn name(self) -> &'static str {
        self.into()
    }

    fn example(self) -> &'static str {
        match self {
            Self::Date => "2026-11-22",
            Self::Datetime => "2026-11-22T17:30:00Z",
            Self::Time => "17:30",
        }
    }
}

fn report_bad_date(
    compile: &mut CompileContext<'_, '_>,
    location: Location,
    what: &str,
    kind: TemporalKind,
    hint: Option<String>,
) {
    let phrases = if kind == TemporalKind::Time {
        "`now` or `3 hours from now`"
    } else {
        "`now`, `today`, `1 day ago` or `3 hours from now`"
    };
    let expected =
        format!("a {} such as {}, a field, or a phrase: {phrases}", kind.name(), kind.example());
    compile.reader.problems.add(ProblemCode::BadDate, location, what, expected, hint);
}
