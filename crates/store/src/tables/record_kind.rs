//! Kinds of records.

use registrar_core::types::TypeKind;

/// A kind of record that can be read and written without its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordKind {
    /// A transactable.
    Transactable,
    /// A relationship.
    Relationship,
    /// The membership of a user in a relationship.
    RelationshipUser,
    /// A transactable in a relationship.
    RelationshipTransactable,
    /// A customization.
    Customization,
}

impl RecordKind {
    /// Returns the kind of the types of such records.
    pub(crate) fn type_kind(self) -> TypeKind {
        match self {
            Self::Transactable => TypeKind::Transactable,
            Self::Relationship => TypeKind::Relationship,
            Self::RelationshipUser => TypeKind::RelationshipUser,
            Self::RelationshipTransactable => TypeKind::RelationshipTransactable,
            Self::Customization => TypeKind::Customization,
        }
    }

    /// Returns the name of the kind.
    pub(crate) fn name(self) -> &'static str {
        self.type_kind().record_name()
    }
}

/// The record that addresses, files and customizations belong to, and its user.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OwnerRef {
    pub(crate) user_id: i64,
    /// `user` or the name of a [`TypeKind`].
    pub(crate) kind: &'static str,
    pub(crate) id: i64,
}

impl OwnerRef {
    /// Returns the user as the owner.
    pub(crate) fn user(id: i64) -> Self {
        Self { user_id: id, kind: "user", id }
    }

    /// Returns a record as the owner.
    pub(crate) fn record(user_id: i64, kind: TypeKind, id: i64) -> Self {
        Self { user_id, kind: kind.record_name(), id }
    }
}
