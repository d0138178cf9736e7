//! Operation `remove`: removes records of a user.

use registrar_contracts::Outcome;

use super::reply::Reply;
use super::request_cx::RequestCx;
use crate::error::ApiError;

impl RequestCx<'_> {
    /// Removes the records of a user that the route selects.
    pub(super) async fn remove(&mut self) -> Result<Reply, ApiError> {
        let user = self.find().await?.into_value();
        self.set_value(user.clone(), true);
        self.check_preconditions()?;
        let (resource, ids) = self.contract.removed_ids(self.action, self.context, &user)?;
        let outcome = if ids.is_empty() { Outcome::Unchanged } else { Outcome::Updated };
        for id in ids {
            self.delete_by_id(resource, id).await?;
        }
        Ok(outcome.into())
    }
}
