//! A compiled contract.

use super::error::ContractError;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use registrar_core::value::Value;

use super::action::Action;
use super::authentication::Authentication;
use super::catalogue::Catalogue;
use super::decoding::{BodyError, Decoding};
use super::field_mapping::Casing;
use super::id_field::IdField;
use super::input_mapping::{FormSelector, InputMapping};
use super::mount::{ApiVersion, HostPattern};
use super::operation::Operation;
use super::outcome::Outcome;
use super::request_context::RequestContext;
use super::response::{RenderedResponse, ResponseTemplate};
use super::route::{self, Route, RouteMatch};
use super::scope;

/// A compiled contract.
#[derive(Debug)]
pub struct Contract {
    /// Name, unique among all contracts.
    pub name: Arc<str>,
    /// Description from the file.
    pub description: Option<Arc<str>>,
    /// How callers authenticate.
    pub authentication: Authentication,
    /// Path prefix under which the contract is served, such as `/garmat`; empty at the root, `None`
    /// if it is served by host only.
    pub mount: Option<Box<str>>,
    pub(crate) hosts: Vec<HostPattern>,
    pub(crate) api_version: Option<ApiVersion>,
    pub(crate) ids: Vec<IdField>,
    pub(crate) times: Option<Box<str>>,
    pub(crate) routes: Vec<Route>,
    pub(crate) decoding: Decoding,
    pub(crate) catalogue: Arc<Catalogue>,
    /// Whether errors are sent as RFC 9457 problem details to clients that accept
    /// `application/problem+json`.
    pub has_problems: bool,
    pub(crate) first_error_only: bool,
    pub(crate) order: Vec<ErrorPriority>,
    pub(crate) casing_out: Casing,
    pub(crate) responses: HashMap<Outcome, ResponseTemplate>,
    pub(crate) input: InputMapping,
    /// Whether it sees only users that were created by its own forms.
    pub(crate) has_own_users: bool,
    /// Hash of the contract and of everything it depends on.
    pub(crate) version: Arc<str>,
}

impl Contract {
    /// Finds the route of a request. `path` is the part after the mount.
    #[must_use]
    pub fn find(&self, method: &str, path: &str, query: &Value<'_>) -> RouteMatch<'_> {
        route::find(&self.routes, method, path, query)
    }

    /// Decodes a body. `label` is its content type in lower case, without parameters.
    ///
    /// # Errors
    /// Returns an error if the content type is not accepted or the body is malformed.
    pub fn decode<'b>(&self, label: Option<&str>, bytes: &'b [u8]) -> Result<Value<'b>, BodyError> {
        self.decoding.decode(label, bytes)
    }

    /// Whether it accepts `multipart/form-data`, which the server converts before decoding.
    #[must_use]
    pub fn reads_multipart(&self) -> bool {
        self.decoding.multipart
    }

    /// Whether `Content-Type` must be present, valid and consistent with the body.
    #[must_use]
    pub fn requires_content_type(&self) -> bool {
        self.decoding.is_strict
    }

    /// Whether violations are reported with the forms' own messages, in the client's language.
    #[must_use]
    pub fn is_localized(&self) -> bool {
        self.catalogue.is_of_forms
    }

    /// Returns the API's name for the JSON type of a value.
    #[must_use]
    pub fn type_of(&self, value: &Value<'_>) -> &str {
        self.catalogue.type_of(value)
    }

    /// Returns the contract's form, or `None` if it names none or the request selects it.
    #[must_use]
    pub fn form(&self) -> Option<&Arc<registrar_core::form::Form>> {
        match &self.input.form {
            FormSelector::One(form) => Some(form),
            _ => None,
        }
    }

    /// Whether a string has the format of a credential that this contract issues.
    #[must_use]
    pub fn is_issued_credential(&self, text: &str) -> bool {
        let made =
            self.routes.iter().filter_map(|route| route.action.issue_token.as_ref()?.code_format());
        made.into_iter().any(|format| {
            text.len() == format.length && text.chars().all(|c| format.alphabet.contains(c))
        })
    }

    /// Returns the names of the forms whose users the contract sees, sorted, or `None` if it sees
    /// all users.
    #[must_use]
    pub fn own_forms(&self) -> Option<Vec<String>> {
        if !self.has_own_users {
            return None;
        }
        let inputs = self.routes.iter().map(|route| &route.action.input).chain([&self.input]);
        let forms = inputs.filter_map(|input| match &input.form {
            FormSelector::One(form) => Some(form),
            _ => None,
        });
        let forms = forms.chain(self.authentication.new_caller.as_ref());
        let mut names: Vec<String> = forms.map(|form| form.name.to_string()).collect();
        names.sort_unstable();
        names.dedup();
        Some(names)
    }

    /// Whether the contract or one of its routes names this form. Forms selected by the request do
    /// not count.
    #[must_use]
    pub fn uses_form(&self, form: &str) -> bool {
        let inputs = self.routes.iter().map(|route| &route.action.input).chain([&self.input]);
        inputs
            .map(|input| &input.form)
            .any(|choice| matches!(choice, FormSelector::One(one) if *one.name == *form))
    }

    /// Returns the ids of a user or record by their names under `ids:`.
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

    /// Converts a user or record for an answer: formats its timestamps as the contract requires.
    #[must_use]
    pub fn representation(&self, mut shown: Value<'static>) -> Value<'static> {
        if let Some(format) = &self.times {
            format_times(&mut shown, format);
        }
        shown
    }

    /// Returns the answer for an outcome: the route's, else the contract's.
    pub(crate) fn response_template<'c>(
        &'c self,
        action: Option<&'c Action>,
        outcome: Outcome,
    ) -> Option<&'c ResponseTemplate> {
        let action_response = action.and_then(|action| action.responses.get(&outcome));
        action_response.or_else(|| self.responses.get(&outcome))
    }

    /// Whether the action or one of its answers reads the root variable `root`.
    #[must_use]
    pub fn reads(&self, action: &Action, root: &str) -> bool {
        action.roots_read.contains(&root)
    }

    /// Whether an unreadable query must be rejected because its values matter. With strict paging,
    /// [`Action::invalid_parameter`] rejects it instead.
    #[must_use]
    pub fn reads_query(&self, action: &Action) -> bool {
        let counts = action.operation == Operation::List || self.reads(action, "query");
        counts && !action.paging.is_strict
    }

    /// Whether the answer for an outcome reads the root variable `root`.
    #[must_use]
    pub fn shows(&self, action: &Action, outcome: Outcome, root: &str) -> bool {
        self.response_template(Some(action), outcome).is_some_and(|answer| answer.reads(root))
    }

    /// Returns the status of an outcome's answer, or `None` if the answer takes the status of the
    /// error.
    #[must_use]
    pub fn status(&self, action: Option<&Action>, outcome: Outcome) -> Option<u16> {
        self.response_template(action, outcome).and_then(|answer| answer.status)
    }

    /// Renders the answer for an outcome from its own values and those that all answers share.
    ///
    /// # Errors
    /// Returns the reason if there is no such answer or an expression fails. The reason never
    /// contains a value.
    pub fn answer<'c>(
        &'c self,
        (action, outcome): (Option<&'c Action>, Outcome),
        (status, reason): (u16, &str),
        request: &RequestContext,
        values: Vec<(&'static str, Value<'_>)>,
    ) -> Result<RenderedResponse<'c>, ContractError> {
        let Some(answer) = self.response_template(action, outcome) else {
            return Err(ContractError::MissingAnswer(outcome.name()));
        };
        let request_scope = scope::Scope::of(request);
        let shown = |name: &'static str, value: &dyn Fn() -> Value<'static>| {
            answer.reads(name).then(|| (name, value()))
        };
        let number = |text: String| Value::Number(Cow::Owned(text));
        let more = [
            shown("status", &|| number(status.to_string())),
            shown("reason", &|| Value::String(Cow::Owned(reason.to_owned()))),
            shown("elapsed", &|| number(format_seconds(request.elapsed))),
        ];
        let more = more.into_iter().flatten();
        let all = scope::object(values.into_iter().chain(more));
        answer.render(&request_scope.inside(scope::Frame::Object(all)))
    }

    /// Returns the root variable `malformed` for a body that cannot be decoded: `malformed.line`,
    /// `.column`, `.offset` and `.what`.
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

/// Formats `created_at` and `updated_at` of a user or record and of everything nested in it, except
/// in `properties`.
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

/// Formats seconds with six decimal places.
fn format_seconds(elapsed: f64) -> String {
    let elapsed = std::time::Duration::try_from_secs_f64(elapsed).unwrap_or_default();
    format!("{}.{:06}", elapsed.as_secs(), elapsed.subsec_micros())
}

/// Formats a timestamp with an `strftime` format. Returns `None` if the format is invalid.
pub(crate) fn format_time(format: &str, moment: Timestamp) -> Option<String> {
    strtime::format(format, &moment.to_zoned(TimeZone::UTC)).ok()
}

/// An entry of `order`: a field, with one code or with any.
#[derive(Debug)]
pub(crate) struct ErrorPriority {
    pub(crate) field: Box<str>,
    pub(crate) code: Option<Box<str>>,
}
