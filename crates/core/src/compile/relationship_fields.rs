//! Checks the fields by which relationship users name their relationship.

use super::FormCompiler;
use crate::config::{Data, Entry, Location, ProblemCode};
use crate::form::Field;
use crate::record_kind::RecordKind;
use crate::types::RecordType;

impl<'t> FormCompiler<'_, 't> {
    /// Requires one of the fields that name the relationship of a relationship user.
    pub(super) fn require_relationship(&mut self, of: &str, location: Location, fields: &[Field]) {
        let ways = ["relationship_id", "relationship_key", "relationship_name"];
        if !fields.iter().any(|field| ways.contains(&&*field.name)) {
            self.reader.problems.add(
                ProblemCode::MissingKey,
                location,
                format!("`{of}` has no field that selects the relationship"),
                "`relationship_id`, `relationship_key` or `relationship_name`",
                None,
            );
        }
    }

    /// Returns the types of relationships that can be created; at least one is required.
    pub(super) fn relationship_types(&mut self, entry: &Entry) -> Option<Vec<&'t str>> {
        let names = self.types.names(RecordKind::Relationship);
        if names.is_empty() {
            let within = "`types/relationships/`";
            let (code, kind) = (ProblemCode::UnknownType, "type for");
            self.reader.unknown(code, kind, &entry.key, entry.location, within, &[]);
            return None;
        }
        Some(names)
    }

    /// Requires the type of the relationship user to name a relationship type that has a key.
    pub(super) fn require_key(&mut self, of_type: Option<&RecordType>, entry: &Entry) {
        let Some(of_type) = of_type else { return };
        if self.types.keyed_relationship(of_type).is_none() {
            self.reader.problems.add(
                ProblemCode::MissingKey,
                entry.location,
                format!("`{}` has no relationship type with a key", of_type.name),
                "`relationship:` in its type's file, with a relationship type whose file has \
                 `key:`",
                None,
            );
        }
    }

    /// Returns whether a property is the key of its relationship type. A key is always unique, so
    /// other settings of `unique` are a problem.
    pub(super) fn is_key(&mut self, of_type: Option<&RecordType>, property: &Entry) -> bool {
        let key = of_type.and_then(|of_type| of_type.key.as_ref());
        if key.is_none_or(|(key, _)| **key != *property.key) {
            return false;
        }
        let validation = property.value.get("validation").map(|entry| &entry.value);
        let unique = ["unique", "uniqueness"].iter().find_map(|name| validation?.get(name));
        if let Some(unique) = unique
            && !matches!(unique.value.data, Data::Bool(true))
        {
            self.reader.problems.add(
                ProblemCode::Contradiction,
                unique.value.location,
                format!("`{}` is the key of its type, so it is always unique", property.key),
                "`unique: true`, or none",
                None,
            );
        }
        true
    }
}
