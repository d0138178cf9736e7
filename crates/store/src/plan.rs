//! From the winners of a batch to the rows of every table, and from a changed user to those that
//! are new and those that change.
//!
//! Here ids meet the tree of an aggregate. Nothing here talks to a database; the order of rows and
//! ids is the order sent, depth first_positions.

use std::collections::HashMap;
use std::vec;

use diesel::QueryResult;
use registrar_core::aggregate::{
    Attachments, Claim, ClaimHolder, NewClaim, NewCustomization, NewUser, RelationshipLink,
};
use registrar_core::types::TypeKind;
use uuid::Uuid;

use crate::connection::AnyConnection;
use crate::dialect::insert;
use crate::ids::{PerTable, ReservedIds, next_id};
use crate::relationship_keys::RelationshipIds;
use crate::requests::CreateUser;
use crate::rows::{
    AddressRow, CustomizationRow, FileRow, NewUserRow, PasswordRow, ProfileRow, RelationshipRow,
    RelationshipUserRow, TransactableRow,
};
use crate::unique_claims::set_record_ids;
use crate::update_sql::UpdatedRows;

/// The rows of a batch.
#[derive(Default)]
pub(crate) struct RowBatch<'a> {
    now: i64,
    users: Vec<NewUserRow<'a>>,
    passwords: Vec<PasswordRow<'a>>,
    profiles: Vec<ProfileRow<'a>>,
    transactables: Vec<TransactableRow<'a>>,
    relationships: Vec<RelationshipRow<'a>>,
    relationship_users: Vec<RelationshipUserRow<'a>>,
    customizations: Vec<CustomizationRow<'a>>,
    addresses: Vec<AddressRow<'a>>,
    files: Vec<FileRow<'a>>,
    /// The places of the first new rows id_in those of a user that are there.
    first_positions: PerTable<i32>,
    /// The relationships that are named by their key.
    pub(crate) relationship_ids: RelationshipIds,
    /// The new values of rows that are there.
    pub(crate) updated: UpdatedRows<'a>,
    /// The record that is being added, and those around it.
    path: Vec<(TypeKind, usize)>,
    /// The claims of the new records of the user that is being added.
    claims: HashMap<&'a [(TypeKind, usize)], Vec<&'a Claim>>,
    /// The claims of new records, with their ids.
    claim_ids: Vec<(&'a Claim, i64)>,
}

/// The row that something hangs on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OwnerRef {
    pub(crate) user_id: i64,
    pub(crate) kind: &'static str,
    pub(crate) id: i64,
}

impl<'a> RowBatch<'a> {
    /// An empty plan for a user who is there: new rows come after those that it has.
    pub(crate) fn after(now: i64, first_positions: PerTable<i32>) -> Self {
        Self { first_positions, ..Self::new(now) }
    }

    /// An empty plan, whose rows are made at `now` (microseconds since 1970 UTC).
    pub(crate) fn new(now: i64) -> Self {
        Self { now, ..Self::default() }
    }

    /// Adds the rows of one user; gives the user's id.
    pub(crate) fn add(
        &mut self,
        record: &'a CreateUser,
        uuid: Uuid,
        ids: &mut ReservedIds,
    ) -> QueryResult<i64> {
        let user = &record.user;
        let id = next_id(&mut ids.users)?;
        self.users.push(NewUserRow {
            id,
            uuid,
            email: user.email.as_deref(),
            // The claim leads to the user; a key beside it would be one more place of its own to write.
            email_key: user.email_key.as_deref().filter(|_| !user.claims_its_email()),
            external_id: user.external_id.as_deref(),
            first_name: user.first_name.as_deref(),
            middle_name: user.middle_name.as_deref(),
            last_name: user.last_name.as_deref(),
            name: user.name.as_deref(),
            featured: user.featured,
            public_profile: user.public_profile,
            language: user.language.as_deref(),
            time_zone: user.time_zone.as_deref(),
            phone: user.phone.as_deref(),
            mobile_number: user.mobile_number.as_deref(),
            properties: user.properties.as_deref().unwrap_or("{}"),
            form_name: &record.form_name,
            form_version: &record.form_version,
            created_at: self.now,
            updated_at: self.now,
        });
        if let Some(phc) = &record.password_hash {
            self.passwords.push(PasswordRow { user_id: id, phc, created_at: self.now });
        }
        self.add_records(user, id, ids)?;
        Ok(id)
    }

    /// Adds the rows of what hangs on a user; those that are there already go to what changes.
    pub(crate) fn add_records(
        &mut self,
        user: &'a NewUser,
        id: i64,
        ids: &mut ReservedIds,
    ) -> QueryResult<()> {
        self.add_records_at(user, OwnerRef { user_id: id, kind: "user", id }, ids)
    }

    /// Adds the rows of the records of a user, with the customizations attached to `owner`.
    pub(crate) fn add_records_at(
        &mut self,
        user: &'a NewUser,
        owner: OwnerRef,
        ids: &mut ReservedIds,
    ) -> QueryResult<()> {
        self.claims.clear();
        for NewClaim { claim, holder, .. } in &user.claims {
            if let ClaimHolder::New(path) = holder {
                self.claims.entry(path).or_default().push(claim);
            }
        }
        self.add_profiles(user, owner.user_id, ids)?;
        self.add_relationship_users(user, owner.user_id, ids)?;
        self.add_transactables(user, owner.user_id, ids)?;
        self.add_customizations(&user.customizations, owner, ids)
    }

    /// Returns the id of the first transactable, relationship user or customization that is inserted.
    pub(crate) fn first_new_id(&self) -> Option<i64> {
        let transactable = self.transactables.first().map(|row| row.id);
        let member = self.relationship_users.first().map(|row| row.id);
        transactable.or(member).or_else(|| self.customizations.first().map(|row| row.id))
    }

    /// Enters a record and assigns its id to its claims.
    fn enter(&mut self, kind: TypeKind, index: usize, id: i64) {
        self.path.push((kind, index));
        let claims = self.claims.get(self.path.as_slice()).into_iter().flatten();
        self.claim_ids.extend(claims.map(|claim| (*claim, id)));
    }

    fn leave(&mut self) {
        self.path.pop();
    }

    fn add_profiles(
        &mut self,
        user: &'a NewUser,
        user_id: i64,
        ids: &mut ReservedIds,
    ) -> QueryResult<()> {
        for ((index, profile), position) in
            user.profiles.iter().enumerate().zip(self.first_positions.profiles..)
        {
            let id = next_if_new(profile.id, &mut ids.profiles)?;
            let row = ProfileRow {
                id,
                user_id,
                position,
                type_name: &profile.type_name,
                enabled: profile.enabled,
                properties: &profile.properties,
            };
            target(profile.id, &mut self.profiles, &mut self.updated.profiles).push(row);
            self.enter(TypeKind::Profile, index, id);
            self.add_attached(&profile.attached, OwnerRef { user_id, kind: "profile", id }, ids)?;
            self.leave();
        }
        Ok(())
    }

    fn add_relationship_users(
        &mut self,
        user: &'a NewUser,
        user_id: i64,
        ids: &mut ReservedIds,
    ) -> QueryResult<()> {
        for ((index, member), position) in user
            .relationship_users
            .iter()
            .enumerate()
            .zip(self.first_positions.relationship_users..)
        {
            let relationship_id = match &member.relationship {
                RelationshipLink::Existing(id) => *id,
                RelationshipLink::New { type_name } => {
                    let id = next_id(&mut ids.relationships)?;
                    self.relationships.push(RelationshipRow {
                        id,
                        type_name,
                        creator_id: Some(user_id),
                        properties: "{}",
                        created_at: self.now,
                        uuid: Uuid::now_v7(),
                        key: None,
                        updated_at: self.now,
                    });
                    id
                }
                RelationshipLink::Keyed { type_name, key, .. } => {
                    self.relationship_ids.id(type_name, key)?
                }
            };
            let id = next_if_new(member.id, &mut ids.relationship_users)?;
            self.enter(TypeKind::RelationshipUser, index, id);
            self.leave();
            let row = RelationshipUserRow {
                id,
                user_id,
                relationship_id,
                position,
                type_name: &member.type_name,
                properties: &member.properties,
            };
            target(member.id, &mut self.relationship_users, &mut self.updated.relationship_users)
                .push(row);
        }
        Ok(())
    }

    fn add_transactables(
        &mut self,
        user: &'a NewUser,
        user_id: i64,
        ids: &mut ReservedIds,
    ) -> QueryResult<()> {
        for ((index, transactable), position) in
            user.transactables.iter().enumerate().zip(self.first_positions.transactables..)
        {
            let id = next_if_new(transactable.id, &mut ids.transactables)?;
            let row = TransactableRow {
                id,
                user_id,
                position,
                type_name: &transactable.type_name,
                name: transactable.name.as_deref(),
                description: transactable.description.as_deref(),
                currency: &transactable.currency,
                enabled: transactable.enabled,
                properties: &transactable.properties,
            };
            target(transactable.id, &mut self.transactables, &mut self.updated.transactables)
                .push(row);
            let owner = OwnerRef { user_id, kind: "transactable", id };
            self.enter(TypeKind::Transactable, index, id);
            self.add_attached(&transactable.attached, owner, ids)?;
            self.leave();
        }
        Ok(())
    }

    fn add_attached(
        &mut self,
        attached: &'a Attachments,
        owner: OwnerRef,
        ids: &mut ReservedIds,
    ) -> QueryResult<()> {
        for (address, position) in attached.addresses.iter().zip(self.first_positions.addresses..) {
            let row = AddressRow {
                id: next_if_new(address.id, &mut ids.addresses)?,
                user_id: owner.user_id,
                owner_kind: owner.kind,
                owner_id: owner.id,
                position,
                name: &address.name,
                address: address.address.as_deref(),
                street: address.street.as_deref(),
                street_number: address.street_number.as_deref(),
                suburb: address.suburb.as_deref(),
                city: address.city.as_deref(),
                state: address.state.as_deref(),
                postcode: address.postcode.as_deref(),
                country: address.country.as_deref(),
                iso_country_code: address.iso_country_code.as_deref(),
                latitude: address.latitude.as_deref(),
                longitude: address.longitude.as_deref(),
            };
            target(address.id, &mut self.addresses, &mut self.updated.addresses).push(row);
        }
        for (file, position) in attached.files.iter().zip(self.first_positions.files..) {
            let row = FileRow {
                id: next_if_new(file.id, &mut ids.files)?,
                user_id: owner.user_id,
                owner_kind: owner.kind,
                owner_id: owner.id,
                position,
                name: &file.name,
                is_image: file.is_image,
                direct_url: file.direct_url.as_deref(),
                file_name: file.file_name.as_deref(),
                content_type: file.content_type.as_deref(),
                caption: file.caption.as_deref(),
            };
            target(file.id, &mut self.files, &mut self.updated.files).push(row);
        }
        self.add_customizations(&attached.customizations, owner, ids)
    }

    fn add_customizations(
        &mut self,
        customizations: &'a [NewCustomization],
        owner: OwnerRef,
        ids: &mut ReservedIds,
    ) -> QueryResult<()> {
        for ((index, customization), position) in
            customizations.iter().enumerate().zip(self.first_positions.customizations..)
        {
            let id = next_if_new(customization.id, &mut ids.customizations)?;
            let row = CustomizationRow {
                id,
                user_id: owner.user_id,
                owner_kind: owner.kind,
                owner_id: owner.id,
                position,
                type_name: &customization.type_name,
                properties: &customization.properties,
            };
            target(customization.id, &mut self.customizations, &mut self.updated.customizations)
                .push(row);
            let itself = OwnerRef { user_id: owner.user_id, kind: "customization", id };
            self.enter(TypeKind::Customization, index, id);
            self.add_attached(&customization.attached, itself, ids)?;
            self.leave();
        }
        Ok(())
    }

    /// Inserts all rows, table by table, those that others refer to first_positions.
    pub(crate) fn insert(&self, conn: &mut AnyConnection) -> QueryResult<()> {
        insert(conn, &self.users)?;
        insert(conn, &self.passwords)?;
        insert(conn, &self.profiles)?;
        insert(conn, &self.transactables)?;
        insert(conn, &self.relationships)?;
        insert(conn, &self.relationship_users)?;
        insert(conn, &self.customizations)?;
        insert(conn, &self.addresses)?;
        insert(conn, &self.files)?;
        set_record_ids(conn, &self.claim_ids)
    }
}

/// The id of what is there, or the next one.
fn next_if_new(known: Option<i64>, ids: &mut vec::IntoIter<i64>) -> QueryResult<i64> {
    known.map_or_else(|| next_id(ids), Ok)
}

/// Where a row goes: what is there changes.
fn target<'p, T>(
    known: Option<i64>,
    new: &'p mut Vec<T>,
    changed: &'p mut Vec<T>,
) -> &'p mut Vec<T> {
    if known.is_some() { changed } else { new }
}
