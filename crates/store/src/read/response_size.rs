//! Estimated sizes of responses, which limit how much a response contains.

use super::records::{RecordBody, StoredRecord};
use super::users::StoredUser;
use crate::tables::customizations::{StoredAttached, StoredCustomization};
use crate::tables::relationship_users::StoredRelationshipUser;

/// Size of a record in addition to its text columns, in bytes.
const RECORD_SIZE: usize = 128;

impl StoredUser {
    /// Returns the estimated size in bytes of a response with this user.
    #[must_use]
    pub fn estimated_size(&self) -> usize {
        RECORD_SIZE
            + self.columns.text_len()
            + sum(&self.profiles, |it| it.text_len() + attached(&it.attached))
            + sum(&self.relationship_users, relationship_user)
            + sum(&self.transactables, |it| it.text_len() + attached(&it.attached))
            + sum(&self.customizations, customization)
    }
}

impl StoredRecord {
    /// Returns the estimated size in bytes of a response with this record.
    #[must_use]
    pub fn estimated_size(&self) -> usize {
        let body = match &self.body {
            RecordBody::Transactable(it) => it.text_len() + attached(&it.attached),
            RecordBody::Relationship(it) => it.text_len(),
            RecordBody::RelationshipUser(it) => relationship_user(it),
            RecordBody::RelationshipTransactable(it) => it.text_len(),
            RecordBody::Customization { customization: it, .. } => customization(it),
        };
        RECORD_SIZE + body
    }
}

fn sum<T>(records: &[T], size: impl Fn(&T) -> usize) -> usize {
    records.iter().map(|it| RECORD_SIZE + size(it)).sum()
}

fn relationship_user(of: &StoredRelationshipUser) -> usize {
    of.text_len() + of.relationship.text_len()
}

fn customization(of: &StoredCustomization) -> usize {
    of.text_len() + attached(&of.attached)
}

fn attached(of: &StoredAttached) -> usize {
    sum(&of.addresses, |it| it.text_len())
        + sum(&of.files, |it| it.text_len())
        + sum(&of.customizations, customization)
}
