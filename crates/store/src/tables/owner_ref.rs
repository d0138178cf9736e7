//! The record that addresses, files and customizations belong to.

use registrar_core::record_kind::RecordKind;

/// The record that addresses, files and customizations belong to, and its user.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OwnerRef {
    pub(crate) user_id: i64,
    /// Its [record name](RecordKind::record_name).
    pub(crate) kind: &'static str,
    pub(crate) id: i64,
}

impl OwnerRef {
    /// Returns the user as the owner.
    pub(crate) fn user(id: i64) -> Self {
        Self { user_id: id, kind: RecordKind::User.record_name(), id }
    }

    /// Returns a record as the owner.
    pub(crate) fn record(user_id: i64, kind: RecordKind, id: i64) -> Self {
        Self { user_id, kind: kind.record_name(), id }
    }
}
