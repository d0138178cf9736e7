//! What was sent to an API, judged by the form that takes it.

use std::borrow::Cow;

use super::action::Action;
use super::error_response::ErrorResponse;
use super::field_mapping::{FieldMapping, insert_at};
use super::lookup::Lookup;
use super::scope::Scope;
use super::{Contract, RequestContext};
use crate::aggregate::{Claim, NewUser, Reference};
use crate::changes::UserUpdate;
use crate::eval_context::EvalContext;
use crate::evaluate::{Refusals, shortened};
use crate::form::Form;
use crate::locale::Locale;
use crate::value::Value;
use crate::violation::{Message, Params, Violation, Violations};

static UNKNOWN_FIELD: Message = Message::new("unknown_field", "is not a known field");
static TAKEN: Message = Message::new("taken", "has already been taken");
static BLANK: Message = Message::new("blank", "can't be blank");

type Entries<'v> = Vec<(Cow<'v, str>, Value<'v>)>;

/// A submission to an API: which form takes it, what was sent, and what else is known.
#[derive(Debug, Clone, Copy)]
pub struct ContractInput<'s> {
    /// What the route does.
    pub action: &'s Action,
    /// The form that takes it.
    pub form: &'s Form,
    /// What was sent.
    pub sent: &'s Value<'s>,
    /// What expressions are worked out over.
    pub asked: &'s RequestContext,
    /// When, and by whom.
    pub surroundings: &'s EvalContext,
    /// In which language it is told what is wrong, where that is in the form's own words.
    pub locale: &'s Locale,
}

/// Why a submission is not taken.
#[derive(Debug)]
pub enum Rejection {
    /// Rules are broken.
    Invalid(Box<ErrorResponse>),
    /// An expression of the contract cannot be worked out: why, never with a value.
    Failed(String),
}

impl From<String> for Rejection {
    fn from(cause: String) -> Self {
        Self::Failed(cause)
    }
}

/// What goes to the form.
struct FormInput<'s> {
    value: Value<'s>,
    /// What the contract itself finds wrong.
    own: Vec<Violation>,
}

impl Contract {
    /// Judges what shall become a new user or record.
    ///
    /// # Errors
    /// All that is wrong with it, or the first, as the contract says.
    pub fn validate(&self, of: ContractInput<'_>) -> Result<NewUser, Rejection> {
        self.validate_input(of, self.form_input_of(of)?)
    }

    /// The same, where what was sent need not be looked at again ([`Self::lets_go_of`]): nothing of
    /// it is copied. `own` is what [`chosen`](Self::chosen) gave of it.
    ///
    /// # Errors
    /// As for [`judge`](Self::judge).
    pub fn validate_owned<'s>(
        &self,
        of: ContractInput<'s>,
        own: Value<'s>,
    ) -> Result<NewUser, Rejection> {
        self.validate_input(of, self.map_input(of, own)?)
    }

    /// Whether what is told of a submission to a route is told by the form's own names, and is
    /// submitted as it was sent.
    #[must_use]
    pub fn consumes_input(&self, action: &Action) -> bool {
        let taken = &action.input;
        self.catalogue.is_of_forms && taken.name_value.is_none() && taken.inject.is_empty()
    }

    fn validate_input(
        &self,
        of: ContractInput<'_>,
        submitted: FormInput<'_>,
    ) -> Result<NewUser, Rejection> {
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
    pub fn validate_update(
        &self,
        of: ContractInput<'_>,
        stored: &Value<'_>,
    ) -> Result<UserUpdate, Rejection> {
        let submitted = self.form_input_of(of)?;
        // What must be sent is said of what is new.
        let own = submitted.own.into_iter().filter(|violation| violation.custom_code.is_none());
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
    /// Never anything else than [`Rejection`]: that is what it makes.
    #[must_use]
    pub fn explain(
        &self,
        of: ContractInput<'_>,
        stored: Option<&Value<'_>>,
        refusals: &Refusals,
    ) -> Rejection {
        match self.form_input_of(of) {
            Ok(submitted) => {
                let told =
                    of.form.explain_refusals(submitted.value, stored, of.surroundings, refusals);
                self.refused(of, told, Vec::new())
            }
            Err(cause) => Rejection::Failed(cause),
        }
    }

    /// Whether what is told first depends on what the database would refuse, though rules are
    /// broken already.
    #[must_use]
    pub fn order_needs_database(&self) -> bool {
        self.order.iter().any(|told| matches!(told.code.as_deref(), Some("taken" | "required")))
    }

    /// What the database would be asked of what was sent, valid or not.
    ///
    /// # Errors
    /// Where an expression of the contract cannot be worked out.
    pub fn contested(&self, of: ContractInput<'_>) -> Result<(Vec<Claim>, Vec<Reference>), String> {
        let submitted = self.form_input_of(of)?;
        Ok(of.form.database_checks(submitted.value, of.surroundings))
    }

    /// What is wrong with what was sent, with what the database would refuse of it.
    #[must_use]
    pub fn explain_whole(&self, of: ContractInput<'_>, refusals: &Refusals) -> Rejection {
        let submitted = match self.form_input_of(of) {
            Ok(submitted) => submitted,
            Err(cause) => return Rejection::Failed(cause),
        };
        let told = of.form.explain_all(submitted.value, of.surroundings, refusals);
        self.refused(of, told, submitted.own)
    }

    /// What is submitted to the form for what was sent, and what no form need be asked for.
    fn form_input_of<'s>(&self, of: ContractInput<'s>) -> Result<FormInput<'s>, String> {
        self.map_input(of, self.merged_input(of)?)
    }

    fn map_input<'s>(
        &self,
        of: ContractInput<'s>,
        sent: Value<'s>,
    ) -> Result<FormInput<'s>, String> {
        let taken = &of.action.input;
        let (mut submitted, mut own): (Entries<'s>, _) = (Vec::new(), Vec::new());
        let violation = |message, code: Option<&str>, path: &str| Violation {
            path: shortened(path),
            pointer: String::new(),
            message,
            custom_code: code.map(Into::into),
            message_override: None,
            params: Params::new(),
        };
        let Some(fields) = taken.fields.as_deref() else {
            let mut value = sent;
            self.set(of, &mut value)?;
            return Ok(FormInput { value, own });
        };
        let deep = fields.iter().filter(|field| field.name.contains('.'));
        let deep: Vec<(&FieldMapping, Option<Value<'s>>)> =
            deep.map(|field| (field, value_at(&sent, &field.name))).collect();
        let entries = if let Value::Object(entries) = sent { entries } else { Vec::new() };
        for field in fields.iter().filter(|field| field.is_required) {
            let is_sent = |(key, value): &(Cow<'_, str>, Value<'_>)| {
                let is_nothing = match value {
                    Value::Null => true,
                    // What becomes a record's name is nothing where it is empty.
                    Value::String(text) => field.each.is_some() && text.trim().is_empty(),
                    _ => false,
                };
                self.is_named(field, key) && !is_nothing
            };
            let is_deep = |(other, value): &(&FieldMapping, Option<Value<'_>>)| {
                std::ptr::eq(*other, field) && value.as_ref().is_some_and(|v| *v != Value::Null)
            };
            if !entries.iter().any(is_sent)
                && !deep.iter().any(is_deep)
                && let Some(to) = &field.to
            {
                let code = if field.is_always_required { None } else { Some("blank") };
                own.push(violation(&BLANK, code, &to.path));
            }
        }
        let number = |id: &str, text: &str| match self.read_id(id, text) {
            Lookup::Id(number) => Some(number),
            _ => None,
        };
        for (key, value) in entries {
            let Some(mapped) = fields.iter().find(|field| self.is_named(field, &key)) else {
                let is_root = |(field, _): &(&FieldMapping, Option<Value<'_>>)| {
                    field.name.split('.').next().is_some_and(|root| root == key)
                };
                if taken.refuses_unknown && !deep.iter().any(is_root) {
                    own.push(violation(&UNKNOWN_FIELD, None, &key));
                }
                continue;
            };
            if let Some(to) = &mapped.to
                && let Some(value) = mapped.submitted(value, &number)
            {
                if &*to.path == "external_id" && self.is_own_id(&value) {
                    own.push(violation(&TAKEN, None, &to.path));
                }
                insert_at(&mut submitted, &to.path, value);
            }
        }
        for (mapped, value) in deep {
            if let (Some(to), Some(value)) = (&mapped.to, value)
                && let Some(value) = mapped.submitted(value, &number)
            {
                insert_at(&mut submitted, &to.path, value);
            }
        }
        let mut value = Value::Object(submitted);
        self.set(of, &mut value)?;
        Ok(FormInput { value, own })
    }

    /// Whether an id that a client gives is one that the contract itself gives out: somebody has it,
    /// or will.
    fn is_own_id(&self, value: &Value<'_>) -> bool {
        let Some(text) = value.as_str() else { return false };
        let mut given = self.ids.iter().filter(|id| id.may_be_given);
        given.any(|id| id.format.read(&id.salt, text).is_some())
    }

    /// What was sent, with what the route says is sent too.
    pub(crate) fn merged_input<'s>(&self, of: ContractInput<'s>) -> Result<Value<'s>, String> {
        let taken = &of.action.input;
        let mut sent: Value<'s> = taken.name_value_input(of.sent).into_owned();
        if let (false, Value::Object(entries)) = (taken.inject.is_empty(), &mut sent) {
            let values = Scope::of(of.asked);
            for (name, filling) in taken.inject.iter() {
                insert_at(entries, name, filling.value(&values)?);
            }
        }
        Ok(sent)
    }

    /// Puts in what the contract says itself.
    fn set(&self, of: ContractInput<'_>, value: &mut Value<'_>) -> Result<(), String> {
        let set = &of.action.input.set;
        if set.is_empty() {
            return Ok(());
        }
        let values = Scope::of(of.asked);
        if let Value::Object(entries) = value {
            for (path, filling) in set.iter() {
                let said = filling.value(&values)?;
                if said != Value::Null {
                    insert_at(entries, path, said);
                }
            }
        }
        Ok(())
    }

    pub(crate) fn is_named(&self, field: &FieldMapping, key: &str) -> bool {
        self.decoding.casing.matches(key, &field.name)
    }
}

/// What is where a name such as `emails.0.value` leads; nothing where nothing is. What cannot be led
/// through becomes what no field takes.
fn value_at<'v>(sent: &Value<'v>, name: &str) -> Option<Value<'v>> {
    let mut value = sent;
    for step in name.split('.') {
        let index = step.parse::<usize>();
        value = match (value, index) {
            (Value::Null, _) => return None,
            (Value::Array(items), Ok(index)) => items.get(index)?,
            (Value::Object(entries), Err(_)) => &entries.iter().find(|(key, _)| key == step)?.1,
            _ => return Some(Value::Object(Vec::new())),
        };
    }
    Some(value.clone())
}
