//! Error responses: violations of a submission under the API's field names and with its messages.

use std::borrow::Cow;

use super::Outcome;
use super::catalogue::{MessageArgs, MessageTemplates};
use super::field_mapping::FieldMapping;
use super::input::{ContractInput, Rejection};
use super::input_mapping::InputMapping;
use super::model::{Contract, ErrorPriority};
use registrar_core::value::Value;
use registrar_core::violation::{Violation, Violations};

type ErrorEntries<'v> = Vec<(Cow<'v, str>, Value<'v>)>;

/// Violations of a submission, in the form in which an API reports them.
#[derive(Debug)]
pub struct ErrorResponse {
    /// Messages by field: `{"email": ["…"], "tags": {"1": ["…"]}}`.
    pub errors: Value<'static>,
    /// The first violation: `{"field": …, "code": …, "text": …}`.
    pub first: Value<'static>,
    /// All violations in Registrar's native format, with the form's paths; empty unless an answer
    /// reads `details`.
    pub details: Value<'static>,
    /// Summary with the number of violations; empty unless an answer or problem details need it.
    pub summary: String,
    /// Language tag of the messages.
    pub language: String,
    /// The form's violations, for the log.
    pub violations: Violations,
}

impl Contract {
    /// Builds the rejection for the violations of the form and of the field mapping.
    pub(crate) fn rejection(
        &self,
        input: ContractInput<'_>,
        violations: Violations,
        mapping_violations: Vec<Violation>,
    ) -> Rejection {
        Rejection::Invalid(self.error_response(input, violations, mapping_violations))
    }

    fn error_response(
        &self,
        input: ContractInput<'_>,
        violations: Violations,
        mapping_violations: Vec<Violation>,
    ) -> Box<ErrorResponse> {
        let mut errors: ErrorEntries<'static> = Vec::new();
        let mut first = Value::Null;
        let shows = |root| {
            let shows = |outcome| self.shows(input.action, outcome, root);
            shows(Outcome::Invalid) || shows(Outcome::Taken)
        };
        let mut details = shows("details").then(Vec::new);
        let form = violations.form.as_deref().filter(|_| self.catalogue.is_of_forms);
        let none = MessageTemplates::default();
        let fields = input.action.input.fields.as_deref().unwrap_or_default();
        let sent = match self.catalogue.is_of_forms {
            true => &Value::Null,
            false => &self.merged_input(input).unwrap_or_default(),
        };
        let (must, unknown): (Vec<_>, Vec<_>) =
            mapping_violations.into_iter().partition(|violation| violation.custom_code.is_some());
        let is_new = |violation: &&Violation| {
            !violations
                .list
                .iter()
                .any(|other| other.path == violation.path && other.code() == violation.code())
        };
        let must = must.iter().filter(is_new);
        let mut all: Vec<&Violation> = must.chain(&violations.list).chain(&unknown).collect();
        let mapped = |violation: &Violation| {
            let found = fields.iter().filter_map(|field| {
                let rest = field.rest_of(&violation.path)?;
                Some((
                    field,
                    if field.each.is_some() && !field.is_list { "" } else { rest }.to_owned(),
                ))
            });
            found.min_by_key(|(_, rest)| rest.len())
        };
        if !self.order.is_empty() {
            all.sort_by_key(|violation| {
                let name = mapped(violation).map(|(field, _)| &*field.name);
                self.rank(name.unwrap_or(&violation.path), violation.code())
            });
        }
        for violation in all {
            let mapped = mapped(violation);
            let mapped = mapped.as_ref().map(|(field, rest)| (*field, rest.as_str()));
            let (name, rest) = match mapped {
                Some((field, rest)) => (self.casing_out.to_api(&field.name), rest),
                None if violation.path == "base" => (Cow::Borrowed(&*self.catalogue.base), ""),
                None => (Cow::Borrowed(violation.path.as_str()), ""),
            };
            let to = mapped.and_then(|(field, _)| field.to.as_ref());
            let about = MessageArgs {
                sent: match mapped {
                    Some((field, rest)) => self.value_for(sent, field, rest),
                    None if fields.is_empty() => value_at_path(sent, &violation.path),
                    None => None,
                },
                field_type: match mapped {
                    Some((field, rest)) if field.each.is_some() => Some(field.api_type(rest)),
                    _ => to.and_then(|to| to.field_type),
                },
                name: &name,
                is_secret: to.is_none_or(|to| to.is_secret),
                locale: input.locale,
                form,
            };
            let code = mapped.map_or(violation.code(), |(field, _)| field.code(violation.code()));
            let templates = mapped.map_or(&none, |(field, _)| &field.texts);
            let text = self.catalogue.text(code, violation, templates, &about);
            if errors.is_empty() {
                let entry = |name, text: &str| {
                    (Cow::Borrowed(name), Value::String(Cow::Owned(text.to_owned())))
                };
                let entries = [entry("field", &name), entry("code", code), entry("text", &text)];
                first = Value::Object(entries.into());
            }
            if let Some(details) = &mut details {
                details.push(violation.detail(input.locale, form, &text));
            }
            add(&mut errors, &name, rest, text);
            if self.first_error_only {
                break;
            }
        }
        let (errors, details) = (Value::Object(errors), Value::Array(details.unwrap_or_default()));
        let is_summed_up = self.has_problems || shows("summary");
        let summary = if is_summed_up { violations.summary(input.locale) } else { String::new() };
        let language = input.locale.tag().to_owned();
        Box::new(ErrorResponse { errors, first, details, summary, language, violations })
    }

    /// Returns the position of a violation in the contract's `order`; the end if it is not listed.
    fn rank(&self, name: &str, code: &str) -> usize {
        let is_it = |priority: &ErrorPriority| {
            *priority.field == *name && priority.code.as_deref().is_none_or(|known| known == code)
        };
        self.order.iter().position(is_it).unwrap_or(self.order.len())
    }

    /// Returns the submitted value of a field, or of the part of it at `rest`.
    fn value_for<'s>(
        &self,
        sent: &'s Value<'s>,
        field: &FieldMapping,
        rest: &str,
    ) -> Option<&'s Value<'s>> {
        let Value::Object(entries) = sent else { return None };
        if field.name.contains('.') {
            return value_at_path(value_at_path(sent, &field.name)?, rest);
        }
        // The last duplicate wins, as in `map_input`.
        let named = entries.iter().rev().find(|(key, _)| self.is_named(field, key));
        value_at_path(&named?.1, rest)
    }
}

impl InputMapping {
    /// Returns the submission as an object of fields. With `name_value`, that is one field, from a
    /// pair of name and value.
    pub(crate) fn name_value_input<'s>(&self, sent: &'s Value<'s>) -> Cow<'s, Value<'s>> {
        let Some((name, value)) = &self.name_value else { return Cow::Borrowed(sent) };
        let entry = match sent.get(name) {
            Some(Value::String(key) | Value::Number(key)) => {
                Some((key.clone(), sent.get(value).cloned().unwrap_or_default()))
            }
            _ => None,
        };
        Cow::Owned(Value::Object(entry.into_iter().collect()))
    }
}

/// Splits a path: `[1].name` into `1` and `name`.
fn steps(rest: &str) -> impl Iterator<Item = &str> {
    rest.split(['.', '[', ']']).filter(|step| !step.is_empty())
}

/// Returns the value at a path such as `emails.0.value` or `[1].name`.
pub(super) fn value_at_path<'v, 's>(value: &'s Value<'v>, path: &str) -> Option<&'s Value<'v>> {
    steps(path).try_fold(value, |value, step| match value {
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        other => other.get(step),
    })
}

/// Adds a message under a field name, nested under the segments of `rest` if it is for a part of
/// the value.
fn add(entries: &mut ErrorEntries<'static>, name: &str, rest: &str, text: String) {
    let at = entries.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
        entries.push((Cow::Owned(name.to_owned()), Value::Null));
        entries.len() - 1
    });
    let messages = &mut entries[at].1;
    let Some(step) = steps(rest).next() else {
        match messages {
            Value::Array(texts) => texts.push(Value::String(text.into())),
            _ => *messages = Value::Array(vec![Value::String(text.into())]),
        }
        return;
    };
    if *messages == Value::Null {
        *messages = Value::Object(Vec::new());
    }
    // Errors of the whole value hide those of its parts, as in Django REST framework.
    if let Value::Object(inner) = messages {
        let start = rest.find(step).unwrap_or_default() + step.len();
        add(inner, step, rest[start..].trim_start_matches(']'), text);
    }
}
