//! Evaluates a submission that updates a stored user or record: it is merged over the stored values
//! and the result is validated as a whole.

use std::collections::HashSet;

use super::existing::Existing;
use super::{Evaluation, activation, assemble_record, shape, validate};
use crate::aggregate::{Claim, ClaimHolder};
use crate::canonical::email_key;
use crate::changes::{AggregateUpdate, ChangedValue, ReleasedClaims};
use crate::eval_context::EvalContext;
use crate::form::{Field, FieldBody, FieldTarget, Form, Group};
use crate::record_kind::RecordKind;
use crate::rules::value_key;
use crate::submission::{GroupSlots, Slot};
use crate::value::Value;
use crate::violation::Violations;

impl Form {
    /// Validates a submission that updates a stored user or record. Fields that were not submitted
    /// keep their stored values. `stored` has the shape of a submission, with the `id` of each
    /// nested record; a record itself also has its `id` and its parent fields.
    ///
    /// # Errors
    /// Returns an error with all violations, in the form's order, if the submission is invalid.
    /// Paths and list indexes are those of the submission.
    pub fn update<'v>(
        &self,
        submitted: Value<'v>,
        stored: &'v Value<'v>,
        context: &EvalContext,
    ) -> Result<AggregateUpdate, Violations> {
        let (existing, findings) = (Existing::new(Some(stored), true), self.findings(context));
        let Evaluation { slots, mut findings, .. } =
            Evaluation::new(self, submitted, existing, findings);
        let violations = std::mem::take(&mut findings.violations);
        if !violations.is_empty() {
            return Err(violations);
        }
        let mut values = Vec::new();
        let at = FieldPath { holder: holder_of(&self.root, &slots), path: String::new() };
        changed_values(&self.root, &slots, &at, &mut values);
        let before = claims_before(self, stored, context);
        let (claims, references) = findings.take_database_checks();
        let mut kept = findings.seen_claims;
        for made in &claims {
            kept.remove(&made.claim);
        }
        let released = ReleasedClaims { kept, before, values };
        let aggregate = assemble_record::assemble(self, slots, claims, references);
        Ok(AggregateUpdate { aggregate: aggregate.ok_or(violations)?, released })
    }
}

/// Returns the claims that the stored user or record holds by the form's rules.
fn claims_before(form: &Form, stored: &Value<'_>, eval_context: &EvalContext) -> HashSet<Claim> {
    let mut findings = form.findings(eval_context);
    let mut slots = shape::shape(form, Value::Null, Existing::new(Some(stored), true).untouched());
    activation::drop_inactive(form, &mut slots, eval_context);
    validate::claims(form, &slots, &mut findings);
    findings.seen_claims
}

/// The address of a group: the record that holds its claims, and its path within that.
struct FieldPath {
    holder: ClaimHolder,
    path: String,
}

impl FieldPath {
    fn field(&self, field: &Field) -> String {
        match self.path.as_str() {
            "" => field.name.to_string(),
            path => format!("{path}.{}", field.name),
        }
    }

    /// Returns the address of a record, or of an address or a file, whose field is in the group at this
    /// address.
    fn record(&self, group: &Group, slots: &GroupSlots<'_>) -> Self {
        match group.kind.filter(|kind| kind.has_types()) {
            Some(_) => Self { holder: holder_of(group, slots), path: String::new() },
            None => Self {
                holder: self.holder.clone(),
                path: format!("{}.{}", self.path, group.type_name),
            },
        }
    }
}

/// Returns the holder of the claims of a stored record.
fn holder_of(group: &Group, slots: &GroupSlots<'_>) -> ClaimHolder {
    match (group.kind.filter(|kind| kind.has_types()), slots.id()) {
        (Some(RecordKind::Relationship), _) => ClaimHolder::Relationship,
        (Some(kind), Some(id)) => ClaimHolder::Stored { kind, id },
        _ => ClaimHolder::User,
    }
}

/// Collects the stored values that the update changes.
fn changed_values(
    group: &Group,
    slots: &GroupSlots<'_>,
    at: &FieldPath,
    values: &mut Vec<ChangedValue>,
) {
    for (field, slot) in group.fields.iter().zip(&slots.slots) {
        match (&field.body, slot) {
            (FieldBody::Scalar(_), slot) => {
                let stored = slots.stored.and_then(|stored| stored.get(&field.name));
                let stored = stored.filter(|value| !value.is_blank());
                if let Some(value) = stored
                    && !slot.keeps_stored()
                    && !matches!(field.target, FieldTarget::Virtual)
                    && slot.value() != value
                {
                    values.push(changed_value(value, slot.value(), at, field));
                }
            }
            (FieldBody::Container(inner), Slot::Group(slots)) => {
                let at = FieldPath { holder: at.holder.clone(), path: at.field(field) };
                changed_values(inner, slots, &at, values);
            }
            (FieldBody::Record(inner), Slot::Group(slots)) if !slots.is_untouched() => {
                changed_values(inner, slots, &at.record(inner, slots), values);
            }
            (FieldBody::Records(inner), Slot::Items(items)) => {
                let groups = items.iter().filter_map(|item| item.group.as_ref());
                for slots in groups.filter(|slots| !slots.is_untouched()) {
                    changed_values(inner, slots, &at.record(inner, slots), values);
                }
            }
            _ => {}
        }
    }
}

fn changed_value(old: &Value<'_>, new: &Value<'_>, at: &FieldPath, field: &Field) -> ChangedValue {
    let path = at.field(field);
    let is_email = path == "email" && at.holder == ClaimHolder::User;
    let key = |value: &Value<'_>, case_sensitive| match value {
        Value::String(address) if is_email => email_key(address),
        value => value_key(value, case_sensitive),
    };
    ChangedValue {
        changes_key: key(old, true) != key(new, true),
        changes_folded_key: key(old, false) != key(new, false),
        holder: at.holder.clone(),
        path,
    }
}
