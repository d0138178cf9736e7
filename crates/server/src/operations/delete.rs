//! Operation `delete`.

use registrar_contracts::{Lookup, Outcome};
use registrar_core::record_kind::RecordKind;
use registrar_store::WriteError;

use super::reply::Reply;
use super::request_cx::RequestCx;
use crate::error::ApiError;

impl RequestCx<'_> {
    /// Deletes a user or a record.
    pub(super) async fn delete(&mut self) -> Result<Reply, ApiError> {
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
        self.delete_by_id(self.kind(), id).await
    }

    /// Deletes the user or record of a kind with an id.
    pub(super) async fn delete_by_id(&self, kind: RecordKind, id: i64) -> Result<Reply, ApiError> {
        let database = &self.state.database;
        let deleted = database.store().delete(kind, id, self.actor());
        match database.within_timeout(deleted).await? {
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
        let is_user = action.resource == RecordKind::User;
        if !is_user || action.has_checks() || !is_unrestricted || shows("user") || shows("ids") {
            return Ok(None);
        }
        let lookup = contract.resolve_lookup(action, self.context)?;
        Ok(if let [Lookup::Id(id)] = &*lookup { Some(*id) } else { None })
    }
}
