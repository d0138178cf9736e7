//! Stored values in an update: they fill the fields that were not submitted.

use super::shape::Entries;
use crate::form::{Field, FieldTarget, Group, ScalarField};
use crate::messages::Message;
use crate::rules::{REQUIRED, TAKEN};
use crate::submission::{Slot, id_of};
use crate::value::Value;

/// Stored value at one path of a submission.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Existing<'v> {
    value: Option<&'v Value<'v>>,
    is_update: bool,
    /// Whether the enclosing object is stored.
    is_within: bool,
    /// Whether no value was submitted for its record, which then stays unchanged.
    is_alone: bool,
}

impl<'v> Existing<'v> {
    /// Creates the stored value of an object; `None` if it is new.
    pub(super) fn new(value: Option<&'v Value<'v>>, is_update: bool) -> Self {
        Self { value, is_update, ..Self::default() }
    }

    /// Marks a stored record as one for which no value was submitted.
    pub(super) fn untouched(self) -> Self {
        Self { is_alone: self.value.is_some(), ..self }
    }

    /// Returns the stored value of a field of this object.
    pub(super) fn at(self, name: &str) -> Self {
        let object = self.object();
        let value = object.and_then(|object| object.get(name));
        Self { value, is_within: object.is_some(), ..self }
    }

    /// Returns the stored value if it is an object.
    pub(super) fn object(self) -> Option<&'v Value<'v>> {
        self.value.filter(|value| matches!(value, Value::Object(_)))
    }

    /// Returns the stored value of a container: an empty object if the stored record has none.
    pub(super) fn container(self) -> Self {
        static EMPTY: Value<'static> = Value::Object(Vec::new());
        match self.object() {
            None if self.is_within => Self { value: Some(&EMPTY), ..self },
            _ => self,
        }
    }

    /// Returns whether a submitted value leaves the stored one unchanged: a null or empty password.
    pub(super) fn is_kept_by(self, field: &Field, value: &Value<'_>) -> bool {
        self.is_within
            && is_password(field)
            && (*value == Value::Null || value.as_str().is_some_and(str::is_empty))
    }

    /// Returns the slot of a field that was not submitted, or `None` if it takes its default.
    pub(super) fn slot(self, field: &Field, scalar: &ScalarField) -> Option<Slot<'v>> {
        if !self.is_within || matches!(field.target, FieldTarget::Virtual) {
            return None;
        }
        if is_password(field) {
            return Some(Slot::Unchanged);
        }
        let has_default = scalar.default.is_some() || scalar.computed.is_some();
        if scalar.readonly && has_default && !self.is_alone {
            return None;
        }
        let Some(value) = self.value else { return Some(Slot::Absent) };
        Some(match scalar.field_type.coerce(value.clone()) {
            Ok(Value::Null) => Slot::Absent,
            Ok(value) => Slot::Value { value, from_text: false },
            Err(_) => Slot::Unchanged,
        })
    }

    /// Returns the stored records of a list.
    pub(super) fn records(self) -> ExistingRecords<'v> {
        let records = match self.value {
            Some(Value::Array(items)) => items.iter().collect(),
            _ => Vec::new(),
        };
        ExistingRecords {
            are_mentioned: vec![false; records.len()],
            records,
            is_update: self.is_update,
        }
    }
}

fn is_password(field: &Field) -> bool {
    field.is_secret && matches!(field.target, FieldTarget::BuiltIn(_))
}

/// Stored records of a list, and which of them the submission has named by `id`.
#[derive(Debug)]
pub(super) struct ExistingRecords<'v> {
    records: Vec<&'v Value<'v>>,
    are_mentioned: Vec<bool>,
    is_update: bool,
}

impl<'v> ExistingRecords<'v> {
    /// Removes `id` from the submitted entries and returns the stored record that it names, or an
    /// empty one if no `id` was submitted.
    ///
    /// # Errors
    /// Returns an error if no stored record has this id or another item has named it already.
    pub(super) fn named_by(
        &mut self,
        group: &Group,
        entries: &mut Entries<'v>,
    ) -> Result<Existing<'v>, &'static Message> {
        let new = Existing::new(None, self.is_update);
        if !self.is_update || group.index_of("id").is_some() {
            return Ok(new);
        }
        let Some(index) = entries.iter().position(|(key, _)| key == "id") else { return Ok(new) };
        let (_, id) = entries.remove(index);
        let id = match &id {
            Value::Null => return Ok(new),
            Value::String(text) if text.trim().is_empty() => return Ok(new),
            Value::Number(text) | Value::String(text) => text.trim().parse::<i64>().ok(),
            _ => None,
        };
        let found = id.and_then(|id| self.records.iter().position(|it| id_of(it) == Some(id)));
        let found = found.ok_or(&REQUIRED)?;
        if std::mem::replace(&mut self.are_mentioned[found], true) {
            return Err(&TAKEN);
        }
        Ok(Existing::new(Some(self.records[found]), true))
    }

    /// Returns the records that the submission has not named.
    pub(super) fn unmentioned(self) -> impl Iterator<Item = Existing<'v>> {
        let pairs = self.records.into_iter().zip(self.are_mentioned);
        pairs
            .filter(|(_, is_mentioned)| !is_mentioned)
            .map(|(record, _)| Existing::new(Some(record), true).untouched())
    }
}
