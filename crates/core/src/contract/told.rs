//! A submission to an API judged by its form, and what is wrong with it in the API's words.

use std::borrow::Cow;

use super::Contract;
use super::catalogue::{About, Texts};
use super::fields::{Mapped, put};
use crate::aggregate::NewUser;
use crate::submission::{Refusals, shortened};
use crate::surroundings::Surroundings;
use crate::value::Value;
use crate::violation::{Message, Params, Violation, Violations};

static UNKNOWN_FIELD: Message = Message::new("unknown_field", "is not a known field");

type Entries<'v> = Vec<(Cow<'v, str>, Value<'v>)>;

/// What is wrong with a submission, as an API tells it.
#[derive(Debug)]
pub struct Told {
    /// Texts by field: `{"email": ["…"], "tags": {"1": ["…"]}}`.
    pub errors: Value<'static>,
    /// The first of them: `{"field": …, "code": …, "text": …}`.
    pub first: Value<'static>,
    /// The same for the log, by the form's own paths.
    pub violations: Violations,
}

impl Contract {
    /// Judges what was sent.
    ///
    /// # Errors
    /// All that is wrong with it, or the first, as the contract says.
    pub fn judge(
        &self,
        sent: &Value<'_>,
        surroundings: &Surroundings,
    ) -> Result<NewUser, Box<Told>> {
        let (submitted, unknown) = self.submission(sent);
        match self.form.apply(submitted, surroundings) {
            Ok(user) if unknown.is_empty() => Ok(user),
            Ok(_) => Err(self.told(sent, Violations::default(), unknown)),
            Err(violations) => Err(self.told(sent, violations, unknown)),
        }
    }

    /// What the database's refusals are of what was sent and judged before.
    #[must_use]
    pub fn explain(
        &self,
        sent: &Value<'_>,
        surroundings: &Surroundings,
        refusals: &Refusals,
    ) -> Box<Told> {
        let (submitted, unknown) = self.submission(sent);
        let violations = self.form.explain(submitted, None, surroundings, refusals);
        self.told(sent, violations, unknown)
    }

    /// What is submitted to the form for what was sent, and the keys that nothing takes.
    fn submission<'s>(&self, sent: &'s Value<'_>) -> (Value<'s>, Vec<&'s str>) {
        let (mut submitted, mut unknown): (Entries<'s>, _) = (Vec::new(), Vec::new());
        let Value::Object(entries) = sent else { return (Value::Object(submitted), unknown) };
        for (key, value) in entries {
            let Some(mapped) = self.fields.iter().find(|field| self.is_named(field, key)) else {
                if self.refuses_unknown {
                    unknown.push(&**key);
                }
                continue;
            };
            if let Some(to) = &mapped.to {
                put(&mut submitted, &to.path, mapped.submitted(value.clone()));
            }
        }
        (Value::Object(submitted), unknown)
    }

    fn is_named(&self, field: &Mapped, key: &str) -> bool {
        self.decoding.casing.is(key, &field.name)
    }

    fn told(&self, sent: &Value<'_>, violations: Violations, unknown: Vec<&str>) -> Box<Told> {
        let mut errors: Entries<'static> = Vec::new();
        let mut first = Value::Null;
        let none = Texts::default();
        let of_unknown = unknown.into_iter().map(|key| Violation {
            path: shortened(key),
            pointer: String::new(),
            message: &UNKNOWN_FIELD,
            own_code: None,
            own_text: None,
            params: Params::new(),
        });
        let of_unknown: Vec<Violation> = of_unknown.collect();
        for violation in violations.list.iter().chain(&of_unknown) {
            let mapped = self
                .fields
                .iter()
                .filter_map(|field| Some((field, field.rest_of(&violation.path)?)))
                .min_by_key(|(_, rest)| rest.len());
            let (name, rest) = match mapped {
                Some((field, rest)) => (self.casing_out.told(&field.name), rest),
                None if violation.path == "base" => (Cow::Borrowed(&*self.catalogue.base), ""),
                None => (Cow::Borrowed(violation.path.as_str()), ""),
            };
            let to = mapped.and_then(|(field, _)| field.to.as_ref());
            let about = About {
                sent: mapped.and_then(|(field, rest)| self.sent_for(sent, field, rest)),
                field_type: to.and_then(|to| to.field_type),
                name: &name,
                is_secret: to.is_none_or(|to| to.is_secret),
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
            add(&mut errors, &name, rest, text);
            if self.tells_first {
                break;
            }
        }
        Box::new(Told { errors: Value::Object(errors), first, violations })
    }

    /// What was sent for a field, or within it.
    fn sent_for<'s>(
        &self,
        sent: &'s Value<'s>,
        field: &Mapped,
        rest: &str,
    ) -> Option<&'s Value<'s>> {
        let Value::Object(entries) = sent else { return None };
        // The last one counts, as it does in `submission`.
        let named = entries.iter().rev().find(|(key, _)| self.is_named(field, key));
        steps(rest).try_fold(&named?.1, |value, step| match value {
            Value::Array(items) => items.get(step.parse::<usize>().ok()?),
            other => other.get(step),
        })
    }
}

/// `[1].name` as `1` and `name`.
fn steps(rest: &str) -> impl Iterator<Item = &str> {
    rest.split(['.', '[', ']']).filter(|step| !step.is_empty())
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
