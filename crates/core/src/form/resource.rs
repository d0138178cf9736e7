//! What a form is for.

use crate::record_kind::Kind;
use crate::types::TypeKind;

/// What the submissions to a form become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resource {
    /// A user with everything nested in it.
    User,
    /// A listing of a user who is there.
    Transactable,
    /// A relationship.
    Relationship,
    /// A membership of a user who is there.
    RelationshipUser,
    /// A listing in a relationship.
    RelationshipTransactable,
    /// A customization of a user who is there, or of one of its records.
    Customization,
    /// What somebody signs in with: judged, and never stored.
    Session,
}

impl Resource {
    /// Every resource.
    pub const ALL: [Self; 7] = [
        Self::User,
        Self::Transactable,
        Self::Relationship,
        Self::RelationshipUser,
        Self::RelationshipTransactable,
        Self::Customization,
        Self::Session,
    ];

    /// What it is called in `resource:`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Transactable => "Transactable",
            Self::Relationship => "Relationship",
            Self::RelationshipUser => "RelationshipUser",
            Self::RelationshipTransactable => "RelationshipTransactable",
            Self::Customization => "Customization",
            Self::Session => "Session",
        }
    }

    /// What it is called in platformOS' `base_form:`.
    pub(crate) fn form_name(self) -> &'static str {
        match self {
            Self::User => "UserForm",
            Self::Transactable => "TransactableForm",
            Self::Relationship => "RelationshipForm",
            Self::RelationshipUser => "RelationshipUserForm",
            Self::RelationshipTransactable => "RelationshipTransactableForm",
            Self::Customization => "CustomizationForm",
            Self::Session => "SessionForm",
        }
    }

    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::User => Kind::User,
            Self::Transactable => Kind::Transactable,
            Self::Relationship => Kind::Relationship,
            Self::RelationshipUser => Kind::RelationshipUser,
            Self::RelationshipTransactable => Kind::RelationshipTransactable,
            Self::Customization => Kind::Customization,
            Self::Session => Kind::Session,
        }
    }

    /// The kind of type that its records are of.
    #[must_use]
    pub fn type_kind(self) -> Option<TypeKind> {
        match self {
            Self::User | Self::Session => None,
            Self::Transactable => Some(TypeKind::Transactable),
            Self::Relationship => Some(TypeKind::Relationship),
            Self::RelationshipUser => Some(TypeKind::RelationshipUser),
            Self::RelationshipTransactable => Some(TypeKind::RelationshipTransactable),
            Self::Customization => Some(TypeKind::Customization),
        }
    }
}
