//! What a date, a moment or a time of day is compared with: a literal, another field, or a phrase.

use super::relative_time::{RelativeTime, TemporalKind, TemporalValue};
use super::{CompileContext, RuleInput};
use crate::config::{Data, Location, Node, ProblemCode, nearest};
use crate::eval_context::Timestamp;
use crate::evaluate::SiblingRef;
use crate::value::Value;

/// The restriction of an option.
#[derive(Debug, Clone, Copy)]
pub(super) enum TemporalBound {
    Literal(TemporalValue),
    Field(SiblingRef),
    Phrase(RelativeTime),
}

impl TemporalBound {
    /// The point it means in a submission; none where the other field holds no such point.
    pub(super) fn point(
        self,
        subject: &RuleInput<'_, '_>,
        kind: TemporalKind,
    ) -> Option<TemporalValue> {
        match self {
            Self::Literal(moment) => Some(moment),
            Self::Phrase(phrase) => phrase.at(subject.now, kind),
            Self::Field(field) => match subject.scope.slot(field).value() {
                Value::String(text) => kind.read_part(text),
                _ => None,
            },
        }
    }

    /// Whether it means another point from one submission to the next.
    pub(super) fn depends_on_context(self) -> bool {
        !matches!(self, Self::Literal(_))
    }

    /// Reads one; notes what is wrong with it.
    pub(super) fn read(
        compile: &mut CompileContext<'_, '_>,
        node: &Node,
        kind: TemporalKind,
    ) -> Option<Self> {
        match &node.data {
            Data::Text(text) => Self::read_text(compile, text, node.place, kind),
            _ => {
                let what = format!("{} is no {}", node.describe(), kind.name());
                report_bad_date(compile, node.place, &what, kind, None);
                None
            }
        }
    }

    /// Reads the text of one.
    pub(super) fn read_text(
        compile: &mut CompileContext<'_, '_>,
        text: &str,
        place: Location,
        kind: TemporalKind,
    ) -> Option<Self> {
        let text = text.trim();
        if let Some(moment) = kind.read(text) {
            return Some(Self::Literal(moment));
        }
        if compile.field.names.find(text).is_some() {
            return compile.visible_sibling(text, place).map(Self::Field);
        }
        let Some(phrase) = RelativeTime::read(text) else {
            let known = RelativeTime::EXAMPLES.into_iter().chain(compile.field.names.all());
            let near = nearest(text, known).map(|near| format!("did you mean `{near}`?"));
            report_bad_date(compile, place, &format!("`{text}` is no {}", kind.name()), kind, near);
            return None;
        };
        if kind == TemporalKind::Time && !phrase.has_time_of_day() {
            let hint = Some("a day has every time of day".to_owned());
            report_bad_date(compile, place, &format!("`{text}` is no time of day"), kind, hint);
            return None;
        }
        // What goes out of the calendar is told now, not while serving.
        if phrase.at(Timestamp::UNIX_EPOCH, kind).is_none() {
            report_bad_date(
                compile,
                place,
                &format!("`{text}` is before all calendars"),
                kind,
                None,
            );
            return None;
        }
        Some(Self::Phrase(phrase))
    }
}

impl TemporalKind {
    /// The name in messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::Datetime => "datetime",
            Self::Time => "time",
        }
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
    place: Location,
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
    compile.reader.problems.add(ProblemCode::BadDate, place, what, expected, hint);
}
