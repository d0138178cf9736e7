//! What is stored, beside what is submitted: in an update it stands where nothing was sent.

use super::shape::Entries;
use super::slot::Slot;
use crate::form::{Field, FieldTarget, Group, ScalarField};
use crate::rules::{REQUIRED, TAKEN};
use crate::value::Value;
use crate::violation::Message;

/// What is stored at one place of a submission.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Existing<'v> {
    value: Option<&'v Value<'v>>,
    is_update: bool,
    /// Whether the object around it is stored.
    is_within: bool,
    /// Whether nothing of its record was sent: all of it stays as it is.
    is_alone: bool,
}

impl<'v> Existing<'v> {
    /// A stored object, in an update.
    pub(super) fn new(value: Option<&'v Value<'v>>, is_update: bool) -> Self {
        Self { value, is_update, ..Self::default() }
    }

    /// The same, of which nothing was sent.
    pub(super) fn untouched(self) -> Self {
        Self { is_alone: self.value.is_some(), ..self }
    }

    /// What is stored in a field of it.
    pub(super) fn at(self, name: &str) -> Self {
        let object = self.object();
        let value = object.and_then(|object| object.get(name));
        Self { value, is_within: object.is_some(), ..self }
    }

    /// The object, where there is one.
    pub(super) fn object(self) -> Option<&'v Value<'v>> {
        self.value.filter(|value| matches!(value, Value::Object(_)))
    }

    /// The same of a key that holds fields or records: there always, perhaps with nothing in it.
    pub(super) fn container(self) -> Self {
        static EMPTY: Value<'static> = Value::Object(Vec::new());
        match self.object() {
            None if self.is_within => Self { value: Some(&EMPTY), ..self },
            _ => self,
        }
    }

    /// Whether a value that was sent is no reason to change what is stored: an empty password.
    pub(super) fn is_kept_by(self, field: &Field, value: &Value<'_>) -> bool {
        self.is_within
            && is_password(field)
            && (*value == Value::Null || value.as_str().is_some_and(str::is_empty))
    }

    /// What stands in a field that was not sent; nothing where it takes its default.
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

    /// The stored records of a list.
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

/// The stored records of one type in a list.
#[derive(Debug)]
pub(super) struct ExistingRecords<'v> {
    records: Vec<&'v Value<'v>>,
    are_mentioned: Vec<bool>,
    is_update: bool,
}

impl<'v> ExistingRecords<'v> {
    /// Takes the `id` out of what was sent: the stored record that it names, or nothing stored
    /// where there is none.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn named_by(
        &mut self,
        group: &Group,
        entries: &mut Entries<'v>,
    ) -> Result<Existing<'v>, &'static Message> {
        let new = Existing::new(None, self.is_update);
        if !self.is_update || group.index_of("id").is_some() {
            return Ok(new);
        }
        let Some(place) = entries.iter().position(|(key, _)| key == "id") else { return Ok(new) };
        let (_, id) = entries.remove(place);
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

    /// Those that were not mentioned.
    pub(super) fn unmentioned(self) -> impl Iterator<Item = Existing<'v>> {
        let pairs = self.records.into_iter().zip(self.are_mentioned);
        pairs
            .filter(|(_, is_mentioned)| !is_mentioned)
            .map(|(record, _)| Existing::new(Some(record), true).untouched())
    }
}

/// The id of a stored record.
pub(super) fn id_of(record: &Value<'_>) -> Option<i64> {
    match record.get("id")? {
        Value::Number(text) | Value::String(text) => text.parse().ok(),
        _ => None,
    }
}
