//! Operation `delete`.

use registrar_contracts::{Lookup, Outcome};
use registrar_core::form::Resource;
use registrar_store::{RecordKind, WriteError};

use super::reply::Reply;
use super::request_cx::{RequestCx, record_kind};
use crate::error::ApiError;

impl RequestCx<'_> {
    /// Deletes a user or a record.
    pub(super) async fn delete(&mut self) -> Result<Reply, ApiError> {
        let kind = record_kind(self.action.resource);
        let id = match self.direct_id()? {
            Some(id) => id,
            None => {
                let entity = self.find().await?;
                let id = entity.id();
                self.set_entity(entity);
                self.check_preconditions()?;
                id
            }
        };
        self.delete_by_id(kind, id).await
    }

    /// Deletes a record, or with `None` a user.
    pub(super) async fn delete_by_id(
        &self,
        kind: Option<RecordKind>,
        id: i64,
    ) -> Result<Reply, ApiError> {
        let (database, actor) = (&self.state.database, self.actor());
        let store = database.store();
        let deleted = match kind {
            Some(kind) => database.within_timeout(store.delete_record(kind, id, actor)).await?,
            None => database.within_timeout(store.delete(id, actor)).await?,
        };
        match deleted {
            Ok(()) => Ok(Outcome::Deleted.into()),
            Err(WriteError::NotFound | WriteError::Conflict) => {
                Err(ApiError::entity_not_found(self.action.resource))
            }
            Err(WriteError::Create(error)) => Err(self.write_error(&error)),
        }
    }

    /// Returns the id of the user to delete if the request names it and nothing else must be read.
    fn direct_id(&self) -> Result<Option<i64>, ApiError> {
        let (contract, action) = (self.contract, self.action);
        let shows = |root| contract.shows(action, Outcome::Deleted, root);
        let is_unrestricted =
            self.principal.permissions.reaches_all() && contract.own_forms().is_none();
        let is_user = action.resource == Resource::User;
        if !is_user || action.has_checks() || !is_unrestricted || shows("user") || shows("ids") {
            return Ok(None);
        }
        let lookup = contract.resolve_lookup(action, self.context)?;
        Ok(if let [Lookup::Id(id)] = &*lookup { Some(*id) } else { None })
    }
}
