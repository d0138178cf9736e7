//! How much an aggregate holds: what bounds the size of what is stored.

use crate::aggregate::{
    Attachments, NewAddress, NewCustomization, NewFile, NewUser, RelationshipLink,
};

/// What a record takes besides its texts, in bytes: about that of its columns.
const RECORD: usize = 32;

impl NewUser {
    /// Returns about how many bytes are stored of it, with everything nested in it.
    #[must_use]
    pub fn weight(&self) -> usize {
        let own = [
            &self.email,
            &self.email_key,
            &self.external_id,
            &self.first_name,
            &self.middle_name,
            &self.last_name,
            &self.name,
            &self.language,
            &self.time_zone,
            &self.phone,
            &self.mobile_number,
            &self.properties,
        ];
        let profiles = self.profiles.iter().map(|it| it.properties.len() + attached(&it.attached));
        let memberships = self.relationship_users.iter().map(|it| {
            let made = match &it.relationship {
                RelationshipLink::Keyed { key, make, .. } => {
                    key.len() + make.as_ref().map_or(0, String::len)
                }
                RelationshipLink::Existing(_) | RelationshipLink::New { .. } => 0,
            };
            it.properties.len() + made
        });
        let listings = self.transactables.iter().map(|it| {
            texts([&it.name, &it.description]) + it.properties.len() + attached(&it.attached)
        });
        let customizations = self.customizations.iter().map(customization);
        let relationships = self.relationships.iter().map(|it| it.properties.len());
        let listed = self.relationship_transactables.iter().map(|it| it.properties.len());
        let claims = self.claims.iter().map(|claim| claim.value_key.len());
        let parts = profiles
            .chain(memberships)
            .chain(listings)
            .chain(customizations)
            .chain(relationships)
            .chain(listed)
            .chain(claims);
        texts(own) + parts.map(|bytes| RECORD + bytes).sum::<usize>()
    }
}

fn texts<'t>(of: impl IntoIterator<Item = &'t Option<String>>) -> usize {
    of.into_iter().flatten().map(String::len).sum()
}

fn attached(of: &Attachments) -> usize {
    let addresses = of.addresses.iter().map(address);
    let files = of.files.iter().map(file);
    let customizations = of.customizations.iter().map(customization);
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
