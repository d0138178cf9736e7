//! Finds the users and records that a route names.

use actix_web::HttpMessage;
use registrar_contracts::Lookup;
use registrar_core::record_kind::RecordKind;
use registrar_store::{
    Pagination, ReadError, RecordFilter, RecordPage, Store, StoredUser, UserFilter, UserPage,
};

use super::evaluate::Evaluation;
use super::request_cx::RequestCx;
use crate::auth::principal::Principal;
use crate::database::find_users;
use crate::error::ApiError;
use crate::representation::StoredEntity;

/// A look-up of users or records, limited to those that the principal may access.
pub(super) enum Query {
    Nothing,
    Users(Vec<Lookup>, UserFilter),
    Records(RecordKind, RecordFilter),
}

impl Query {
    /// Returns a page of the matching entities and the number of all.
    fn run(self, store: &Store, page: Pagination) -> Result<(Vec<StoredEntity>, i64), ReadError> {
        match self {
            Self::Nothing => Ok((Vec::new(), 0)),
            Self::Users(lookup, scope) => {
                let UserPage { users, total } = find_users(store, &lookup, scope, page)?;
                Ok((users.into_iter().map(StoredEntity::from).collect(), total))
            }
            Self::Records(kind, filter) => {
                let RecordPage { records, total } = store.records(kind, &filter, page)?;
                Ok((records.into_iter().map(StoredEntity::from).collect(), total))
            }
        }
    }
}

impl RequestCx<'_> {
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

    /// Runs a query and converts the entities. Memory for them is reserved until the response is sent.
    ///
    /// # Errors
    /// Returns 422 if they are too large for a response, 503 if there is no memory.
    pub(super) async fn query<T: Send + 'static>(
        &self,
        query: Query,
        page: Pagination,
        convert: fn(StoredEntity) -> T,
    ) -> Result<(Vec<T>, i64), ApiError> {
        let (memory, max) = (self.state.memory.clone(), self.state.settings.answer_limit);
        let found = self.read(move |store| {
            let (entities, total) = query.run(store, page)?;
            let size = entities.iter().map(StoredEntity::estimated_size).sum();
            let reserved = memory.reserve_response(size, max);
            let convert_all = || entities.into_iter().map(convert).collect();
            Ok(reserved.map(|reservation| (reservation, convert_all(), total)))
        });
        let (reservation, entities, total) = found.await??;
        if let Some(reservation) = reservation {
            self.request.extensions_mut().insert(reservation);
        }
        Ok((entities, total))
    }

    /// Returns the user or record that the route names.
    ///
    /// # Errors
    /// Returns 404 if there is none that the principal may access.
    pub(super) async fn find(&mut self) -> Result<StoredEntity, ApiError> {
        let found = match self.kind() {
            RecordKind::User => self.find_user().await?.map(StoredEntity::from),
            kind => {
                let query = self.record_query(kind).await?;
                self.query(query, Pagination::FIRST, |entity| entity).await?.0.pop()
            }
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
        let query = match lookup.is_empty() {
            true => Query::Nothing,
            false => Query::Users(lookup, self.user_scope()),
        };
        let (mut users, _) = self.query(query, Pagination::FIRST, StoredEntity::into_user).await?;
        Ok(users.pop().flatten())
    }

    /// Returns the query for the record that the route names. The route or the selected form limits its
    /// type.
    async fn record_query(&mut self, kind: RecordKind) -> Result<Query, ApiError> {
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
        let is_empty = lookup.is_empty() || lookup.contains(&Lookup::Nobody);
        Ok(if is_empty { Query::Nothing } else { Query::Records(kind, filter) })
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
