//! Operation `update`.

use std::sync::Arc;

use registrar_contracts::Outcome;
use registrar_core::aggregate::NewEntity;
use registrar_core::record_kind::RecordKind;
use registrar_store::{CreateError, Store, UpdateRequest, WriteError};

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
            let (kind, id) = (entity.kind(), entity.id());
            self.set_entity(entity.clone());
            self.check_preconditions()?;
            let is_written = self.write(entity, &mut password_hash).await?;
            let is_shown = kind != RecordKind::User
                || self.contract.shows(self.action, Outcome::Updated, "user");
            let reloaded = match is_shown || !is_written {
                true => {
                    let read = move |store: &Store| StoredEntity::load(store, kind, id);
                    self.state.database.read(read).await?
                }
                false => None,
            };
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
        let known_hash = password_hash.take();
        *password_hash = self.hash_password(&mut changed.aggregate.entity, known_hash).await?;
        let write = UpdateRequest {
            id: entity.id(),
            lock_version: entity.lock_version(),
            actor: self.actor_for_write(&changed.aggregate)?,
            changed,
            password_hash: password_hash.clone(),
        };
        let database = &self.state.database;
        let written = database.within_timeout(database.store().update(write)).await?;
        if written.is_ok() && password_hash.is_some() {
            self.state.auth.tokens.clear();
        }
        match written {
            Ok(()) => Ok(true),
            Err(WriteError::NotFound | WriteError::Conflict) => Ok(false),
            Err(WriteError::Create(CreateError::Refused(refusals))) => {
                Err(self.explain_refusals(Some(existing), &refusals).await?)
            }
            Err(WriteError::Create(error)) => Err(self.write_error(&error)),
        }
    }

    /// Takes the password out of a user and returns its hash: `known_hash` if it was hashed before.
    pub(super) async fn hash_password(
        &self,
        entity: &mut NewEntity,
        known_hash: Option<String>,
    ) -> Result<Option<String>, ApiError> {
        let NewEntity::User(user) = entity else { return Ok(None) };
        Ok(match (user.password.take(), known_hash) {
            (Some(_), Some(hash)) => Some(hash),
            (Some(password), None) => Some(self.state.auth.hash_password(password).await?),
            (None, _) => user.password_hash.take().map(|hash| hash.reveal().to_owned()),
        })
    }
}
