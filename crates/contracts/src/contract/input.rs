//! Maps a submission to an API to its form's fields and validates it.

use super::error::ContractError;
use std::borrow::Cow;

use super::action::Action;
use super::error_response::ErrorResponse;
use super::field_mapping::{FieldMapping, insert_at};
use super::lookup::Lookup;
use super::model::Contract;
use super::request_context::RequestContext;
use super::scope::Scope;
use registrar_core::aggregate::{Aggregate, Claim, Reference};
use registrar_core::changes::AggregateUpdate;
use registrar_core::eval_context::EvalContext;
use registrar_core::evaluate::Refusals;
use registrar_core::form::Form;
use registrar_core::locale::Locale;
use registrar_core::messages::{Message, Params};
use registrar_core::submission::shortened;
use registrar_core::value::Value;
use registrar_core::violation::{Violation, Violations};

static UNKNOWN_FIELD: Message = Message::new("unknown_field", "is not a known field");
static TAKEN: Message = Message::new("taken", "has already been taken");
static BLANK: Message = Message::new("blank", "can't be blank");

type Entries<'v> = Vec<(Cow<'v, str>, Value<'v>)>;

/// A submission to an API, with its form and context.
#[derive(Debug, Clone, Copy)]
pub struct ContractInput<'s> {
    /// The action of the route.
    pub action: &'s Action,
    /// The form that validates it.
    pub form: &'s Form,
    /// The submitted value.
    pub sent: &'s Value<'s>,
    /// The request context for expressions.
    pub request_context: &'s RequestContext,
    /// Time and token for the evaluation.
    pub eval_context: &'s EvalContext,
    /// Locale of the messages, if the catalogue uses the forms' own.
    pub locale: &'s Locale,
}

/// Why a submission was rejected.
#[derive(Debug)]
pub enum Rejection {
    /// Validation failed.
    Invalid(Box<ErrorResponse>),
    /// An expression of the contract failed. The reason never contains a value.
    Failed(ContractError),
}

impl From<ContractError> for Rejection {
    fn from(cause: ContractError) -> Self {
        Self::Failed(cause)
    }
}

/// The input of a form.
struct FormInput<'s> {
    value: Value<'s>,
    /// Violations found by the contract's field mapping.
    mapping_violations: Vec<Violation>,
}

impl Contract {
    /// Validates a submission that creates a user or record.
    ///
    /// # Errors
    /// Returns all violations, or the first only if the contract reports only one.
    pub fn validate(&self, input: ContractInput<'_>) -> Result<Aggregate, Rejection> {
        self.validate_input(input, self.form_input_of(input)?)
    }

    /// Validates a submission that creates a user or record, without copying it. Use it if
    /// [`consumes_input`](Self::consumes_input) is true; `form_input` is what
    /// [`form_input`](Self::form_input) returned.
    ///
    /// # Errors
    /// Returns an error as [`validate`](Self::validate) does.
    pub fn validate_owned<'s>(
        &self,
        input: ContractInput<'s>,
        form_input: Value<'s>,
    ) -> Result<Aggregate, Rejection> {
        self.validate_input(input, self.map_input(input, form_input)?)
    }

    /// Whether the submission is passed to the form unchanged and errors are reported under the
    /// form's own names, so that it is not needed again.
    #[must_use]
    pub fn consumes_input(&self, action: &Action) -> bool {
        let mapping = &action.input;
        self.catalogue.is_of_forms && mapping.name_value.is_none() && mapping.inject.is_empty()
    }

    fn validate_input(
        &self,
        input: ContractInput<'_>,
        submitted: FormInput<'_>,
    ) -> Result<Aggregate, Rejection> {
        match input.form.apply(submitted.value, input.eval_context) {
            Ok(aggregate) if submitted.mapping_violations.is_empty() => Ok(aggregate),
            Ok(_) => {
                Err(self.rejection(input, Violations::default(), submitted.mapping_violations))
            }
            Err(violations) => Err(self.rejection(input, violations, submitted.mapping_violations)),
        }
    }

    /// Validates a submission that updates the user or record `stored`.
    ///
    /// # Errors
    /// Returns an error as [`validate`](Self::validate) does.
    pub fn validate_update(
        &self,
        input: ContractInput<'_>,
        stored: &Value<'_>,
    ) -> Result<AggregateUpdate, Rejection> {
        let submitted = self.form_input_of(input)?;
        // Fields with `required: true` are required on creation only.
        let mapping_violations = submitted
            .mapping_violations
            .into_iter()
            .filter(|violation| violation.custom_code.is_none());
        let mapping_violations: Vec<Violation> = mapping_violations.collect();
        match input.form.update(submitted.value, stored, input.eval_context) {
            Ok(changed) if mapping_violations.is_empty() => Ok(changed),
            Ok(_) => Err(self.rejection(input, Violations::default(), mapping_violations)),
            Err(violations) => Err(self.rejection(input, violations, mapping_violations)),
        }
    }

    /// Converts refusals of the database to violations of a submission that was valid before.
    #[must_use]
    pub fn explain(
        &self,
        input: ContractInput<'_>,
        stored: Option<&Value<'_>>,
        refusals: &Refusals,
    ) -> Rejection {
        match self.form_input_of(input) {
            Ok(submitted) => {
                let violations = input.form.explain_refusals(
                    submitted.value,
                    stored,
                    input.eval_context,
                    refusals,
                );
                self.rejection(input, violations, Vec::new())
            }
            Err(cause) => Rejection::Failed(cause),
        }
    }

    /// Whether the error to report first may depend on the database even if the submission is
    /// invalid.
    #[must_use]
    pub fn order_needs_database(&self) -> bool {
        self.order
            .iter()
            .any(|priority| matches!(priority.code.as_deref(), Some("taken" | "required")))
    }

    /// Returns the claims and references that the database would check for a submission, valid or
    /// not.
    ///
    /// # Errors
    /// Returns the reason if an expression of the contract fails.
    pub fn contested(
        &self,
        input: ContractInput<'_>,
    ) -> Result<(Vec<Claim>, Vec<Reference>), ContractError> {
        let submitted = self.form_input_of(input)?;
        Ok(input.form.database_checks(submitted.value, input.eval_context))
    }

    /// Validates a submission and adds the database's refusals to its violations.
    #[must_use]
    pub fn explain_whole(&self, input: ContractInput<'_>, refusals: &Refusals) -> Rejection {
        let submitted = match self.form_input_of(input) {
            Ok(submitted) => submitted,
            Err(cause) => return Rejection::Failed(cause),
        };
        let violations = input.form.explain_all(submitted.value, input.eval_context, refusals);
        self.rejection(input, violations, submitted.mapping_violations)
    }

    /// Maps the submission to the form's input, with the violations of the mapping itself.
    fn form_input_of<'s>(&self, input: ContractInput<'s>) -> Result<FormInput<'s>, ContractError> {
        self.map_input(input, self.merged_input(input)?)
    }

    /// Maps submitted fields to the form's, and applies `set`.
    fn map_input<'s>(
        &self,
        input: ContractInput<'s>,
        sent: Value<'s>,
    ) -> Result<FormInput<'s>, ContractError> {
        let mapping = &input.action.input;
        let (mut submitted, mut mapping_violations): (Entries<'s>, _) = (Vec::new(), Vec::new());
        let violation = |message, code: Option<&str>, path: &str| Violation {
            path: shortened(path),
            pointer: String::new(),
            message,
            custom_code: code.map(Into::into),
            message_override: None,
            params: Params::new(),
        };
        let Some(fields) = mapping.fields.as_deref() else {
            let mut value = sent;
            self.set(input, &mut value)?;
            return Ok(FormInput { value, mapping_violations });
        };
        let deep = fields.iter().filter(|field| field.name.contains('.'));
        let deep: Vec<(&FieldMapping, Option<Value<'s>>)> =
            deep.map(|field| (field, value_at(&sent, &field.name))).collect();
        let entries = if let Value::Object(entries) = sent { entries } else { Vec::new() };
        for field in fields.iter().filter(|field| field.is_required) {
            let is_sent = |(key, value): &(Cow<'_, str>, Value<'_>)| {
                let is_nothing = match value {
                    Value::Null => true,
                    // An empty string that would become a record's key counts as absent.
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
                mapping_violations.push(violation(&BLANK, code, &to.path));
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
                if mapping.refuses_unknown && !deep.iter().any(is_root) {
                    mapping_violations.push(violation(&UNKNOWN_FIELD, None, &key));
                }
                continue;
            };
            if let Some(to) = &mapped.to
                && let Some(value) = mapped.submitted(value, &number)
            {
                if &*to.path == "external_id" && self.is_own_id(&value) {
                    mapping_violations.push(violation(&TAKEN, None, &to.path));
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
        self.set(input, &mut value)?;
        Ok(FormInput { value, mapping_violations })
    }

    /// Whether an id sent by a client is one that the contract generates for some user, now or
    /// later.
    fn is_own_id(&self, value: &Value<'_>) -> bool {
        let Some(text) = value.as_str() else { return false };
        let mut given = self.ids.iter().filter(|id| id.may_be_given);
        given.any(|id| id.format.read(&id.salt, text).is_some())
    }

    /// Returns the submission with the values of `inject`.
    pub(crate) fn merged_input<'s>(
        &self,
        input: ContractInput<'s>,
    ) -> Result<Value<'s>, ContractError> {
        let mapping = &input.action.input;
        let mut sent: Value<'s> = mapping.name_value_input(input.sent).into_owned();
        if let (false, Value::Object(entries)) = (mapping.inject.is_empty(), &mut sent) {
            let values = Scope::of(input.request_context);
            for (name, filling) in mapping.inject.iter() {
                insert_at(entries, name, filling.value(&values)?);
            }
        }
        Ok(sent)
    }

    /// Inserts the values of `set`; null leaves the submitted value.
    fn set(&self, input: ContractInput<'_>, value: &mut Value<'_>) -> Result<(), ContractError> {
        let set = &input.action.input.set;
        if set.is_empty() {
            return Ok(());
        }
        let values = Scope::of(input.request_context);
        if let Value::Object(entries) = value {
            for (path, filling) in set.iter() {
                let result = filling.value(&values)?;
                if result != Value::Null {
                    insert_at(entries, path, result);
                }
            }
        }
        Ok(())
    }

    /// Whether a submitted key is the name of a field.
    pub(crate) fn is_named(&self, field: &FieldMapping, key: &str) -> bool {
        self.decoding.casing.matches(key, &field.name)
    }
}

/// Returns the value at a name such as `emails.0.value`, or `None` if it is absent. A step into a
/// value that has no parts returns a value that no field accepts.
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
