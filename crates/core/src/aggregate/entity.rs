//! The user or record of an aggregate.

use std::slice::from_ref;

use super::{
    Customizable, NewCustomization, NewProfile, NewRelationship, NewRelationshipTransactable,
    NewRelationshipUser, NewTransactable, NewUser,
};
use crate::record_kind::RecordKind;

/// A user, or one record of an existing user.
#[derive(Debug, Clone, PartialEq)]
pub enum NewEntity {
    /// A user with its nested records.
    User(NewUser),
    /// A transactable.
    Transactable {
        /// Id of the owner that the submission names.
        owner: Option<i64>,
        /// The transactable.
        transactable: NewTransactable,
    },
    /// A relationship user.
    RelationshipUser {
        /// Id of the user that the submission names.
        owner: Option<i64>,
        /// The relationship user.
        relationship_user: NewRelationshipUser,
    },
    /// A customization.
    Customization {
        /// Id of the owner that the submission names.
        owner: Option<i64>,
        /// Parent record; `None` if the parent is the user.
        parent: Option<Customizable>,
        /// The customization.
        customization: NewCustomization,
    },
    /// A relationship.
    Relationship {
        /// Id of the creator that the submission names.
        creator: Option<i64>,
        /// The relationship.
        relationship: NewRelationship,
    },
    /// A relationship transactable.
    RelationshipTransactable(NewRelationshipTransactable),
}

/// The outermost records of an entity by kind, in the order of the submission.
#[derive(Debug, Default, Clone, Copy)]
pub struct Records<'e> {
    /// Profiles.
    pub profiles: &'e [NewProfile],
    /// Relationship users.
    pub relationship_users: &'e [NewRelationshipUser],
    /// Transactables.
    pub transactables: &'e [NewTransactable],
    /// Customizations.
    pub customizations: &'e [NewCustomization],
    /// Relationships.
    pub relationships: &'e [NewRelationship],
    /// Relationship transactables.
    pub relationship_transactables: &'e [NewRelationshipTransactable],
}

impl NewEntity {
    /// Returns the kind of the user or record.
    #[must_use]
    pub fn kind(&self) -> RecordKind {
        match self {
            Self::User(_) => RecordKind::User,
            Self::Transactable { .. } => RecordKind::Transactable,
            Self::RelationshipUser { .. } => RecordKind::RelationshipUser,
            Self::Customization { .. } => RecordKind::Customization,
            Self::Relationship { .. } => RecordKind::Relationship,
            Self::RelationshipTransactable(_) => RecordKind::RelationshipTransactable,
        }
    }

    /// Returns the user, or `None` for a record.
    #[must_use]
    pub fn as_user(&self) -> Option<&NewUser> {
        if let Self::User(user) = self { Some(user) } else { None }
    }

    /// Returns the records of a user, or the record itself.
    #[must_use]
    pub fn records(&self) -> Records<'_> {
        let none = Records::default();
        match self {
            Self::User(user) => Records {
                profiles: &user.profiles,
                relationship_users: &user.relationship_users,
                transactables: &user.transactables,
                customizations: &user.customizations,
                ..none
            },
            Self::Transactable { transactable, .. } => {
                Records { transactables: from_ref(transactable), ..none }
            }
            Self::RelationshipUser { relationship_user, .. } => {
                Records { relationship_users: from_ref(relationship_user), ..none }
            }
            Self::Customization { customization, .. } => {
                Records { customizations: from_ref(customization), ..none }
            }
            Self::Relationship { relationship, .. } => {
                Records { relationships: from_ref(relationship), ..none }
            }
            Self::RelationshipTransactable(new) => {
                Records { relationship_transactables: from_ref(new), ..none }
            }
        }
    }
}
