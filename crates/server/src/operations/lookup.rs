//! Finds the users and records that a route names.

use actix_web::HttpMessage;
use registrar_contracts::Lookup;
use registrar_core::value::Value;
use registrar_store::{
    Pagination, ReadError, RecordFilter, RecordKind, Store, StoredRecord, StoredUser, UserFilter,
};

use super::evaluate::Evaluation;
use super::request_cx::{RequestCx, record_kind};
use crate::auth::principal::Principal;
use crate::database::find_user;
use crate::error::ApiError;
use crate::http::memory_budget::{MemoryBudget, Reservation};
use crate::representation::StoredEntity;

/// Memory for the entities of a response.
pub(super) struct ResponseMemory {
    budget: MemoryBudget,
    max: usize,
}

/// Reserved memory, the entities as JSON, and the number of entities on all pages.
type LoadedPage = (Option<Reservation>, Vec<Value<'static>>, i64);

impl ResponseMemory {
    /// Reserves memory for entities.
    ///
    /// # Errors
    /// Returns 422 if they are too large for a response, 503 if there is no memory.
    fn reserve(
        &self,
        weights: impl Iterator<Item = usize>,
    ) -> Result<Option<Reservation>, ApiError> {
        self.budget.reserve_response(weights.sum(), self.max)
    }

    /// Reserves memory for a page of entities and converts them to JSON.
    pub(super) fn load(
        &self,
        entities: impl Iterator<Item = StoredEntity>,
        total: i64,
    ) -> Result<LoadedPage, ApiError> {
        let entities: Vec<StoredEntity> = entities.collect();
        let reservation = self.reserve(entities.iter().map(StoredEntity::weight))?;
        Ok((reservation, entities.into_iter().map(StoredEntity::into_value).collect(), total))
    }
}

impl RequestCx<'_> {
    /// Returns the memory for the entities of the response.
    pub(super) fn response_memory(&self) -> ResponseMemory {
        let budget = self.state.memory.clone();
        ResponseMemory { budget, max: self.state.settings.answer_limit }
    }

    /// Keeps a reservation until the response is sent.
    pub(super) fn keep_until_response(&self, reservation: Option<Reservation>) {
        if let Some(reservation) = reservation {
            self.request.extensions_mut().insert(reservation);
        }
    }

    /// Runs a read. A cached token is checked again in the same connection if no write will do so.
    ///
    /// # Errors
    /// Returns 401 if the token is no longer valid.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let hash = self.principal.token.as_ref().and_then(|token| token.recheck_hash);
        let read = self.state.database.read(move |store| match hash {
            Some(hash) if Principal::from_token(store, &hash)?.is_none() => Ok(None),
            _ => work(store).map(Some),
        });
        read.await?.ok_or_else(ApiError::invalid_token)
    }

    /// Returns the user or record that the route names.
    ///
    /// # Errors
    /// Returns 404 if there is none that the principal may access.
    pub(super) async fn find(&mut self) -> Result<StoredEntity, ApiError> {
        let found = match record_kind(self.action.resource) {
            Some(kind) => self.find_record(kind).await?.map(StoredEntity::from),
            None => self.find_user().await?.map(StoredEntity::from),
        };
        found.ok_or_else(|| ApiError::entity_not_found(self.action.resource))
    }

    /// Returns the user that the route names, or `None`.
    pub(super) async fn find_user(&self) -> Result<Option<StoredUser>, ApiError> {
        let lookup = self.contract.resolve_lookup(self.action, self.context)?;
        self.find_user_by(lookup).await
    }

    /// Returns the first user that matches all keys of a look-up, or `None`.
    pub(super) async fn find_user_by(
        &self,
        lookup: Vec<Lookup>,
    ) -> Result<Option<StoredUser>, ApiError> {
        let (scope, memory) = (self.user_scope(), self.response_memory());
        let found = self.read(move |store| {
            let user = find_user(store, &lookup, scope)?;
            let reservation = memory.reserve(user.iter().map(StoredUser::estimated_size));
            Ok(reservation.map(|reservation| (reservation, user)))
        });
        let (reservation, user) = found.await??;
        self.keep_until_response(reservation);
        Ok(user)
    }

    /// Returns the record that the route names, or `None`. The route or the selected form limits its type.
    async fn find_record(&mut self, kind: RecordKind) -> Result<Option<StoredRecord>, ApiError> {
        let parent = self.find_parent().await?;
        let form_type = if self.action.names_form() {
            let select = |evaluation: &Evaluation<'_>| -> Result<_, ApiError> {
                let input = evaluation.decode_body()?;
                Ok(evaluation.select_form(&input)?.0.record_type.clone())
            };
            self.evaluate(select).await??
        } else {
            None
        };
        let lookup = self.contract.resolve_lookup(self.action, self.context)?;
        let mut filter = self.record_filter(&lookup, parent);
        if let Some(name) = form_type {
            filter.type_name = Some(name.to_string());
        }
        let memory = self.response_memory();
        let is_empty = lookup.is_empty() || lookup.contains(&Lookup::Nobody);
        let found = self.read(move |store| {
            if is_empty {
                return Ok(Ok((None, None)));
            }
            let record = store.records(kind, &filter, Pagination::FIRST)?.records.pop();
            let reservation = memory.reserve(record.iter().map(StoredRecord::estimated_size));
            Ok(reservation.map(|reservation| (reservation, record)))
        });
        let (reservation, record) = found.await??;
        self.keep_until_response(reservation);
        Ok(record)
    }

    /// Returns the id of the user that must own the record, or `None` if the route names none.
    ///
    /// # Errors
    /// Returns 404 if there is no such user.
    pub(super) async fn find_parent(&mut self) -> Result<Option<i64>, ApiError> {
        let Some(lookup) = self.contract.resolve_parent(self.action, self.context)? else {
            return Ok(None);
        };
        let user = self.find_user_by(lookup).await?;
        let user = user.ok_or_else(|| ApiError::entity_not_found(self.action.resource))?;
        let id = user.columns.id;
        self.set_entity(user.into());
        Ok(Some(id))
    }

    /// Returns the filter for all look-ups of users: those of the contract that the principal may access.
    pub(super) fn user_scope(&self) -> UserFilter {
        let mut filter =
            UserFilter { form_names: self.contract.own_forms(), ..UserFilter::default() };
        self.principal.permissions.narrow_users(&mut filter);
        filter
    }

    /// Returns the filter for all look-ups of records: those that match the keys, belong to the parent and
    /// may be accessed by the principal.
    pub(super) fn record_filter(&self, lookup: &[Lookup], parent: Option<i64>) -> RecordFilter {
        let type_name = self.action.record_type.as_ref().map(ToString::to_string);
        let mut filter = RecordFilter { type_name, ..RecordFilter::default() };
        for key in lookup {
            match key {
                Lookup::Id(id) => {
                    let is_match = filter.ids.as_ref().is_none_or(|ids| ids.contains(id));
                    filter.ids = Some(is_match.then_some(*id).into_iter().collect());
                }
                Lookup::Key(key) => filter.key = Some(key.clone()),
                Lookup::Owner(id) => filter.user_id = Some(*id),
                Lookup::Relationship(id) => filter.relationship_id = Some(*id),
                // The other keys are those of users.
                _ => filter.ids = Some(Vec::new()),
            }
        }
        filter.user_id = parent.or(filter.user_id);
        self.principal.permissions.narrow_records(&mut filter);
        filter
    }
}
