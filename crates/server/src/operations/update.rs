//! Operation `update`.

use std::sync::Arc;

use registrar_contracts::Outcome;
use registrar_core::changes::UserUpdate;
use registrar_core::record_kind::RecordKind;
use registrar_store::{CreateError, UpdateRecord, UpdateUser, WriteError};

use super::MAX_UPDATE_ATTEMPTS;
use super::evaluate::Evaluation;
use super::reply::Reply;
use super::request_cx::RequestCx;
use crate::error::ApiError;
use crate::representation::StoredEntity;

impl RequestCx<'_> {
    /// Updates a user or a record.
    pub(super) async fn update(&mut self) -> Result<Reply, ApiError> {
        let entity = self.find().await?;
        self.update_entity(entity).await
    }

    /// Updates an entity as loaded, and again if it changes in the meantime.
    pub(super) async fn update_entity(
        &mut self,
        mut entity: StoredEntity,
    ) -> Result<Reply, ApiError> {
        let mut password_hash = None;
        for _ in 0..MAX_UPDATE_ATTEMPTS {
            let loaded = Loaded::from(&entity);
            self.set_entity(entity.clone());
            self.check_preconditions()?;
            let is_written = self.write(entity, &mut password_hash).await?;
            let is_shown = match loaded {
                Loaded::User(_) => self.contract.shows(self.action, Outcome::Updated, "user"),
                Loaded::Record(..) => true,
            };
            let reloaded = if is_shown || !is_written { self.reload(loaded).await? } else { None };
            if is_written {
                if let Some(entity) = reloaded {
                    self.set_entity(entity);
                }
                return Ok(Outcome::Updated.into());
            }
            entity = reloaded.ok_or_else(|| ApiError::entity_not_found(self.action.resource))?;
        }
        Err(ApiError::contended())
    }

    async fn reload(&self, loaded: Loaded) -> Result<Option<StoredEntity>, ApiError> {
        let read = self.state.database.read(move |store| match loaded {
            Loaded::User(id) => Ok(store.user(id)?.map(StoredEntity::from)),
            Loaded::Record(kind, id) => Ok(store.record(kind, id)?.map(StoredEntity::from)),
        });
        read.await
    }

    /// Validates and writes an update. Returns false if the entity changed since it was loaded. A password
    /// is hashed once; the hash is kept for the next attempt.
    async fn write(
        &mut self,
        entity: StoredEntity,
        password_hash: &mut Option<String>,
    ) -> Result<bool, ApiError> {
        let existing = Arc::new(entity.clone().into_input());
        let before = Arc::clone(&existing);
        let validate = move |evaluation: &Evaluation<'_>| {
            let contract = evaluation.contract;
            evaluation.with_form(|submission| Ok(contract.validate_update(submission, &before)?))
        };
        let (_, mut changed) = self.evaluate_form(validate).await?;
        if let StoredEntity::User(_) = &entity {
            self.hash_password(&mut changed, password_hash).await?;
        }
        let actor = self.actor_for_write(&changed.user)?;
        let database = &self.state.database;
        let written = match entity {
            StoredEntity::User(user) => {
                let columns = &user.columns;
                let (id, uuid, loaded_at) = (columns.id, columns.uuid, columns.updated_at);
                let password_hash = password_hash.clone();
                let write =
                    UpdateUser { id, uuid, lock_version: loaded_at, changed, password_hash, actor };
                let ends_sessions = write.password_hash.is_some();
                let written = database.within_timeout(database.store().update(write)).await?;
                if written.is_ok() && ends_sessions {
                    self.state.auth.tokens.clear();
                }
                written
            }
            StoredEntity::Record(record) => {
                let (kind, id, loaded_at) = (record.kind(), record.id(), record.lock_version);
                let write = UpdateRecord { kind, id, lock_version: loaded_at, changed, actor };
                database.within_timeout(database.store().update_record(write)).await?
            }
        };
        match written {
            Ok(()) => Ok(true),
            Err(WriteError::NotFound | WriteError::Conflict) => Ok(false),
            Err(WriteError::Create(CreateError::Refused(refusals))) => {
                Err(self.explain_refusals(Some(existing), &refusals).await?)
            }
            Err(WriteError::Create(error)) => Err(self.write_error(&error)),
        }
    }

    async fn hash_password(
        &self,
        changed: &mut UserUpdate,
        password_hash: &mut Option<String>,
    ) -> Result<(), ApiError> {
        match changed.user.password.take() {
            Some(password) if password_hash.is_none() => {
                *password_hash = Some(self.state.auth.hash_password(password).await?);
            }
            None => {
                let hash = changed.user.password_hash.take();
                *password_hash = hash.map(|hash| hash.reveal().to_owned());
            }
            Some(_) => {}
        }
        Ok(())
    }
}

/// Identity of a loaded entity.
#[derive(Debug, Clone, Copy)]
enum Loaded {
    User(i64),
    Record(RecordKind, i64),
}

impl From<&StoredEntity> for Loaded {
    fn from(entity: &StoredEntity) -> Self {
        match entity {
            StoredEntity::User(user) => Self::User(user.columns.id),
            StoredEntity::Record(record) => Self::Record(record.kind(), record.id()),
        }
    }
}
