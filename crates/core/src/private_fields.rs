//! Private fields: stored values that responses show only to tokens with the scope `private`.
//!
//! A field is private if a form sets `property_options: { private: true }`, a property if its type
//! file sets `private: true`. It is then private in every response, whichever form stored it.

use std::collections::HashSet;

use crate::built_ins::Container;
use crate::form::{FieldBody, Form, Group};
use crate::record_kind::RecordKind;
use crate::types::RecordTypes;
use crate::value::Value;

/// The private fields of a configuration, by path: `phone`,
/// `profiles.developer.properties.tax_number`.
#[derive(Debug, Default)]
pub struct PrivateFields(HashSet<Box<str>>);

/// Containers whose records are identified by type, wherever they are nested.
const BY_TYPE: [Container; 4] = [
    Container::Profiles,
    Container::RelationshipUsers,
    Container::Transactables,
    Container::Customizations,
];

/// Containers whose records are identified by a property of their parent's type.
const BY_PROPERTY: [Container; 3] =
    [Container::CustomAddresses, Container::CustomImages, Container::CustomAttachments];

impl PrivateFields {
    /// Collects the private fields of forms and types.
    pub(crate) fn collect<'f>(forms: impl Iterator<Item = &'f Form>, types: &RecordTypes) -> Self {
        let mut private = Self::default();
        for form in forms {
            let root = match (form.resource, &form.record_type) {
                (kind, Some(name)) => format!("{}.{name}", kind.list_name()),
                _ => String::new(),
            };
            private.add_group(&form.root, &root);
        }
        for (kind, of_type) in types.all() {
            for property in of_type.properties.iter().filter(|property| property.is_private) {
                let path = format!("{}.{}", kind.list_name(), of_type.name);
                private.add(&path, &format!("properties.{}", property.name));
                for container in BY_PROPERTY {
                    private.add(&path, &format!("{}.{}", container.name(), property.name));
                }
            }
        }
        private
    }

    /// Returns whether there are no private fields.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Removes the private fields from a user or a record as responses show it.
    pub fn redact(&self, shown: &mut Value<'_>, resource: RecordKind) {
        match resource.has_types() {
            true => self.redact_typed(shown, resource),
            false => self.redact_at(shown, ""),
        }
    }

    fn redact_typed(&self, record: &mut Value<'_>, kind: RecordKind) {
        let type_name = record.get("type_name").and_then(Value::as_str).unwrap_or_default();
        let path = format!("{}.{type_name}", kind.list_name());
        self.redact_at(record, &path);
    }

    fn add(&mut self, path: &str, name: &str) {
        self.0.insert(joined(path, name).into());
    }

    fn add_group(&mut self, group: &Group, path: &str) {
        for field in &group.fields {
            let inner = match &field.body {
                FieldBody::Scalar(_) if field.is_private => {
                    self.add(path, &field.name);
                    continue;
                }
                FieldBody::Scalar(_) => continue,
                FieldBody::Container(inner)
                | FieldBody::Record(inner)
                | FieldBody::Records(inner) => inner,
            };
            let is_by_type = BY_TYPE.iter().any(|container| container.name() == &*field.name);
            let is_container = matches!(field.body, FieldBody::Container(_));
            let path = if is_container && is_by_type {
                field.name.to_string()
            } else {
                joined(path, &field.name)
            };
            self.add_group(inner, &path);
        }
    }

    fn redact_at(&self, value: &mut Value<'_>, path: &str) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.redact_at(item, path)),
            Value::Object(entries) => {
                entries.retain(|(name, _)| !self.0.contains(&*joined(path, name)));
                for (name, value) in entries {
                    self.redact_part(name, value, path);
                }
            }
            _ => {}
        }
    }

    /// Removes the private fields from one entry of a record.
    fn redact_part(&self, name: &str, value: &mut Value<'_>, path: &str) {
        let by_type = BY_TYPE.iter().any(|container| container.name() == name);
        let by_property = BY_PROPERTY.iter().any(|container| container.name() == name);
        if by_type || by_property {
            let container = if by_type { name.to_owned() } else { joined(path, name) };
            let Value::Object(records) = value else { return };
            records.retain(|(name, _)| !self.0.contains(&*joined(&container, name)));
            for (name, records) in records {
                self.redact_at(records, &joined(&container, name));
            }
        } else if name == Container::Properties.name() {
            let path = joined(path, name);
            let Value::Object(properties) = value else { return };
            properties.retain(|(name, _)| !self.0.contains(&*joined(&path, name)));
        } else if name == "relationship" {
            self.redact_typed(value, RecordKind::Relationship);
        }
    }
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
