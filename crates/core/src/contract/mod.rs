//! Contracts: how somebody else's create-user API speaks, as a file. `contracts/garmat.yml` says
//! routes, authentication, decoding, names of fields, words for broken rules, and answers; the form
//! that it names decides.
//!
//! Everything is compiled when the file is read. What asks the database, and who asks, is the
//! server's.

mod answer;
mod authentication;
mod catalogue;
mod decoding;
mod fields;
mod id;
mod read;
mod route;
mod told;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

pub use answer::{Outcome, Rendered};
pub use authentication::{Credential, Scheme};
pub(crate) use catalogue::Catalogue;
pub use decoding::Undecoded;
pub(crate) use read::{Around, read};
pub use route::{Matched, Operation};
pub use told::Told;

use crate::config::{Place, ProblemCode, Problems};
use crate::form::Form;
use crate::value::Value;
use answer::{Answer, Values};
use decoding::Decoding;
use fields::{Casing, Mapped};
use id::IdFormat;
use route::Route;

/// A compiled contract.
#[derive(Debug)]
pub struct Contract {
    /// Its name.
    pub name: Arc<str>,
    /// What it is for, in its own words.
    pub description: Option<Arc<str>>,
    /// The form it runs.
    pub form: Arc<Form>,
    /// How callers say who they are, the usual way first. Empty: anybody may call.
    pub schemes: Vec<Scheme>,
    /// The path before its own paths, where it is reached by path: `/garmat`.
    pub mount: Option<Box<str>>,
    hosts: Vec<Host>,
    ids: Vec<(Box<str>, IdFormat)>,
    times: Option<Box<str>>,
    routes: Vec<Route>,
    decoding: Decoding,
    fields: Vec<Mapped>,
    refuses_unknown: bool,
    catalogue: Arc<Catalogue>,
    tells_first: bool,
    casing_out: Casing,
    answers: HashMap<Outcome, Answer>,
    /// Hash of everything that decides.
    version: Arc<str>,
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

/// The name under which ids in paths are known.
const ID: &str = "id";

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

    /// The contract that a host belongs to: the one that names it, before those that name what it
    /// is below. `host` is that of the request, with its port.
    #[must_use]
    pub fn of_host(&self, host: &str) -> Option<&Arc<Contract>> {
        if !self.has_hosts {
            return None;
        }
        let bare = host.rsplit_once(':').map_or(host, |(bare, _)| bare);
        let with = |fits: &dyn Fn(&Host) -> bool| {
            self.list.iter().find(|contract| contract.hosts.iter().any(fits))
        };
        let is_it =
            |name: &str| name.eq_ignore_ascii_case(if name.contains(':') { host } else { bare });
        with(&|known| matches!(known, Host::Exact(name) if is_it(name))).or_else(|| {
            with(&|known| match known {
                Host::Below(end) => {
                    let start = bare.len().checked_sub(end.len()).filter(|start| *start > 0);
                    start
                        .and_then(|start| bare.get(start..))
                        .is_some_and(|tail| tail.eq_ignore_ascii_case(end))
                }
                Host::Exact(_) => false,
            })
        })
    }

    /// The contract that is mounted where a path leads, and the path behind its mount.
    #[must_use]
    pub fn of_path<'p>(&self, path: &'p str) -> Option<(&Arc<Contract>, &'p str)> {
        let behind = |contract: &Contract| {
            let rest = path.strip_prefix(contract.mount.as_deref()?)?;
            rest.starts_with('/').then_some(rest)
        };
        let found = self.list.iter().filter_map(|contract| Some((contract, behind(contract)?)));
        found.min_by_key(|(_, rest)| rest.len())
    }
}

/// What is known of a request, for answers to it.
#[derive(Debug, Default, Clone)]
pub struct Asked {
    /// Its method.
    pub method: String,
    /// Its path, as the client wrote it.
    pub path: String,
    /// Where the contract is reached, without a slash at the end: `https://api.example.com`.
    pub base_url: String,
    /// Seconds since it came.
    pub elapsed: f64,
}

impl Contract {
    /// What a request is to it; `path` begins behind the mount.
    #[must_use]
    pub fn find<'r>(&self, method: &str, path: &'r str) -> Matched<'r> {
        route::find(&self.routes, method, path)
    }

    /// The user that an id in a path means; nothing where it can be nobody's.
    #[must_use]
    pub fn user_id(&self, text: &str) -> Option<i64> {
        self.ids.iter().find(|(name, _)| &**name == ID)?.1.read(&self.name, text)
    }

    /// Reads a body. The label is a media type in lower case, without parameters.
    ///
    /// # Errors
    /// Where it is not one that the contract reads, or is broken.
    pub fn decode<'b>(&self, label: Option<&str>, bytes: &'b [u8]) -> Result<Value<'b>, Undecoded> {
        self.decoding.decode(label, bytes)
    }

    /// What the API calls the type of a value.
    #[must_use]
    pub fn type_of(&self, value: &Value<'_>) -> &str {
        self.catalogue.type_of(value)
    }

    /// The values of an answer that shows a user: `user` and `ids`. `user` is as `GET` shows it.
    #[must_use]
    pub fn shown(&self, mut user: Value<'static>) -> Vec<(&'static str, Value<'static>)> {
        let number = match user.get("id") {
            Some(Value::Number(text)) => text.parse().unwrap_or_default(),
            _ => 0,
        };
        let uuid = user.get("uuid").and_then(Value::as_str).unwrap_or_default();
        let ids = self.ids.iter().map(|(name, format)| {
            (Cow::Owned(name.to_string()), format.show(&self.name, number, uuid))
        });
        let ids = Value::Object(ids.collect());
        if let (Some(format), Value::Object(entries)) = (&self.times, &mut user) {
            for (name, value) in entries {
                if (name == "created_at" || name == "updated_at")
                    && let Some(moment) = value.as_str().and_then(|text| text.parse().ok())
                    && let Some(text) = formatted(format, moment)
                {
                    *value = Value::String(Cow::Owned(text));
                }
            }
        }
        vec![("user", user), ("ids", ids)]
    }

    /// The status of an outcome; nothing where the answer takes that of the failure.
    #[must_use]
    pub fn status(&self, outcome: Outcome) -> Option<u16> {
        self.answers.get(&outcome).and_then(|answer| answer.status)
    }

    /// The answer of an outcome, filled in with its own values and those that every answer has.
    ///
    /// # Errors
    /// Where an expression cannot be worked out: why, never with a value.
    pub fn answer(
        &self,
        outcome: Outcome,
        (status, reason): (u16, &str),
        asked: &Asked,
        own: Vec<(&'static str, Value<'_>)>,
    ) -> Result<Rendered<'_>, String> {
        let Some(answer) = self.answers.get(&outcome) else {
            return Err(format!("the contract has no answer `{}`", outcome.name()));
        };
        fn text(text: &str) -> Value<'_> {
            Value::String(Cow::Borrowed(text))
        }
        let request = [("method", text(&asked.method)), ("path", text(&asked.path))];
        let request = request.map(|(name, value)| (Cow::Borrowed(name), value));
        let everywhere = [
            ("status", Value::Number(Cow::Owned(status.to_string()))),
            ("reason", text(reason)),
            ("request", Value::Object(request.into())),
            ("elapsed", Value::Number(Cow::Owned(format!("{:.6}", asked.elapsed)))),
            ("base_url", text(&asked.base_url)),
        ];
        let all = own.into_iter().chain(everywhere);
        let all = all.map(|(name, value)| (Cow::Borrowed(name), value));
        answer.render(&Values::new(Value::Object(all.collect())))
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
    if let Some(mount) = contract.mount.as_ref().filter(|mount| other.mount.as_ref() == Some(mount))
    {
        let what = format!("another contract is mounted at `{mount}`");
        note(ProblemCode::Contradiction, what, "each mount once");
    }
    for host in contract.hosts.iter().filter(|host| other.hosts.contains(host)) {
        let (Host::Exact(name) | Host::Below(name)) = host;
        let what = format!("another contract has the host `{name}`");
        note(ProblemCode::Contradiction, what, "each host once");
    }
}
