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
mod expressions;
mod fields;
mod id;
mod outcome;
mod paging;
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

pub use action::{Action, Mint, Operation};
pub use answer::Rendered;
pub use asked::Asked;
pub use authentication::{Authentication, Credential, Scheme};
pub(crate) use catalogue::Catalogue;
pub use decoding::Undecoded;
pub use id::Letters;
pub use outcome::Outcome;
pub use paging::{PageAsked, Paging};
pub(crate) use read::{Around, read};
pub use route::Matched;
pub use sought::Sought;
pub use submit::{NotTaken, Submission};
pub use taken::WrongParameter;
pub use told::Told;

use crate::config::{Place, ProblemCode, Problems};
use crate::value::Value;
use answer::Answer;
use decoding::Decoding;
use fields::Casing;
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

/// Which of several versions of an API a contract is, by a parameter of `Accept`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version {
    parameter: Box<str>,
    is: Box<str>,
    is_default: bool,
}

/// A host that belongs to a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    /// This one; with its port, where the contract says one.
    Exact(Box<str>),
    /// Any below it: `.user.com`.
    Below(Box<str>),
}

/// All contracts of a configuration.
#[derive(Debug, Default)]
pub struct Contracts {
    list: Vec<Arc<Contract>>,
    has_hosts: bool,
}

impl Contracts {
    pub(crate) fn new(list: Vec<Arc<Contract>>) -> Self {
        let has_hosts = list.iter().any(|contract| !contract.hosts.is_empty());
        Self { list, has_hosts }
    }

    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        let versions = |of: &Self| -> Vec<Arc<str>> {
            of.list.iter().map(|contract| contract.version.clone()).collect()
        };
        versions(self) == versions(other)
    }

    /// All of them, by name.
    #[must_use]
    pub fn list(&self) -> &[Arc<Contract>] {
        &self.list
    }

    /// The contract of a name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Arc<Contract>> {
        self.list.iter().find(|contract| &*contract.name == name)
    }

    /// The contracts that a host belongs to: those that name it, before those that name what it
    /// is below. `host` is that of the request, with its port.
    #[must_use]
    pub fn of_host(&self, host: &str) -> Vec<&Arc<Contract>> {
        if !self.has_hosts {
            return Vec::new();
        }
        let bare = host.rsplit_once(':').map_or(host, |(bare, _)| bare);
        let with = |fits: &dyn Fn(&Host) -> bool| -> Vec<&Arc<Contract>> {
            self.list.iter().filter(|contract| contract.hosts.iter().any(fits)).collect()
        };
        let is_it =
            |name: &str| name.eq_ignore_ascii_case(if name.contains(':') { host } else { bare });
        let exact = with(&|known| matches!(known, Host::Exact(name) if is_it(name)));
        if !exact.is_empty() {
            return exact;
        }
        with(&|known| match known {
            Host::Below(end) => {
                let start = bare.len().checked_sub(end.len()).filter(|start| *start > 0);
                start
                    .and_then(|start| bare.get(start..))
                    .is_some_and(|tail| tail.eq_ignore_ascii_case(end))
            }
            Host::Exact(_) => false,
        })
    }

    /// The contracts that are mounted where a path leads, and the path behind their mount.
    #[must_use]
    pub fn of_path<'p>(&self, path: &'p str) -> (Vec<&Arc<Contract>>, &'p str) {
        let behind = |contract: &Contract| {
            let rest = path.strip_prefix(contract.mount.as_deref()?)?;
            rest.starts_with('/').then_some(rest)
        };
        let found = self.list.iter().filter_map(|contract| Some((contract, behind(contract)?)));
        let mut found: Vec<_> = found.collect();
        let shortest = found.iter().map(|(_, rest)| rest.len()).min().unwrap_or_default();
        found.retain(|(_, rest)| rest.len() == shortest);
        let rest = found.first().map_or("", |(_, rest)| rest);
        (found.into_iter().map(|(contract, _)| contract).collect(), rest)
    }

    /// The one of several versions that an `Accept` asks for; where it asks for one that there is
    /// not, the usual one and `false`.
    #[must_use]
    pub fn accepted<'c>(
        of: &[&'c Arc<Contract>],
        accept: Option<&str>,
    ) -> Option<(&'c Arc<Contract>, bool)> {
        let usual = of.iter().find(|contract| {
            contract.api_version.as_ref().is_none_or(|version| version.is_default)
        });
        let usual = usual.or(of.first()).copied()?;
        let asked = usual.api_version.as_ref().zip(accept).and_then(|(version, accept)| {
            let mut parameters = accept.split([';', ',']).filter_map(|part| part.split_once('='));
            let is_it = |name: &str| name.trim().eq_ignore_ascii_case(&version.parameter);
            parameters.find(|(name, _)| is_it(name)).map(|(_, said)| said.trim().trim_matches('"'))
        });
        let Some(asked) = asked else { return Some((usual, true)) };
        let is_asked = |contract: &&&Arc<Contract>| {
            contract.api_version.as_ref().is_some_and(|version| *version.is == *asked)
        };
        Some(of.iter().find(is_asked).map_or((usual, false), |found| (*found, true)))
    }
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
        let status = Value::Number(Cow::Owned(status.to_string()));
        let reason = Value::String(Cow::Borrowed(reason));
        let elapsed = answer.reads("elapsed");
        let elapsed = elapsed.then(|| Value::Number(Cow::Owned(format!("{:.6}", asked.elapsed))));
        let more = [("status", Some(status)), ("reason", Some(reason)), ("elapsed", elapsed)];
        let more = more.into_iter().filter_map(|(name, value)| Some((name, value?)));
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

/// Notes where two contracts cannot be told apart.
pub(crate) fn clash(
    contract: &Contract,
    place: Place,
    other: &Contract,
    file: &str,
    problems: &mut Problems,
) {
    let mut note = |code, what: String, expected: &str| {
        problems.add(code, place, what, expected, Some(format!("the other one is {file}")));
    };
    if contract.name == other.name {
        let what = format!("there is another contract `{}`", contract.name);
        note(ProblemCode::DuplicateName, what, "each name once");
    }
    let are_versions = match (&contract.api_version, &other.api_version) {
        (Some(one), Some(other)) => one.parameter == other.parameter && one.is != other.is,
        _ => false,
    };
    let same_mount = contract.mount.as_ref().filter(|mount| other.mount.as_ref() == Some(mount));
    if let Some(mount) = same_mount.filter(|_| !are_versions) {
        let what = format!("another contract is mounted at `{mount}`");
        note(ProblemCode::Contradiction, what, "each mount once");
    }
    for host in contract.hosts.iter().filter(|host| other.hosts.contains(host) && !are_versions) {
        let (Host::Exact(name) | Host::Below(name)) = host;
        let what = format!("another contract has the host `{name}`");
        note(ProblemCode::Contradiction, what, "each host once");
    }
}
