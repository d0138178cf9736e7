//! A submission to an API judged by its form, and what is wrong with it in the API's words.

use std::borrow::Cow;

use super::action::Action;
use super::catalogue::{About, Texts};
use super::fields::{Mapped, put};
use super::sought::Sought;
use super::taken::Taken;
use super::values::Values;
use super::{Asked, Contract};
use crate::aggregate::{Claim, NewUser, Reference};
use crate::changes::ChangedUser;
use crate::form::Form;
use crate::submission::{Refusals, shortened};
use crate::surroundings::Surroundings;
use crate::value::Value;
use crate::violation::{Message, Params, Violation, Violations};

static UNKNOWN_FIELD: Message = Message::new("unknown_field", "is not a known field");
static BLANK: Message = Message::new("blank", "can't be blank");

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

/// A submission to an API: which form takes it, what was sent, and what else is known.
#[derive(Debug, Clone, Copy)]
pub struct Submission<'s> {
    /// What the route does.
    pub action: &'s Action,
    /// The form that takes it.
    pub form: &'s Form,
    /// What was sent.
    pub sent: &'s Value<'s>,
    /// What expressions are worked out over.
    pub asked: &'s Asked,
    /// When, and by whom.
    pub surroundings: &'s Surroundings,
}

/// Why a submission is not taken.
#[derive(Debug)]
pub enum NotTaken {
    /// Rules are broken.
    Invalid(Box<Told>),
    /// An expression of the contract cannot be worked out: why, never with a value.
    Failed(String),
}

impl From<String> for NotTaken {
    fn from(cause: String) -> Self {
        Self::Failed(cause)
    }
}

/// What goes to the form.
struct Submitted<'s> {
    value: Value<'s>,
    /// What the contract itself finds wrong.
    own: Vec<Violation>,
}

impl Contract {
    /// Judges what shall become a new user or record.
    ///
    /// # Errors
    /// All that is wrong with it, or the first, as the contract says.
    pub fn judge(&self, of: Submission<'_>) -> Result<NewUser, NotTaken> {
        let submitted = self.submission(of)?;
        match of.form.apply(submitted.value, of.surroundings) {
            Ok(user) if submitted.own.is_empty() => Ok(user),
            Ok(_) => Err(self.refused(of, Violations::default(), submitted.own)),
            Err(violations) => Err(self.refused(of, violations, submitted.own)),
        }
    }

    /// Judges what shall change a stored user or record.
    ///
    /// # Errors
    /// As for [`judge`](Self::judge).
    pub fn judge_change(
        &self,
        of: Submission<'_>,
        stored: &Value<'_>,
    ) -> Result<ChangedUser, NotTaken> {
        let submitted = self.submission(of)?;
        // What must be sent is said of what is new.
        let own = submitted.own.into_iter().filter(|violation| violation.own_code.is_none());
        let own: Vec<Violation> = own.collect();
        match of.form.update(submitted.value, stored, of.surroundings) {
            Ok(changed) if own.is_empty() => Ok(changed),
            Ok(_) => Err(self.refused(of, Violations::default(), own)),
            Err(violations) => Err(self.refused(of, violations, own)),
        }
    }

    /// What the database's refusals are of what was sent and judged before.
    ///
    /// # Errors
    /// Never anything else than [`NotTaken`]: that is what it makes.
    #[must_use]
    pub fn explain(
        &self,
        of: Submission<'_>,
        stored: Option<&Value<'_>>,
        refusals: &Refusals,
    ) -> NotTaken {
        match self.submission(of) {
            Ok(submitted) => {
                let told = of.form.explain(submitted.value, stored, of.surroundings, refusals);
                self.refused(of, told, Vec::new())
            }
            Err(cause) => NotTaken::Failed(cause),
        }
    }

    /// Whether what is told first depends on what the database would refuse, though rules are
    /// broken already.
    #[must_use]
    pub fn asks_before_telling(&self) -> bool {
        self.order.iter().any(|told| matches!(told.code.as_deref(), Some("taken" | "required")))
    }

    /// What the database would be asked of what was sent, valid or not.
    ///
    /// # Errors
    /// Where an expression of the contract cannot be worked out.
    pub fn contested(&self, of: Submission<'_>) -> Result<(Vec<Claim>, Vec<Reference>), String> {
        let submitted = self.submission(of)?;
        Ok(of.form.contested(submitted.value, of.surroundings))
    }

    /// What is wrong with what was sent, with what the database would refuse of it.
    #[must_use]
    pub fn explain_whole(&self, of: Submission<'_>, refusals: &Refusals) -> NotTaken {
        let submitted = match self.submission(of) {
            Ok(submitted) => submitted,
            Err(cause) => return NotTaken::Failed(cause),
        };
        let told = of.form.explain_whole(submitted.value, of.surroundings, refusals);
        self.refused(of, told, submitted.own)
    }

    /// What is submitted to the form for what was sent, and what no form need be asked for.
    fn submission<'s>(&self, of: Submission<'s>) -> Result<Submitted<'s>, String> {
        let taken = &of.action.taken;
        let (mut submitted, mut own): (Entries<'s>, _) = (Vec::new(), Vec::new());
        let violation = |message, code: Option<&str>, path: &str| Violation {
            path: shortened(path),
            pointer: String::new(),
            message,
            own_code: code.map(Into::into),
            own_text: None,
            params: Params::new(),
        };
        let sent: Value<'s> = taken.entry_of(of.sent).into_owned();
        let Some(fields) = taken.fields.as_deref() else {
            let mut value = sent;
            self.set(of, &mut value)?;
            return Ok(Submitted { value, own });
        };
        let entries = if let Value::Object(entries) = sent { entries } else { Vec::new() };
        for field in fields.iter().filter(|field| field.is_required) {
            let is_sent = |(key, value): &(Cow<'_, str>, Value<'_>)| {
                self.is_named(field, key) && *value != Value::Null
            };
            if !entries.iter().any(is_sent)
                && let Some(to) = &field.to
            {
                own.push(violation(&BLANK, Some("blank"), &to.path));
            }
        }
        let number = |id: &str, text: &str| match self.read_id(id, text) {
            Sought::Id(number) => Some(number),
            _ => None,
        };
        for (key, value) in entries {
            let Some(mapped) = fields.iter().find(|field| self.is_named(field, &key)) else {
                if taken.refuses_unknown {
                    own.push(violation(&UNKNOWN_FIELD, None, &key));
                }
                continue;
            };
            if let Some(to) = &mapped.to
                && let Some(value) = mapped.submitted(value, &number)
            {
                put(&mut submitted, &to.path, value);
            }
        }
        let mut value = Value::Object(submitted);
        self.set(of, &mut value)?;
        Ok(Submitted { value, own })
    }

    /// Puts in what the contract says itself.
    fn set(&self, of: Submission<'_>, value: &mut Value<'_>) -> Result<(), String> {
        let set = &of.action.taken.set;
        if set.is_empty() {
            return Ok(());
        }
        let values = Values::new(of.asked.values());
        if let Value::Object(entries) = value {
            for (path, filling) in set.iter() {
                let said = filling.value(&values)?;
                if said != Value::Null {
                    put(entries, path, said);
                }
            }
        }
        Ok(())
    }

    fn is_named(&self, field: &Mapped, key: &str) -> bool {
        self.decoding.casing.is(key, &field.name)
    }

    fn refused(&self, of: Submission<'_>, violations: Violations, own: Vec<Violation>) -> NotTaken {
        NotTaken::Invalid(self.told(of, violations, own))
    }

    fn told(&self, of: Submission<'_>, violations: Violations, own: Vec<Violation>) -> Box<Told> {
        let mut errors: Entries<'static> = Vec::new();
        let mut first = Value::Null;
        let none = Texts::default();
        let fields = of.action.taken.fields.as_deref().unwrap_or_default();
        let sent = &*of.action.taken.entry_of(of.sent);
        let (must, unknown): (Vec<_>, Vec<_>) =
            own.into_iter().partition(|violation| violation.own_code.is_some());
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
                Some((field, rest)) => (self.casing_out.told(&field.name), rest),
                None if violation.path == "base" => (Cow::Borrowed(&*self.catalogue.base), ""),
                None => (Cow::Borrowed(violation.path.as_str()), ""),
            };
            let to = mapped.and_then(|(field, _)| field.to.as_ref());
            let about = About {
                sent: match mapped {
                    Some((field, rest)) => self.sent_for(sent, field, rest),
                    None if fields.is_empty() => {
                        steps(&violation.path).try_fold(sent, |value, step| match value {
                            Value::Array(items) => items.get(step.parse::<usize>().ok()?),
                            other => other.get(step),
                        })
                    }
                    None => None,
                },
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

    /// Where what is wrong with a field stands in the order of the contract.
    fn rank(&self, name: &str, code: &str) -> usize {
        let is_it = |told: &Rank| {
            *told.field == *name && told.code.as_deref().is_none_or(|known| known == code)
        };
        self.order.iter().position(is_it).unwrap_or(self.order.len())
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

/// A place in the order in which what is wrong is told: a field, for one code or for all.
#[derive(Debug)]
pub(crate) struct Rank {
    pub(crate) field: Box<str>,
    pub(crate) code: Option<Box<str>>,
}

impl Taken {
    /// What was sent, as an object of fields: where it is a name and a value, of that one.
    fn entry_of<'s>(&self, sent: &'s Value<'s>) -> Cow<'s, Value<'s>> {
        let Some((name, value)) = &self.entry else { return Cow::Borrowed(sent) };
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
