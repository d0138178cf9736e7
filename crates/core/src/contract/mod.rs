//! Contracts: how somebody else's create-user API speaks, as a file. `contracts/garmat.yml` says
//! routes, authentication, decoding, names of fields, words for broken rules, and answers; the form
//! that it names decides.
//!
//! Everything is compiled when the file is read. What asks the database, and who asks, is the
//! server's.

mod action;
mod authentication;
mod body_template;
mod catalogue;
mod decoding;
mod error_response;
mod expressions;
mod field_mapping;
mod id;
mod input;
mod input_mapping;
mod issue_token;
mod json_style;
mod loader;
mod lookup;
mod mount;
mod openapi;
mod openapi_request_body;
mod outcome;
mod paging;
mod request_context;
mod response;
mod route;
mod scope;
mod summary;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

pub use action::{Action, Operation};
pub(crate) use authentication::new_caller;
pub use authentication::{Authentication, Credential, Scheme};
pub(crate) use catalogue::Catalogue;
pub use decoding::BodyError;
pub use error_response::ErrorResponse;
pub use id::CodeFormat;
pub use input::{ContractInput, Rejection};
pub use input_mapping::InvalidParameter;
pub use issue_token::IssueToken;
pub(crate) use loader::{LoadContext, read};
pub use lookup::Lookup;
pub use mount::Contracts;
pub(crate) use mount::clash;
pub use outcome::Outcome;
pub use paging::{PageRequest, Paging};
pub use request_context::RequestContext;
pub use response::RenderedResponse;
pub use route::RouteMatch;
pub use summary::RouteSummary;

use crate::value::Value;
use decoding::Decoding;
use error_response::ErrorPriority;
use field_mapping::Casing;
use input_mapping::InputMapping;
use lookup::IdField;
use mount::{ApiVersion, HostPattern};
use response::ResponseTemplate;
use route::Route;

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
    hosts: Vec<HostPattern>,
    api_version: Option<ApiVersion>,
    ids: Vec<IdField>,
    times: Option<Box<str>>,
    routes: Vec<Route>,
    decoding: Decoding,
    catalogue: Arc<Catalogue>,
    /// Whether refusals are problems of RFC 9457 for who asks for those.
    pub has_problems: bool,
    first_error_only: bool,
    order: Vec<ErrorPriority>,
    casing_out: Casing,
    responses: HashMap<Outcome, ResponseTemplate>,
    input: InputMapping,
    /// Whether only users that its own forms made are there for it.
    has_own_users: bool,
    /// Hash of everything that decides.
    version: Arc<str>,
}

impl Contract {
    /// What a request is to it; `path` begins behind the mount.
    #[must_use]
    pub fn find(&self, method: &str, path: &str, query: &Value<'_>) -> RouteMatch<'_> {
        route::find(&self.routes, method, path, query)
    }

    /// Reads a body. The label is a media type in lower case, without parameters.
    ///
    /// # Errors
    /// Where it is not one that the contract reads, or is broken.
    pub fn decode<'b>(&self, label: Option<&str>, bytes: &'b [u8]) -> Result<Value<'b>, BodyError> {
        self.decoding.decode(label, bytes)
    }

    /// Whether it reads bodies of `multipart/form-data`, which are for the server to take apart.
    #[must_use]
    pub fn reads_multipart(&self) -> bool {
        self.decoding.multipart
    }

    /// Whether the labels of bodies must be whole and right.
    #[must_use]
    pub fn requires_content_type(&self) -> bool {
        self.decoding.is_strict
    }

    /// Whether broken rules are told in the forms' own words, in the client's language.
    #[must_use]
    pub fn is_localized(&self) -> bool {
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
        match &self.input.form {
            input_mapping::FormSelector::One(form) => Some(form),
            _ => None,
        }
    }

    /// Whether a text is spelled as the credentials are that it makes itself.
    #[must_use]
    pub fn is_issued_credential(&self, text: &str) -> bool {
        let made =
            self.routes.iter().filter_map(|route| route.action.issue_token.as_ref()?.code_format());
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
        let taken = self.routes.iter().map(|route| &route.action.input).chain([&self.input]);
        let own = taken.filter_map(|taken| match &taken.form {
            input_mapping::FormSelector::One(form) => Some(form),
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
    pub fn uses_form(&self, form: &str) -> bool {
        let taken = self.routes.iter().map(|route| &route.action.input).chain([&self.input]);
        taken.map(|taken| &taken.form).any(
            |choice| matches!(choice, input_mapping::FormSelector::One(one) if *one.name == *form),
        )
    }

    /// The ids of a user or record, by the names under `ids:`.
    #[must_use]
    pub fn id_values(&self, shown: &Value<'_>, is_user: bool) -> Value<'static> {
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
    pub fn representation(&self, mut shown: Value<'static>) -> Value<'static> {
        if let Some(format) = &self.times {
            format_times(&mut shown, format);
        }
        shown
    }

    fn response_template<'c>(
        &'c self,
        action: Option<&'c Action>,
        outcome: Outcome,
    ) -> Option<&'c ResponseTemplate> {
        let own = action.and_then(|action| action.responses.get(&outcome));
        own.or_else(|| self.responses.get(&outcome))
    }

    /// Whether an answer, or what is done before it, reads a value of this name.
    #[must_use]
    pub fn reads(&self, action: &Action, root: &str) -> bool {
        action.roots_read.contains(&root)
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
        self.response_template(Some(action), outcome).is_some_and(|answer| answer.reads(root))
    }

    /// The status of an outcome; nothing where the answer takes that of the failure.
    #[must_use]
    pub fn status(&self, action: Option<&Action>, outcome: Outcome) -> Option<u16> {
        self.response_template(action, outcome).and_then(|answer| answer.status)
    }

    /// The answer of an outcome, filled in with its own values and those that every answer has.
    ///
    /// # Errors
    /// Where an expression cannot be worked out: why, never with a value.
    pub fn answer<'c>(
        &'c self,
        (action, outcome): (Option<&'c Action>, Outcome),
        (status, reason): (u16, &str),
        asked: &RequestContext,
        own: Vec<(&'static str, Value<'_>)>,
    ) -> Result<RenderedResponse<'c>, String> {
        let Some(answer) = self.response_template(action, outcome) else {
            return Err(format!("the contract has no answer `{}`", outcome.name()));
        };
        let around = scope::Scope::of(asked);
        let shown = |name: &'static str, value: &dyn Fn() -> Value<'static>| {
            answer.reads(name).then(|| (name, value()))
        };
        let number = |text: String| Value::Number(Cow::Owned(text));
        let more = [
            shown("status", &|| number(status.to_string())),
            shown("reason", &|| Value::String(Cow::Owned(reason.to_owned()))),
            shown("elapsed", &|| number(format_seconds(asked.elapsed))),
        ];
        let more = more.into_iter().flatten();
        let all = scope::object(own.into_iter().chain(more));
        answer.render(&around.inside(scope::Frame::Object(all)))
    }

    /// The value that says so of a body that cannot be read: `malformed.line`, `.column`,
    /// `.offset` and `.what`.
    #[must_use]
    pub fn malformed_details(
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
fn format_times(shown: &mut Value<'static>, format: &str) {
    match shown {
        Value::Array(items) => items.iter_mut().for_each(|item| format_times(item, format)),
        Value::Object(entries) => {
            for (name, value) in entries {
                let is_time = name == "created_at" || name == "updated_at";
                match value.as_str().and_then(|text| text.parse().ok()) {
                    Some(moment) if is_time => {
                        if let Some(text) = format_time(format, moment) {
                            *value = Value::String(Cow::Owned(text));
                        }
                    }
                    _ if name == "properties" => {}
                    _ => format_times(value, format),
                }
            }
        }
        _ => {}
    }
}

/// Seconds with six digits behind the point.
fn format_seconds(elapsed: f64) -> String {
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
pub(crate) fn format_id(number: &minijinja::Value, format: &str, salt: &str) -> minijinja::Value {
    let spelled = number
        .as_i64()
        .and_then(|number| Some(id::IdFormat::parse(format)?.show(salt, number, "")));
    spelled.map_or(minijinja::Value::UNDEFINED, |id| crate::expression::to_dynamic(&id))
}

/// A moment in a format of `strftime`; nothing where the format is none.
fn format_time(format: &str, moment: Timestamp) -> Option<String> {
    strtime::format(format, &moment.to_zoned(TimeZone::UTC)).ok()
}
