//! How much of what is stored was read: what bounds the size of answers.

use crate::records::{RecordBody, StoredRecord, StoredRelationship};
use crate::stored::{
    StoredAddress, StoredAttached, StoredCustomization, StoredFile, StoredProfile,
    StoredRelationshipUser, StoredTransactable, StoredUser,
};

/// What a record takes besides its texts, in bytes: about that of its columns.
const RECORD: usize = 128;

impl StoredUser {
    /// Returns about how many bytes an answer that shows it has.
    #[must_use]
    pub fn estimated_size(&self) -> usize {
        let columns = &self.columns;
        let own = texts([
            &columns.email,
            &columns.external_id,
            &columns.first_name,
            &columns.middle_name,
            &columns.last_name,
            &columns.name,
            &columns.language,
            &columns.time_zone,
            &columns.phone,
            &columns.mobile_number,
        ]);
        RECORD
            + own
            + columns.properties.len()
            + sum(&self.profiles, |it: &StoredProfile| it.properties.len() + attached(&it.attached))
            + sum(&self.relationship_users, membership)
            + sum(&self.transactables, listing)
            + sum(&self.customizations, customization)
    }
}

impl StoredRecord {
    /// Returns about how many bytes an answer that shows it has.
    #[must_use]
    pub fn estimated_size(&self) -> usize {
        let body = match &self.body {
            RecordBody::Transactable(it) => listing(it),
            RecordBody::Relationship(it) => relationship(it),
            RecordBody::RelationshipUser(it) => membership(it),
            RecordBody::RelationshipTransactable(it) => it.properties.len(),
            RecordBody::Customization { customization: it, .. } => customization(it),
        };
        RECORD + body
    }
}

fn sum<T>(of: &[T], estimated_size: impl Fn(&T) -> usize) -> usize {
    of.iter().map(|it| RECORD + estimated_size(it)).sum()
}

fn texts<'t>(of: impl IntoIterator<Item = &'t Option<String>>) -> usize {
    of.into_iter().flatten().map(String::len).sum()
}

fn relationship(of: &StoredRelationship) -> usize {
    of.key.as_ref().map_or(0, String::len) + of.properties.len()
}

fn membership(of: &StoredRelationshipUser) -> usize {
    of.properties.len() + relationship(&of.relationship)
}

fn listing(of: &StoredTransactable) -> usize {
    texts([&of.name, &of.description]) + of.properties.len() + attached(&of.attached)
}

fn customization(of: &StoredCustomization) -> usize {
    of.properties.len() + attached(&of.attached)
}

fn attached(of: &StoredAttached) -> usize {
    sum(&of.addresses, address) + sum(&of.files, file) + sum(&of.customizations, customization)
}

fn address(of: &StoredAddress) -> usize {
    texts([
        &of.address,
        &of.street,
        &of.street_number,
        &of.suburb,
        &of.city,
        &of.state,
        &of.postcode,
        &of.country,
        &of.iso_country_code,
        &of.latitude,
        &of.longitude,
    ])
}

fn file(of: &StoredFile) -> usize {
    texts([&of.direct_url, &of.file_name, &of.content_type, &of.caption])
}
