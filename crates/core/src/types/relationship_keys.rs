//! Which relationships the members of a type join, and by which key those are named.

use std::sync::Arc;

use super::{PropertyType, RecordType, RecordTypes, TypeKind};
use crate::config::{Problem, ProblemCode, Problems, Reader};
use crate::fields::FieldType;

/// The relationships that members of a type can name by their key.
#[derive(Debug, Clone)]
pub(crate) struct KeyedRelationship {
    /// The relationship type.
    pub(crate) type_name: Arc<str>,
    /// The property of it that holds the key.
    pub(crate) property: Arc<str>,
    /// Whether one that is missing is made.
    pub(crate) makes: bool,
}

impl RecordTypes {
    /// The relationships that members of a type can name by their key; nothing where its file does
    /// not say which those are, or they have no key.
    pub(crate) fn keyed_relationship(&self, members: &RecordType) -> Option<KeyedRelationship> {
        let (name, _) = members.joins.as_ref()?;
        let relationship = self.get(TypeKind::Relationship, name)?;
        let (property, _) = relationship.key.as_ref()?;
        Some(KeyedRelationship {
            type_name: relationship.name.clone(),
            property: property.clone(),
            makes: members.makes.is_some(),
        })
    }

    /// What is wrong between types: a type that joins relationships which are not there, or makes
    /// some that have no key.
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
        if let Some((name, place)) = &members.joins
            && self.get(TypeKind::Relationship, name).is_none()
        {
            let known = self.names(TypeKind::Relationship);
            let (code, kind) = (ProblemCode::UnknownType, TypeKind::Relationship.name());
            Reader { problems }.unknown(code, kind, name, *place, "`relationship`", &known);
            return;
        }
        if let Some(place) = members.makes
            && self.keyed_relationship(members).is_none()
        {
            problems.add(
                ProblemCode::MissingKey,
                place,
                "`make` makes relationships by their key, and none is known here",
                "`relationship:` with a relationship type whose file says `key:`",
                None,
            );
        }
    }
}

/// A key is a property of the type that holds a text.
pub(super) fn check_key(reader: &mut Reader<'_>, of: &RecordType) {
    let Some((key, place)) = &of.key else { return };
    let Some(property) = of.properties.iter().find(|known| *known.name == **key) else {
        let known: Vec<&str> = of.properties.iter().map(|known| known.name.as_str()).collect();
        let within = format!("the type `{}`", of.name);
        let code = ProblemCode::UnknownField;
        return reader.unknown(code, "property", key, *place, &within, &known);
    };
    if property.property_type != PropertyType::Field(FieldType::String) {
        let what = format!("the key `{key}` of relationships is no text");
        let expected = "a property of the type string";
        reader.problems.add(ProblemCode::Contradiction, *place, what, expected, None);
    }
}
