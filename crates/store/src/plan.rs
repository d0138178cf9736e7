//! From the winners of a batch to the rows of every table, and from a changed user to those that
//! are new and those that change.
//!
//! Here ids meet the tree of an aggregate. Nothing here talks to a database; the order of rows and
//! ids is the order sent, depth first_positions.

use std::vec;

use diesel::QueryResult;
use diesel::result::Error;
use registrar_core::aggregate::{Attachments, NewCustomization, NewUser, RelationshipLink};
use uuid::Uuid;

use crate::connection::AnyConnection;
use crate::dialect::insert;
use crate::relationship_keys::RelationshipIds;
use crate::requests::CreateUser;
use crate::rows::{
    AddressRow, CustomizationRow, FileRow, NewUserRow, PasswordRow, ProfileRow, RelationshipRow,
    RelationshipUserRow, TransactableRow,
};
use crate::update_sql::UpdatedRows;

/// Something for each table whose rows have ids.
#[derive(Debug, Default)]
pub(crate) struct PerTable<T> {
    pub(crate) users: T,
    pub(crate) profiles: T,
    pub(crate) transactables: T,
    pub(crate) relationships: T,
    pub(crate) relationship_users: T,
    pub(crate) customizations: T,
    pub(crate) addresses: T,
    pub(crate) files: T,
}

/// How many ids are needed.
pub(crate) type IdCounts = PerTable<i64>;

/// The ids to be given out.
pub(crate) type ReservedIds = PerTable<vec::IntoIter<i64>>;

impl IdCounts {
    /// IdCounts in what one more user needs.
    pub(crate) fn add(&mut self, user: &NewUser) {
        self.users += 1;
        self.add_records(user);
    }

    /// IdCounts in what the records of a user need that are new.
    pub(crate) fn add_records(&mut self, user: &NewUser) {
        self.profiles += count(&user.profiles, |profile| profile.id);
        self.transactables += count(&user.transactables, |transactable| transactable.id);
        self.relationship_users += count(&user.relationship_users, |member| member.id);
        for member in &user.relationship_users {
            if let RelationshipLink::New { .. } = member.relationship {
                self.relationships += 1;
            }
        }
        for profile in &user.profiles {
            self.add_attached(&profile.attached);
        }
        for transactable in &user.transactables {
            self.add_attached(&transactable.attached);
        }
        self.add_customizations(&user.customizations);
    }

    /// Whether any is needed.
    pub(crate) fn any(&self) -> bool {
        self.users
            + self.profiles
            + self.transactables
            + self.relationships
            + self.relationship_users
            + self.customizations
            + self.addresses
            + self.files
            > 0
    }

    fn add_attached(&mut self, attached: &Attachments) {
        self.addresses += count(&attached.addresses, |address| address.id);
        self.files += count(&attached.files, |file| file.id);
        self.add_customizations(&attached.customizations);
    }

    fn add_customizations(&mut self, customizations: &[NewCustomization]) {
        self.customizations += count(customizations, |customization| customization.id);
        for customization in customizations {
            self.add_attached(&customization.attached);
        }
    }
}

/// How many have no id yet.
fn count<T>(items: &[T], id: impl Fn(&T) -> Option<i64>) -> i64 {
    let new = items.iter().filter(|item| id(item).is_none()).count();
    i64::try_from(new).unwrap_or(i64::MAX)
}

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
        let id = next(&mut ids.users)?;
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

    /// The same, with the customizations hanging on `owner`.
    pub(crate) fn add_records_at(
        &mut self,
        user: &'a NewUser,
        owner: OwnerRef,
        ids: &mut ReservedIds,
    ) -> QueryResult<()> {
        self.add_profiles(user, owner.user_id, ids)?;
        self.add_memberships(user, owner.user_id, ids)?;
        self.add_transactables(user, owner.user_id, ids)?;
        self.add_customizations(&user.customizations, owner, ids)
    }

    /// The id of the one record of a bag that is new.
    pub(crate) fn id_of_record(&self) -> Option<i64> {
        let listing = self.transactables.first().map(|row| row.id);
        let member = self.relationship_users.first().map(|row| row.id);
        listing.or(member).or_else(|| self.customizations.first().map(|row| row.id))
    }

    fn add_profiles(
        &mut self,
        user: &'a NewUser,
        user_id: i64,
        ids: &mut ReservedIds,
    ) -> QueryResult<()> {
        for (profile, position) in user.profiles.iter().zip(self.first_positions.profiles..) {
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
            self.add_attached(&profile.attached, OwnerRef { user_id, kind: "profile", id }, ids)?;
        }
        Ok(())
    }

    fn add_memberships(
        &mut self,
        user: &'a NewUser,
        user_id: i64,
        ids: &mut ReservedIds,
    ) -> QueryResult<()> {
        for (member, position) in
            user.relationship_users.iter().zip(self.first_positions.relationship_users..)
        {
            let relationship_id = match &member.relationship {
                RelationshipLink::Existing(id) => *id,
                RelationshipLink::New { type_name } => {
                    let id = next(&mut ids.relationships)?;
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
            let row = RelationshipUserRow {
                id: next_if_new(member.id, &mut ids.relationship_users)?,
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
        for (transactable, position) in
            user.transactables.iter().zip(self.first_positions.transactables..)
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
            self.add_attached(&transactable.attached, owner, ids)?;
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
        for (customization, position) in
            customizations.iter().zip(self.first_positions.customizations..)
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
            self.add_attached(&customization.attached, itself, ids)?;
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
        insert(conn, &self.files)
    }
}

/// The next id. As many were reserved as were counted; anything else is a fault of this file.
fn next(ids: &mut vec::IntoIter<i64>) -> QueryResult<i64> {
    ids.next().ok_or_else(|| Error::QueryBuilderError("more rows than ids".into()))
}

/// The id of what is there, or the next one.
fn next_if_new(known: Option<i64>, ids: &mut vec::IntoIter<i64>) -> QueryResult<i64> {
    known.map_or_else(|| next(ids), Ok)
}

/// Where a row goes: what is there changes.
fn target<'p, T>(
    known: Option<i64>,
    new: &'p mut Vec<T>,
    changed: &'p mut Vec<T>,
) -> &'p mut Vec<T> {
    if known.is_some() { changed } else { new }
}
