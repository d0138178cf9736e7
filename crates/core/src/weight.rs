//! The size of an aggregate, which bounds what one submission may store.

use crate::aggregate::{
    Aggregate, Attachments, NewAddress, NewCustomization, NewFile, NewUser, RelationshipLink,
};

/// Approximate size of a record besides its strings, in bytes: that of its fixed columns.
const RECORD: usize = 32;

impl Aggregate {
    /// Returns the approximate number of bytes stored for the entity and everything nested in it.
    #[must_use]
    pub fn weight(&self) -> usize {
        let records = self.entity.records();
        let profiles =
            records.profiles.iter().map(|it| it.properties.len() + attached(&it.attached));
        let relationship_users = records.relationship_users.iter().map(|it| {
            let made = match &it.relationship {
                RelationshipLink::Keyed { key, make, .. } => {
                    key.len() + make.as_ref().map_or(0, String::len)
                }
                RelationshipLink::Existing(_) | RelationshipLink::New { .. } => 0,
            };
            it.properties.len() + made
        });
        let transactables = records.transactables.iter().map(|it| {
            texts([&it.name, &it.description]) + it.properties.len() + attached(&it.attached)
        });
        let customizations = records.customizations.iter().map(customization);
        let relationships = records.relationships.iter().map(|it| it.properties.len());
        let relationship_transactables =
            records.relationship_transactables.iter().map(|it| it.properties.len());
        let claims = self.claims.iter().map(|claim| claim.claim.value_key.len());
        let parts = profiles
            .chain(relationship_users)
            .chain(transactables)
            .chain(customizations)
            .chain(relationships)
            .chain(relationship_transactables)
            .chain(claims);
        self.entity.as_user().map_or(0, columns) + parts.map(|bytes| RECORD + bytes).sum::<usize>()
    }
}

fn columns(of: &NewUser) -> usize {
    texts([
        &of.email,
        &of.email_key,
        &of.external_id,
        &of.first_name,
        &of.middle_name,
        &of.last_name,
        &of.name,
        &of.language,
        &of.time_zone,
        &of.phone,
        &of.mobile_number,
        &of.properties,
    ])
}

fn texts<'t>(columns: impl IntoIterator<Item = &'t Option<String>>) -> usize {
    columns.into_iter().flatten().map(String::len).sum()
}

fn attached(attached: &Attachments) -> usize {
    let addresses = attached.addresses.iter().map(address);
    let files = attached.files.iter().map(file);
    let customizations = attached.customizations.iter().map(customization);
    addresses.chain(files).chain(customizations).map(|bytes| RECORD + bytes).sum()
}

fn customization(of: &NewCustomization) -> usize {
    of.properties.len() + attached(&of.attached)
}

fn address(of: &NewAddress) -> usize {
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

fn file(of: &NewFile) -> usize {
    texts([&of.direct_url, &of.file_name, &of.content_type, &of.caption])
}
