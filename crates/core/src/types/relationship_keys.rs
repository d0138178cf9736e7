//! The relationships that relationship users of a type join, and the keys that identify them.

use std::sync::Arc;

use super::{PropertyType, RecordType, RecordTypes};
use crate::config::{Problem, ProblemCode, Problems, Reader};
use crate::fields::FieldType;
use crate::record_kind::RecordKind;

/// The relationships that relationship users of a type can name by key.
#[derive(Debug, Clone)]
pub(crate) struct KeyedRelationship {
    /// Name of the relationship type.
    pub(crate) type_name: Arc<str>,
    /// Property of that type that holds the key.
    pub(crate) property: Arc<str>,
    /// Whether a missing relationship is created.
    pub(crate) makes: bool,
}

impl RecordTypes {
    /// Returns the relationships that relationship users of a type can name by key, or `None` if
    /// the type declares no `relationship` or that type has no key.
    pub(crate) fn keyed_relationship(&self, members: &RecordType) -> Option<KeyedRelationship> {
        let (name, _) = members.joins.as_ref()?;
        let relationship = self.get(RecordKind::Relationship, name)?;
        let (property, _) = relationship.key.as_ref()?;
        Some(KeyedRelationship {
            type_name: relationship.name.clone(),
            property: property.clone(),
            makes: members.makes.is_some(),
        })
    }

    /// Checks references between types: reports types that join an unknown relationship type, and
    /// those that create relationships of a type without a key.
    pub(crate) fn check(&self) -> Vec<Problem> {
        let mut found = Vec::new();
        for members in self.0.values() {
            let mut problems = Problems::new(members.file.clone());
            self.check_members(members, &mut problems);
            found.extend(problems.into_vec());
        }
        found
    }

    fn check_members(&self, members: &RecordType, problems: &mut Problems) {
        if let Some((name, location)) = &members.joins
            && self.get(RecordKind::Relationship, name).is_none()
        {
            let known = self.names(RecordKind::Relationship);
            let (code, kind) = (ProblemCode::UnknownType, RecordKind::Relationship.types_name());
            Reader { problems }.unknown(code, kind, name, *location, "`relationship`", &known);
            return;
        }
        if let Some(location) = members.makes
            && self.keyed_relationship(members).is_none()
        {
            problems.add(
                ProblemCode::MissingKey,
                location,
                "`make` creates relationships by key, which needs a relationship type with a key",
                "`relationship:` with the name of a relationship type that declares `key:`",
                None,
            );
        }
    }
}

/// Checks that the key of a type is one of its properties, of the type string.
pub(super) fn check_key(reader: &mut Reader<'_>, record_type: &RecordType) {
    let Some((key, location)) = &record_type.key else { return };
    let Some(property) = record_type.properties.iter().find(|property| *property.name == **key)
    else {
        let known: Vec<&str> =
            record_type.properties.iter().map(|property| property.name.as_str()).collect();
        let within = format!("the type `{}`", record_type.name);
        let code = ProblemCode::UnknownField;
        return reader.unknown(code, "property", key, *location, &within, &known);
    };
    if property.property_type != PropertyType::Field(FieldType::String) {
        let what = format!("the key `{key}` is not of the type string");
        let expected = "a property of the type string";
        reader.problems.add(ProblemCode::Contradiction, *location, what, expected, None);
    }
}
