//! Resources that forms create or update.

use strum::IntoStaticStr;

use crate::record_kind::Kind;
use crate::types::TypeKind;

/// Resource that the submissions to a form create or update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr)]
pub enum Resource {
    /// A user with its nested records.
    User,
    /// A transactable of an existing user.
    Transactable,
    /// A relationship.
    Relationship,
    /// A relationship user: an existing user in a relationship.
    RelationshipUser,
    /// A transactable in a relationship.
    RelationshipTransactable,
    /// A customization of an existing user or of one of its records.
    Customization,
    /// The credentials of a sign-in: validated, never stored.
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

    /// Returns the name in `resource:`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Returns the name in platformOS' `base_form:`.
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

    /// Returns the kind of type that its records have; `None` for users and sessions.
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
