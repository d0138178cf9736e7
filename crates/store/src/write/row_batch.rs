//! Converts users and records to rows of the tables.
//!
//! Rows and ids are in the order sent, depth first.

use std::vec;

use diesel::QueryResult;
use registrar_core::aggregate::{
    Aggregate, Attachments, Claim, ClaimHolder, NewCustomization, NewEntity, NewProfile,
    NewRelationship, NewRelationshipTransactable, NewRelationshipUser, NewTransactable,
    RelationshipLink,
};
use registrar_core::record_kind::RecordKind;
use uuid::Uuid;

use super::relationship_keys::RelationshipIds;
use super::requests::CreateRequest;
use crate::connection::AnyConnection;
use crate::sql::{TableRows, insert};
use crate::tables::addresses::AddressRow;
use crate::tables::counters::{PerTable, ReservedIds, next_id, preceding_records};
use crate::tables::customizations::CustomizationRow;
use crate::tables::files::FileRow;
use crate::tables::owner_ref::OwnerRef;
use crate::tables::password_credentials::PasswordRow;
use crate::tables::relationship_transactables::RelationshipTransactableRow;
use crate::tables::relationship_users::RelationshipUserRow;
use crate::tables::relationships::RelationshipRow;
use crate::tables::transactables::TransactableRow;
use crate::tables::unique_claims::assign_records;
use crate::tables::user_profiles::ProfileRow;
use crate::tables::users::{UserIdentity, UserRow};

/// The rows of users and records, new and updated.
#[derive(Default)]
pub(super) struct RowBatch<'a> {
    /// Time of the write in microseconds since 1970 UTC.
    now: i64,
    users: TableRows<UserRow<'a>>,
    passwords: Vec<PasswordRow<'a>>,
    profiles: TableRows<ProfileRow<'a>>,
    transactables: TableRows<TransactableRow<'a>>,
    relationships: TableRows<RelationshipRow<'a>>,
    relationship_users: TableRows<RelationshipUserRow<'a>>,
    relationship_transactables: TableRows<RelationshipTransactableRow<'a>>,
    customizations: TableRows<CustomizationRow<'a>>,
    addresses: TableRows<AddressRow<'a>>,
    files: TableRows<FileRow<'a>>,
    /// The positions of the first new rows, after the stored ones of the user.
    first_positions: PerTable<i32>,
    relationship_ids: RelationshipIds,
    /// The claims of new records, with their record ids.
    record_claims: Vec<(&'a Claim, i64)>,
}

impl<'a> RowBatch<'a> {
    /// Returns an empty batch. Relationships that are named by their key must be in `relationship_ids`.
    pub(super) fn new(now: i64, relationship_ids: RelationshipIds) -> Self {
        Self { now, relationship_ids, ..Self::default() }
    }

    /// Returns an empty batch whose new rows have these positions.
    pub(super) fn with_positions(self, first_positions: PerTable<i32>) -> Self {
        Self { first_positions, ..self }
    }

    /// Adds the rows of a new user and returns its id.
    pub(super) fn add_new_user(
        &mut self,
        request: &'a CreateRequest,
        uuid: Uuid,
        ids: &mut ReservedIds,
    ) -> QueryResult<i64> {
        let id = next_id(&mut ids.users)?;
        let (form_name, form_version) = (&*request.form_name, &*request.form_version);
        let identity = UserIdentity { id, uuid, form_name, form_version };
        let Aggregate { entity, claims, .. } = &request.aggregate;
        if let NewEntity::User(user) = entity {
            let mut row = UserRow::new(identity, user, self.now);
            // The claim leads to the user; a key would be another page to write.
            row.email_key = row.email_key.filter(|_| !user.claims_its_email(claims));
            self.users.push(None, row);
        }
        if let Some(phc) = &request.password_hash {
            self.passwords.push(PasswordRow { user_id: id, phc, created_at: self.now });
        }
        self.add_records(&request.aggregate, OwnerRef::user(id), ids)?;
        Ok(id)
    }

    /// Adds the rows of a stored user, without the columns that are not updated, or of one record of it.
    pub(super) fn add_to_user(
        &mut self,
        aggregate: &'a Aggregate,
        (id, uuid): (i64, Uuid),
        ids: &mut ReservedIds,
    ) -> QueryResult<()> {
        let mut owner = OwnerRef::user(id);
        match &aggregate.entity {
            NewEntity::User(user) => {
                let identity = UserIdentity { id, uuid, form_name: "", form_version: "" };
                self.users.push(Some(id), UserRow::new(identity, user, self.now));
            }
            NewEntity::Customization { parent: Some(at), .. }
                if at.resource != RecordKind::User =>
            {
                owner = OwnerRef::record(id, at.resource, at.id);
            }
            _ => {}
        }
        self.add_records(aggregate, owner, ids)
    }

    /// Adds the rows of the records of a user, or of one record. Customizations belong to `owner`.
    fn add_records(
        &mut self,
        aggregate: &'a Aggregate,
        owner: OwnerRef,
        ids: &mut ReservedIds,
    ) -> QueryResult<()> {
        let records = aggregate.entity.records();
        for claim in &aggregate.claims {
            if let ClaimHolder::New(path) = &claim.holder
                && let Some(ids) = path.last().and_then(|(kind, _)| ids.of(*kind))
                && let Ok(preceding) = usize::try_from(preceding_records(&records, path))
                && let Some(id) = ids.as_slice().get(preceding)
            {
                self.record_claims.push((&claim.claim, *id));
            }
        }
        let user_id = owner.user_id;
        self.add_profiles(records.profiles, user_id, ids)?;
        self.add_relationship_users(records.relationship_users, user_id, ids)?;
        self.add_transactables(records.transactables, user_id, ids)?;
        self.add_relationship_transactables(records.relationship_transactables, ids)?;
        self.add_customizations(records.customizations, owner, ids)
    }

    /// Adds the row of a relationship.
    pub(super) fn add_relationship(
        &mut self,
        new: &'a NewRelationship,
        uuid: Uuid,
        creator_id: Option<i64>,
        ids: &mut ReservedIds,
    ) -> QueryResult<()> {
        let row = RelationshipRow {
            id: id_of(new.id, &mut ids.relationships)?,
            uuid,
            type_name: &new.type_name,
            creator_id,
            created_at: self.now,
            key: new.key.as_ref().map(|claim| claim.value_key.as_str()),
            properties: &new.properties,
            updated_at: self.now,
        };
        self.relationships.push(new.id, row);
        Ok(())
    }

    /// Returns the id of the first new record of a request for one record.
    pub(super) fn new_record_id(&self) -> Option<i64> {
        let transactable = self.transactables.first_new().map(|row| row.id);
        transactable
            .or_else(|| self.relationship_users.first_new().map(|row| row.id))
            .or_else(|| self.relationship_transactables.first_new().map(|row| row.id))
            .or_else(|| self.customizations.first_new().map(|row| row.id))
            .or_else(|| self.relationships.first_new().map(|row| row.id))
    }

    fn add_profiles(
        &mut self,
        profiles: &'a [NewProfile],
        user_id: i64,
        ids: &mut ReservedIds,
    ) -> QueryResult<()> {
        let positions = self.first_positions.profiles..;
        for (profile, position) in profiles.iter().zip(positions) {
            let id = id_of(profile.id, &mut ids.profiles)?;
            let row = ProfileRow {
                id,
                user_id,
                position,
                type_name: &profile.type_name,
                enabled: profile.enabled,
                properties: &profile.properties,
            };
            self.profiles.push(profile.id, row);
            let owner = OwnerRef::record(user_id, RecordKind::Profile, id);
            self.add_attached(&profile.attached, owner, ids)?;
        }
        Ok(())
    }

    fn add_relationship_users(
        &mut self,
        relationship_users: &'a [NewRelationshipUser],
        user_id: i64,
        ids: &mut ReservedIds,
    ) -> QueryResult<()> {
        let positions = self.first_positions.relationship_users..;
        for (member, position) in relationship_users.iter().zip(positions) {
            let relationship_id = match &member.relationship {
                RelationshipLink::Existing(id) => *id,
                RelationshipLink::New { type_name } => {
                    let id = next_id(&mut ids.relationships)?;
                    let row = RelationshipRow {
                        id,
                        uuid: Uuid::now_v7(),
                        type_name,
                        creator_id: Some(user_id),
                        created_at: self.now,
                        key: None,
                        properties: "{}",
                        updated_at: self.now,
                    };
                    self.relationships.push(None, row);
                    id
                }
                RelationshipLink::Keyed { type_name, key, .. } => {
                    self.relationship_ids.id(type_name, key)?
                }
            };
            let id = id_of(member.id, &mut ids.relationship_users)?;
            let row = RelationshipUserRow {
                id,
                user_id,
                relationship_id,
                position,
                type_name: &member.type_name,
                properties: &member.properties,
            };
            self.relationship_users.push(member.id, row);
        }
        Ok(())
    }

    fn add_transactables(
        &mut self,
        transactables: &'a [NewTransactable],
        user_id: i64,
        ids: &mut ReservedIds,
    ) -> QueryResult<()> {
        let positions = self.first_positions.transactables..;
        for (transactable, position) in transactables.iter().zip(positions) {
            let id = id_of(transactable.id, &mut ids.transactables)?;
            let row = TransactableRow::new(id, user_id, position, transactable);
            self.transactables.push(transactable.id, row);
            let owner = OwnerRef::record(user_id, RecordKind::Transactable, id);
            self.add_attached(&transactable.attached, owner, ids)?;
        }
        Ok(())
    }

    fn add_relationship_transactables(
        &mut self,
        relationship_transactables: &'a [NewRelationshipTransactable],
        ids: &mut ReservedIds,
    ) -> QueryResult<()> {
        let positions = self.first_positions.relationship_transactables..;
        for (new, position) in relationship_transactables.iter().zip(positions) {
            let id = id_of(new.id, &mut ids.relationship_transactables)?;
            let row = RelationshipTransactableRow {
                id,
                relationship_id: new.relationship_id,
                transactable_id: new.transactable_id,
                position,
                type_name: &new.type_name,
                properties: &new.properties,
            };
            self.relationship_transactables.push(new.id, row);
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
            let id = id_of(address.id, &mut ids.addresses)?;
            self.addresses.push(address.id, AddressRow::new(id, owner, position, address));
        }
        for (file, position) in attached.files.iter().zip(self.first_positions.files..) {
            let id = id_of(file.id, &mut ids.files)?;
            self.files.push(file.id, FileRow::new(id, owner, position, file));
        }
        self.add_customizations(&attached.customizations, owner, ids)
    }

    fn add_customizations(
        &mut self,
        customizations: &'a [NewCustomization],
        owner: OwnerRef,
        ids: &mut ReservedIds,
    ) -> QueryResult<()> {
        let positions = self.first_positions.customizations..;
        for (customization, position) in customizations.iter().zip(positions) {
            let id = id_of(customization.id, &mut ids.customizations)?;
            let row = CustomizationRow {
                id,
                user_id: owner.user_id,
                owner_kind: owner.kind,
                owner_id: owner.id,
                position,
                type_name: &customization.type_name,
                properties: &customization.properties,
            };
            self.customizations.push(customization.id, row);
            let nested = OwnerRef::record(owner.user_id, RecordKind::Customization, id);
            self.add_attached(&customization.attached, nested, ids)?;
        }
        Ok(())
    }

    /// Inserts and updates the rows, those first that others refer to. Returns whether all updated rows
    /// exist.
    pub(super) fn write(&self, conn: &mut AnyConnection) -> QueryResult<bool> {
        let mut all_exist = self.users.write(conn)?;
        insert(conn, &self.passwords)?;
        all_exist &= self.profiles.write(conn)?;
        all_exist &= self.transactables.write(conn)?;
        all_exist &= self.relationships.write(conn)?;
        all_exist &= self.relationship_users.write(conn)?;
        all_exist &= self.relationship_transactables.write(conn)?;
        all_exist &= self.customizations.write(conn)?;
        all_exist &= self.addresses.write(conn)?;
        all_exist &= self.files.write(conn)?;
        assign_records(conn, &self.record_claims)?;
        Ok(all_exist)
    }
}

/// Returns the id of a stored record, or the next reserved one.
fn id_of(stored_id: Option<i64>, ids: &mut vec::IntoIter<i64>) -> QueryResult<i64> {
    stored_id.map_or_else(|| next_id(ids), Ok)
}
