//! A submission to an API judged by its form, and what is wrong with it in the API's words.

use std::borrow::Cow;

use super::catalogue::{MessageArgs, MessageTemplates};
use super::field_mapping::FieldMapping;
use super::input::{ContractInput, Rejection};
use super::input_mapping::InputMapping;
use super::{Contract, Outcome};
use crate::value::Value;
use crate::violation::{Violation, Violations};

type Entries<'v> = Vec<(Cow<'v, str>, Value<'v>)>;

/// What is wrong with a submission, as an API tells it.
#[derive(Debug)]
pub struct ErrorResponse {
    /// Texts by field: `{"email": ["…"], "tags": {"1": ["…"]}}`.
    pub errors: Value<'static>,
    /// The first of them: `{"field": …, "code": …, "text": …}`.
    pub first: Value<'static>,
    /// Each of them as Registrar itself tells it, by the form's own paths; where an answer shows
    /// them.
    pub details: Value<'static>,
    /// How many rules are broken, in words.
    pub summary: String,
    /// The language of the texts.
    pub language: String,
    /// The same for the log, by the form's own paths.
    pub violations: Violations,
}

impl Contract {
    pub(crate) fn refused(
        &self,
        of: ContractInput<'_>,
        violations: Violations,
        own: Vec<Violation>,
    ) -> Rejection {
        Rejection::Invalid(self.error_response(of, violations, own))
    }

    fn error_response(
        &self,
        of: ContractInput<'_>,
        violations: Violations,
        own: Vec<Violation>,
    ) -> Box<ErrorResponse> {
        let mut errors: Entries<'static> = Vec::new();
        let mut first = Value::Null;
        let shows = |root| {
            let shows = |outcome| self.shows(of.action, outcome, root);
            shows(Outcome::Invalid) || shows(Outcome::Taken)
        };
        let mut details = shows("details").then(Vec::new);
        let form = violations.form.as_deref().filter(|_| self.catalogue.is_of_forms);
        let none = MessageTemplates::default();
        let fields = of.action.input.fields.as_deref().unwrap_or_default();
        let sent = match self.catalogue.is_of_forms {
            true => &Value::Null,
            false => &self.merged_input(of).unwrap_or_default(),
        };
        let (must, unknown): (Vec<_>, Vec<_>) =
            own.into_iter().partition(|violation| violation.custom_code.is_some());
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
                locale: of.locale,
                form,
            };
            let code = mapped.map_or(violation.code(), |(field, _)| field.code(violation.code()));
            let own = mapped.map_or(&none, |(field, _)| &field.texts);
            let text = self.catalogue.text(code, violation, own, &about);
            if errors.is_empty() {
                let entry = |name, text: &str| {
                    (Cow::Borrowed(name), Value::String(Cow::Owned(text.to_owned())))
                };
                let entries = [entry("field", &name), entry("code", code), entry("text", &text)];
                first = Value::Object(entries.into());
            }
            if let Some(details) = &mut details {
                details.push(violation.detail(of.locale, form, &text));
            }
            add(&mut errors, &name, rest, text);
            if self.first_error_only {
                break;
            }
        }
        let (errors, details) = (Value::Object(errors), Value::Array(details.unwrap_or_default()));
        let is_summed_up = self.has_problems || shows("summary");
        let summary = if is_summed_up { violations.summary(of.locale) } else { String::new() };
        let language = of.locale.tag().to_owned();
        Box::new(ErrorResponse { errors, first, details, summary, language, violations })
    }

    /// Where what is wrong with a field stands in the order of the contract.
    fn rank(&self, name: &str, code: &str) -> usize {
        let is_it = |told: &ErrorPriority| {
            *told.field == *name && told.code.as_deref().is_none_or(|known| known == code)
        };
        self.order.iter().position(is_it).unwrap_or(self.order.len())
    }

    /// What was sent for a field, or within it.
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
        // The last one counts, as it does in `submission`.
        let named = entries.iter().rev().find(|(key, _)| self.is_named(field, key));
        value_at_path(&named?.1, rest)
    }
}

/// A place in the order in which what is wrong is told: a field, for one code or for all.
#[derive(Debug)]
pub(crate) struct ErrorPriority {
    pub(crate) field: Box<str>,
    pub(crate) code: Option<Box<str>>,
}

impl InputMapping {
    /// What was sent, as an object of fields: where it is a name and a value, of that one.
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

/// `[1].name` as `1` and `name`.
fn steps(rest: &str) -> impl Iterator<Item = &str> {
    rest.split(['.', '[', ']']).filter(|step| !step.is_empty())
}

/// What is where a path leads: `emails.0.value`, `[1].name`.
pub(super) fn value_at_path<'v, 's>(value: &'s Value<'v>, path: &str) -> Option<&'s Value<'v>> {
    steps(path).try_fold(value, |value, step| match value {
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        other => other.get(step),
    })
}

/// Adds a text under a name; within a value, under the steps that lead to it.
fn add(entries: &mut Entries<'static>, name: &str, rest: &str, text: String) {
    let at = entries.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
        entries.push((Cow::Owned(name.to_owned()), Value::Null));
        entries.len() - 1
    });
    let told = &mut entries[at].1;
    let Some(step) = steps(rest).next() else {
        match told {
            Value::Array(texts) => texts.push(Value::String(text.into())),
            _ => *told = Value::Array(vec![Value::String(text.into())]),
        }
        return;
    };
    if *told == Value::Null {
        *told = Value::Object(Vec::new());
    }
    // What is wrong with the whole hides what is wrong inside, as in Django REST framework.
    if let Value::Object(inner) = told {
        let start = rest.find(step).unwrap_or_default() + step.len();
        add(inner, step, rest[start..].trim_start_matches(']'), text);
    }
}
