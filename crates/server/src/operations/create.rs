//! Operation `create`.

use registrar_contracts::Outcome;
use registrar_core::record_kind::RecordKind;
use registrar_store::{CreateError, CreateRequest, Created, Refusal};

use super::evaluate::Evaluation;
use super::idempotency::KeyGuard;
use super::reply::Reply;
use super::request_cx::RequestCx;
use crate::error::{ApiError, group_refusals};
use crate::representation::{StoredEntity, id_only, user_stub};

impl RequestCx<'_> {
    /// Creates a user or a record.
    pub(super) async fn create(&mut self) -> Result<Reply, ApiError> {
        let kind = self.kind();
        let is_user = kind == RecordKind::User;
        let parent = if is_user { None } else { self.find_parent().await? };
        self.check_preconditions()?;
        if is_user && self.principal.permissions.owner().is_some() {
            return Err(ApiError::not_owner());
        }
        let mut key = match self.acquire_header_key().await? {
            Ok(key) => key,
            Err(reply) => return Ok(reply),
        };
        let database = self.state.database.clone();
        let validate = move |evaluation: &Evaluation<'_>| match evaluation
            .validate_new(|| database.check_room())
        {
            (Some(form), result) => (Some(form), Ok(result)),
            (None, result) => (None, result.map(Ok)),
        };
        let (form, result) = self.evaluate_form(validate).await?;
        let hides_conflicts = is_user && self.hides_existence(&form);
        let mut aggregate = match result {
            Ok(aggregate) => aggregate,
            Err(error) if !is_user || hides_conflicts => return Err(error),
            Err(error) => return Err(self.prioritised_error(error).await?),
        };
        if let (None, Some(user)) = (&key, aggregate.entity.as_user()) {
            key = match self.acquire_natural_key(&form, user).await? {
                Ok(key) => key,
                Err(reply) => return Ok(reply),
            };
        }
        let password_hash = self.hash_password(&mut aggregate.entity, None).await?;
        let user = aggregate.entity.as_user();
        let external_id = user.and_then(|user| user.external_id.clone());
        let write = CreateRequest {
            default_owner: parent.or(self.principal.user_id),
            actor: self.actor_for_write(&aggregate)?,
            idempotency_key: key.as_ref().map(|key| self.stored_key(key, &form, user)),
            aggregate,
            password_hash,
            form_name: form.name.clone(),
            form_version: form.version.clone(),
            hides_conflicts,
        };
        let database = &self.state.database;
        match database.within_timeout(database.store().create(write)).await? {
            Ok(created) => match key.as_ref().and_then(KeyGuard::response) {
                Some(reply) => Ok(reply),
                None if hides_conflicts => Ok(Outcome::Accepted.into()),
                None => self.created(kind, created, external_id).await,
            },
            Err(CreateError::Refused(mut refusals)) if hides_conflicts => {
                refusals.retain(|refusal| !matches!(refusal, Refusal::Taken { .. }));
                if !refusals.is_empty() {
                    return Err(self.explain_refusals(None, &refusals).await?);
                }
                let reply = key.as_ref().and_then(KeyGuard::response);
                Ok(reply.unwrap_or_else(|| Outcome::Accepted.into()))
            }
            Err(error) => self.create_error(error, key).await,
        }
    }

    async fn create_error(
        &mut self,
        error: CreateError,
        key: Option<KeyGuard<'_>>,
    ) -> Result<Reply, ApiError> {
        match (error, key) {
            (CreateError::Refused(refusals), _) => {
                Err(self.explain_refusals(None, &refusals).await?)
            }
            (CreateError::IdempotencyKeyUsed, Some(key)) => self.concurrent_response(&key).await,
            (error, _) => Err(self.write_error(&error)),
        }
    }

    /// Returns the error to report for an invalid user. If the contract reports only the first error and
    /// their order needs it, the database is asked for conflicts too.
    async fn prioritised_error(&mut self, error: ApiError) -> Result<ApiError, ApiError> {
        if error.violations().is_none() || !self.contract.order_needs_database() {
            return Ok(error);
        }
        let contested = |evaluation: &Evaluation<'_>| {
            let contract = evaluation.contract;
            evaluation.with_form(|submission| Ok(contract.contested(submission)?))
        };
        let (_, (claims, references)) = self.evaluate_form(contested).await?;
        let read = self.state.database.read(move |store| store.refusals(&claims, &references));
        let refusals = group_refusals(&read.await?);
        let explain = move |evaluation: &Evaluation<'_>| {
            let contract = evaluation.contract;
            evaluation
                .with_form(|submission| Ok(contract.explain_whole(submission, &refusals).into()))
        };
        Ok(self.evaluate_form(explain).await?.1)
    }

    async fn created(
        &mut self,
        kind: RecordKind,
        created: Created,
        external_id: Option<String>,
    ) -> Result<Reply, ApiError> {
        let id = created.id;
        let is_user = kind == RecordKind::User;
        // A record is always shown as it is stored.
        let entity = match !is_user || self.contract.shows(self.action, Outcome::Created, "user") {
            true => {
                self.state.database.read(move |store| StoredEntity::load(store, kind, id)).await?
            }
            false => None,
        };
        match entity {
            Some(entity) => self.set_entity(entity),
            None if is_user => self.set_value(user_stub(&created, external_id), true),
            None => self.set_value(id_only(id), false),
        }
        Ok(Outcome::Created.into())
    }
}
