//! Contracts: how somebody else's create-user API speaks, as a file. `contracts/garmat.yml` says
//! routes, authentication, decoding, names of fields, words for broken rules, and answers; the form
//! that it names decides.
//!
//! Everything is compiled when the file is read. What asks the database, and who asks, is the
//! server's.

mod action;
mod answer;
mod asked;
mod authentication;
mod catalogue;
mod decoding;
mod described;
mod described_body;
mod expressions;
mod fields;
mod id;
mod mint;
mod outcome;
mod overview;
mod paging;
mod pieces;
mod reach;
mod read;
mod route;
mod sought;
mod style;
mod submit;
mod taken;
mod told;
mod values;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

pub use action::{Action, Operation};
pub use answer::Rendered;
pub use asked::Asked;
pub(crate) use authentication::new_caller;
pub use authentication::{Authentication, Credential, Scheme};
pub(crate) use catalogue::Catalogue;
pub use decoding::Undecoded;
pub use id::Letters;
pub use mint::Mint;
pub use outcome::Outcome;
pub use overview::RouteSummary;
pub use paging::{PageAsked, Paging};
pub use reach::Contracts;
pub(crate) use reach::clash;
pub(crate) use read::{Around, read};
pub use route::Matched;
pub use sought::Sought;
pub use submit::{NotTaken, Submission};
pub use taken::WrongParameter;
pub use told::Told;

use crate::value::Value;
use answer::Answer;
use decoding::Decoding;
use fields::Casing;
use reach::{Host, Version};
use route::Route;
use sought::Id;
use taken::Taken;
use told::Rank;

/// A compiled contract.
#[derive(Debug)]
pub struct Contract {
    /// Its name.
    pub name: Arc<str>,
    /// What it is for, in its own words.
    pub description: Option<Arc<str>>,
    /// How callers say who they are.
    pub authentication: Authentication,
    /// The path before its own paths, where it is reached by path: `/garmat`; empty at the root.
    pub mount: Option<Box<str>>,
    hosts: Vec<Host>,
    api_version: Option<Version>,
    ids: Vec<Id>,
    times: Option<Box<str>>,
    routes: Vec<Route>,
    decoding: Decoding,
    catalogue: Arc<Catalogue>,
    /// Whether refusals are problems of RFC 9457 for who asks for those.
    pub has_problems: bool,
    tells_first: bool,
    order: Vec<Rank>,
    casing_out: Casing,
    answers: HashMap<Outcome, Answer>,
    taken: Taken,
    /// Whether only users that its own forms made are there for it.
    has_own_users: bool,
    /// Hash of everything that decides.
    version: Arc<str>,
}

impl Contract {
    /// What a request is to it; `path` begins behind the mount.
    #[must_use]
    pub fn find(&self, method: &str, path: &str, query: &Value<'_>) -> Matched<'_> {
        route::find(&self.routes, method, path, query)
    }

    /// Reads a body. The label is a media type in lower case, without parameters.
    ///
    /// # Errors
    /// Where it is not one that the contract reads, or is broken.
    pub fn decode<'b>(&self, label: Option<&str>, bytes: &'b [u8]) -> Result<Value<'b>, Undecoded> {
        self.decoding.decode(label, bytes)
    }

    /// Whether it reads bodies of `multipart/form-data`, which are for the server to take apart.
    #[must_use]
    pub fn reads_multipart(&self) -> bool {
        self.decoding.multipart
    }

    /// Whether the labels of bodies must be whole and right.
    #[must_use]
    pub fn is_strict_with_labels(&self) -> bool {
        self.decoding.is_strict
    }

    /// Whether broken rules are told in the forms' own words, in the client's language.
    #[must_use]
    pub fn has_languages(&self) -> bool {
        self.catalogue.is_of_forms
    }

    /// What the API calls the type of a value.
    #[must_use]
    pub fn type_of(&self, value: &Value<'_>) -> &str {
        self.catalogue.type_of(value)
    }

    /// The form that the contract itself runs.
    #[must_use]
    pub fn form(&self) -> Option<&Arc<crate::form::Form>> {
        match &self.taken.form {
            taken::FormChoice::One(form) => Some(form),
            _ => None,
        }
    }

    /// Whether a text is spelled as the credentials are that it makes itself.
    #[must_use]
    pub fn mints(&self, text: &str) -> bool {
        let made = self.routes.iter().filter_map(|route| route.action.mint.as_ref()?.letters());
        made.into_iter().any(|letters| {
            text.len() == letters.length && text.chars().all(|c| letters.alphabet.contains(c))
        })
    }

    /// The forms whose users are there for it; nothing where all are.
    #[must_use]
    pub fn own_forms(&self) -> Option<Vec<String>> {
        if !self.has_own_users {
            return None;
        }
        let taken = self.routes.iter().map(|route| &route.action.taken).chain([&self.taken]);
        let own = taken.filter_map(|taken| match &taken.form {
            taken::FormChoice::One(form) => Some(form),
            _ => None,
        });
        let own = own.chain(self.authentication.new_caller.as_ref());
        let mut names: Vec<String> = own.map(|form| form.name.to_string()).collect();
        names.sort_unstable();
        names.dedup();
        Some(names)
    }

    /// Whether one of its routes runs the form of this name, and says so itself.
    #[must_use]
    pub fn runs(&self, form: &str) -> bool {
        let taken = self.routes.iter().map(|route| &route.action.taken).chain([&self.taken]);
        taken
            .map(|taken| &taken.form)
            .any(|choice| matches!(choice, taken::FormChoice::One(one) if *one.name == *form))
    }

    /// The ids of a user or record, by the names under `ids:`.
    #[must_use]
    pub fn ids_of(&self, shown: &Value<'_>, is_user: bool) -> Value<'static> {
        let number = match shown.get("id") {
            Some(Value::Number(text)) => text.parse().unwrap_or_default(),
            _ => 0,
        };
        let ids = self.ids.iter().filter(|id| !is_user || id.is_of_users);
        let ids = ids.map(|id| (Cow::Owned(id.name.to_string()), id.show(number, shown)));
        Value::Object(ids.collect())
    }

    /// A user or record as answers show it: with its times in the contract's format.
    #[must_use]
    pub fn shown(&self, mut shown: Value<'static>) -> Value<'static> {
        if let Some(format) = &self.times {
            with_times(&mut shown, format);
        }
        shown
    }

    fn answer_of<'c>(&'c self, action: Option<&'c Action>, outcome: Outcome) -> Option<&'c Answer> {
        let own = action.and_then(|action| action.answers.get(&outcome));
        own.or_else(|| self.answers.get(&outcome))
    }

    /// Whether an answer, or what is done before it, reads a value of this name.
    #[must_use]
    pub fn reads(&self, action: &Action, root: &str) -> bool {
        action.known.contains(&root)
    }

    /// Whether a query that cannot be read must be refused: it would have said something. Where pages
    /// are strict, they refuse it in their own words.
    #[must_use]
    pub fn reads_query(&self, action: &Action) -> bool {
        let counts = action.operation == Operation::List || self.reads(action, "query");
        counts && !action.paging.is_strict
    }

    /// Whether the answer of an outcome shows a value of this name.
    #[must_use]
    pub fn shows(&self, action: &Action, outcome: Outcome, root: &str) -> bool {
        self.answer_of(Some(action), outcome).is_some_and(|answer| answer.reads(root))
    }

    /// The status of an outcome; nothing where the answer takes that of the failure.
    #[must_use]
    pub fn status(&self, action: Option<&Action>, outcome: Outcome) -> Option<u16> {
        self.answer_of(action, outcome).and_then(|answer| answer.status)
    }

    /// The answer of an outcome, filled in with its own values and those that every answer has.
    ///
    /// # Errors
    /// Where an expression cannot be worked out: why, never with a value.
    pub fn answer<'c>(
        &'c self,
        (action, outcome): (Option<&'c Action>, Outcome),
        (status, reason): (u16, &str),
        asked: &Asked,
        own: Vec<(&'static str, Value<'_>)>,
    ) -> Result<Rendered<'c>, String> {
        let Some(answer) = self.answer_of(action, outcome) else {
            return Err(format!("the contract has no answer `{}`", outcome.name()));
        };
        let around = values::Values::of(asked);
        let shown = |name: &'static str, value: &dyn Fn() -> Value<'static>| {
            answer.reads(name).then(|| (name, value()))
        };
        let number = |text: String| Value::Number(Cow::Owned(text));
        let more = [
            shown("status", &|| number(status.to_string())),
            shown("reason", &|| Value::String(Cow::Owned(reason.to_owned()))),
            shown("elapsed", &|| number(seconds(asked.elapsed))),
        ];
        let more = more.into_iter().flatten();
        let all = values::object(own.into_iter().chain(more));
        answer.render(&around.inside(values::Own::Object(all)))
    }

    /// The value that says so of a body that cannot be read: `malformed.line`, `.column`,
    /// `.offset` and `.what`.
    #[must_use]
    pub fn malformed(
        error: &crate::decode::DecodeError,
        bytes: &[u8],
    ) -> (&'static str, Value<'static>) {
        let (line, column) = (error.line.unwrap_or(1), error.column.unwrap_or(1));
        let before: usize = bytes
            .split_inclusive(|byte| *byte == b'\n')
            .take(line.saturating_sub(1))
            .map(<[u8]>::len)
            .sum();
        let number = |number: usize| Value::Number(Cow::Owned(number.to_string()));
        let entries = [
            ("line", number(line)),
            ("column", number(column)),
            ("offset", number(before + column.saturating_sub(1))),
            ("what", Value::String(Cow::Owned(error.to_string()))),
        ];
        let entries = entries.map(|(name, value)| (Cow::Borrowed(name), value));
        ("malformed", Value::Object(entries.into()))
    }
}

/// Writes the times of a user or record, and of what is nested in it, in a format.
fn with_times(shown: &mut Value<'static>, format: &str) {
    match shown {
        Value::Array(items) => items.iter_mut().for_each(|item| with_times(item, format)),
        Value::Object(entries) => {
            for (name, value) in entries {
                let is_time = name == "created_at" || name == "updated_at";
                match value.as_str().and_then(|text| text.parse().ok()) {
                    Some(moment) if is_time => {
                        if let Some(text) = formatted(format, moment) {
                            *value = Value::String(Cow::Owned(text));
                        }
                    }
                    _ if name == "properties" => {}
                    _ => with_times(value, format),
                }
            }
        }
        _ => {}
    }
}

/// Seconds with six digits behind the point.
fn seconds(elapsed: f64) -> String {
    let elapsed = std::time::Duration::try_from_secs_f64(elapsed).unwrap_or_default();
    format!("{}.{:06}", elapsed.as_secs(), elapsed.subsec_micros())
}

/// The filter `sha256`: the digest of a text in hexadecimal digits.
pub(crate) fn sha256(text: &str) -> String {
    use sha2::{Digest, Sha256};
    data_encoding::HEXLOWER.encode(&Sha256::digest(text.as_bytes()))
}

/// The filter `id`: the number of a user or record as an API spells it. What is no number, or no
/// format, is nothing.
pub(crate) fn spelled_id(number: &minijinja::Value, format: &str, salt: &str) -> minijinja::Value {
    let spelled = number
        .as_i64()
        .and_then(|number| Some(id::IdFormat::parse(format)?.show(salt, number, "")));
    spelled.map_or(minijinja::Value::UNDEFINED, |id| crate::expression::to_dynamic(&id))
}

/// A moment in a format of `strftime`; nothing where the format is none.
fn formatted(format: &str, moment: Timestamp) -> Option<String> {
    strtime::format(format, &moment.to_zoned(TimeZone::UTC)).ok()
}
